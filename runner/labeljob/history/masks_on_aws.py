"""Masks consolidated by a stack's state machine: what it needs goes up, what it made comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from groundtruth.compat import batched
from groundtruth.sharding.arrays import unpack
from groundtruth.sharding.plan import Plan, Shard
from groundtruth.sharding.steps import JSON_TYPE, STATE_END
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.segmentation.steps import LABELS
from labeljob.engines.aws import StateMachine, run_plan_on_aws
from labeljob.engines.driver import Outcome, Progress
from labeljob.history.replay import MASKS
from labeljob.history.whole_masks import list_masks
from labeljob.history.work_folder import WorkFolder

Item = TypeVar("Item")

AT_ONCE, AHEAD = 16, 64
"""Shards that are copied at a time, and that one waits for if it is interrupted."""


@dataclass(frozen=True, kw_only=True)
class MasksOnAws:
    """Where masks are consolidated on AWS: `whole_masks.Elsewhere`.

    Attributes
    ----------
    machine : StateMachine
        By what.
    work : WorkFolder
        The folder in S3 that shards go to and masks come from.
    """

    machine: StateMachine
    work: WorkFolder

    def reads(self, uri: str) -> bool:
        """Whether an answer can stay where it is."""
        return self.machine.reads(uri)

    def run(
        self, plan: Plan, folder: str, store: ObjectStore, *, report: Callable[[Progress], None]
    ) -> Outcome:
        """Consolidate all shards of a plan there, and bring labels and masks here.

        Parameters
        ----------
        plan : Plan
            With its shards, whose files are in the store, as the masks will be.
        folder : str
            S3 URI of the folder in the store that labels go to, without a slash at its end.
        store : ObjectStore
            On this machine.
        report : callable
            Is told how far it is.

        Raises `JobError` if the execution fails, `StorageError` if a copy does.
        """
        there, root = self.work.store, self.work.uri_of(plan)
        sent = tuple(
            replace(shard, uri=f"{root}/shards/{shard.uri.rpartition('/')[2]}")
            for shard in plan.shards
        )
        known = set(there.list(f"{root}/shards/"))

        def send(pair: tuple[Shard, Shard]) -> Shard:
            own, far = pair
            if far.uri not in known:
                there.write(far.uri, store.read(own.uri), content_type=JSON_TYPE, kms_key=None)
            return own

        def fetch(shard: Shard) -> Shard:
            state = there.read(f"{outcome.folder}/{shard.name}{STATE_END}")
            lines = map(json.loads, unpack(state)[LABELS].tobytes().splitlines())
            for uri in (uri for line in lines for uri in list_masks(line["object-style"])):
                name = uri.rpartition("/")[2]
                body = there.read(f"{root}/{MASKS}/{name}")
                store.write(
                    f"{plan.masks_uri}/{name}", body, content_type="image/png", kms_key=None
                )
            store.write(f"{folder}/{shard.name}{STATE_END}", state, content_type="", kms_key=None)
            return shard

        _copy(send, list(zip(plan.shards, sent, strict=True)), "send", -1, plan, report)
        outcome = run_plan_on_aws(
            replace(plan, shards=sent, masks_uri=f"{root}/{MASKS}"),
            root,
            there,
            self.machine,
            report=report,
        )
        done = [shard for shard in plan.shards if shard.name not in outcome.failures]
        _copy(fetch, done, "fetch", outcome.n_steps, plan, report)
        return replace(outcome, folder=folder)

    def remove(self, plan: Plan) -> None:
        """Remove all that was written there for a plan."""
        self.work.remove(replace(plan, shards=()))


def _copy(
    copy: Callable[[Item], Shard],
    items: list[Item],
    step: str,
    number: int,
    plan: Plan,
    report: Callable[[Progress], None],
) -> None:
    """Copy what belongs to shards, some at a time."""
    objects = 0
    for done, shard in enumerate(_map_ahead(copy, items), 1):
        objects += shard.n_objects
        report(
            Progress(
                step=step,
                number=number,
                shards=done,
                n_shards=len(items),
                objects=objects,
                n_objects=sum(each.n_objects for each in plan.shards),
            )
        )


def _map_ahead(copy: Callable[[Item], Shard], items: list[Item]) -> Iterator[Shard]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for some in batched(items, AHEAD):
            yield from pool.map(copy, some)
