"""Annotation consolidation for semantic segmentation."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

import groundtruth.tasks.segmentation.algorithms  # noqa: F401 - loaded at the start, not in the first call
from groundtruth.consolidation import AcsFunction
from groundtruth.observability import count_batch, logger, metrics, observe
from groundtruth.tasks.segmentation.task import SemanticSegmentation

function = AcsFunction(SemanticSegmentation(), os.environ)


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    """Turn the answers to a batch of data objects into labels."""
    began = count_batch(function.stack_name)
    outcome = function.consolidate(
        event, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000
    )
    observe(outcome, began=began)
    return outcome.response
