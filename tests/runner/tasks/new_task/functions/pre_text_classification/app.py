"""Pre-annotation for single-label text classification."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from groundtruth.jobs import JobContexts, open_jobs
from groundtruth.pre_annotation import prepare_task
from groundtruth.settings import Settings
from groundtruth.storage.s3 import open_store
from tests.runner.tasks.new_task.groundtruth_task import TextClassification

logger = Logger()
task = TextClassification()
jobs = JobContexts(Settings.from_environ(os.environ), open_jobs(os.environ), open_store(os.environ))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Turn one line of the manifest into the input of a worker's task."""
    return prepare_task(event, jobs=jobs, inline_source=task.inline_source)
