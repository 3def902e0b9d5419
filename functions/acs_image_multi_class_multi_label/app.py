"""Annotation consolidation for multi-label image classification."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from groundtruth.consolidation import consolidate_batch
from groundtruth.job_context import JobContexts
from groundtruth.labeling_jobs import open_jobs
from groundtruth.observability import count_batch, logger, metrics, observe
from groundtruth.settings import Settings
from groundtruth.skills.opening import open_skills
from groundtruth.stores import open_store
from groundtruth.tasks.image_multi_class_multi_label import ImageMultiClassMultiLabel

task = ImageMultiClassMultiLabel()
store = open_store(os.environ)
settings = Settings.from_environ(os.environ)
jobs = JobContexts(settings, open_jobs(os.environ), store)
skills = open_skills(os.environ, table_name=settings.skill_table_name)


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    """Turn the answers to a batch of data objects into labels."""
    began = count_batch(settings.stack_name)
    outcome = consolidate_batch(
        event,
        task=task,
        store=store,
        jobs=jobs,
        skills=skills,
        deadline=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    observe(outcome, began=began)
    return outcome.response
