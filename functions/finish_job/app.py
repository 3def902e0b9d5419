"""Finishes a labeling job: a manifest in the built-in shape, a summary, a re-queue manifest."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from groundtruth.finishing.event import finish_on_state_change
from groundtruth.jobs import open_jobs
from groundtruth.observability import logger
from groundtruth.settings import Settings
from groundtruth.storage.s3 import open_store

settings = Settings.from_environ(os.environ)
store = open_store(os.environ)
jobs = open_jobs(os.environ)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Turn what a labeling job left into files that others can use."""
    result = finish_on_state_change(event, store=store, jobs=jobs, settings=settings).as_json()
    logger.info("labeling job finished", result=result)
    return result
