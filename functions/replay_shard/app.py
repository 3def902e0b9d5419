"""A step of a replay on one shard, or the sum of what all shards counted in it."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from groundtruth.sharding.event import answer_event
from groundtruth.storage.s3 import open_store
from groundtruth.tasks.registry import plan_steps

logger = Logger()
store = open_store(os.environ)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what the state machine asks for, and say what comes next."""
    answer = answer_event(event, store, plan_steps)
    logger.info("step made", answer=answer)
    return answer
