"""What a state machine asks of the function that makes steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundtruth.errors import ContractError
from groundtruth.sharding.steps import PlanSteps, finish_step, run_step
from groundtruth.storage.s3 import ObjectStore

_ITEM = ("work", "folder", "before", "step", "shard", "uri")
_MOVE = ("work", "folder", "step", "number", "failed", "tolerated", "shards", "failures")


def answer_event(
    event: Mapping[str, Any], store: ObjectStore, plan_steps: PlanSteps
) -> dict[str, Any]:
    """Make one step on one shard, or add up what all shards of a step counted.

    Parameters
    ----------
    event : mapping
        ``{"item": …}``, an item of a step's work list, or ``{"move": …}``, what `begin` or
        `finish_step` returned.
    store : ObjectStore
        Where plan, shards and results are.
    plan_steps : callable
        Finds the steps of a plan.

    Returns
    -------
    dict
        ``{"shard": …}``, or the next move.

    Raises
    ------
    ContractError
        If the event is neither, or something is missing in it.
    """
    if "item" in event:
        return {"shard": run_step(_whole(event, "item", _ITEM), store, plan_steps)}
    return finish_step(_whole(event, "move", _MOVE), store, plan_steps)


def _whole(event: Mapping[str, Any], name: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    value = event.get(name)
    if not isinstance(value, Mapping):
        raise ContractError("the event needs an item or a move, as JSON object", path=name)
    for key in keys:
        if key not in value:
            raise ContractError("is missing", path=f"{name}.{key}")
    return value
