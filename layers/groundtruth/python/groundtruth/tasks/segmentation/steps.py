"""Masks shard by shard: all of them tell who is careless, then each object is consolidated.

    judge -> conclude       by `weighted`
    conclude                by any other algorithm

A shard is the JSON of a request's payload: a few data objects with their answers, which may be
elsewhere. `Plan.options` has

* ``workers``, the ids of the workers in the order that the shards count them in;
* ``attribute``, the name of the label attribute;
* ``shown``, what labels call the folder of masks, whose place meanwhile is `Plan.masks_uri`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.annotations import AnswerReader, Answers, Entry, merge_entries
from groundtruth.contract.acs import parse_payload
from groundtruth.contract.fields import embedded_json
from groundtruth.errors import StorageError
from groundtruth.sharding.arrays import Arrays
from groundtruth.sharding.plan import Plan
from groundtruth.sharding.steps import StepResult
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.base import (
    BUILTIN,
    OBJECT,
    ConsolidationContext,
    Label,
    Task,
    algorithm_of,
    format_label,
)
from groundtruth.tasks.segmentation.algorithms import (
    DISAGREEMENT,
    SKILL_CELLS,
    consolidate_masks,
    judge_workers,
)
from groundtruth.tasks.segmentation.answers import MaskAnswer
from groundtruth.tasks.segmentation.task import WEIGHTED
from groundtruth.worker_history.counts import PER_ONE, MemorySkills
from groundtruth.worker_history.store import Amounts, BatchSkills, SkillKey, SkillStore

JUDGE, CONCLUDE = "judge", "conclude"

AGREEMENT = "agreement"
"""Total of `judge`, int64 (n_workers, 3): `SKILL_CELLS` of each worker, in millionths."""

MISSING, DENIED = "answer-not-found", "answer-access-denied"
UNREADABLE = (DENIED, "answer-bad-uri")
"""Reasons of answers that are set aside."""

LABELS = "labels"
"""State of `conclude`, uint8: JSON Lines, a data object each.

``object`` is its id, ``object-style`` and ``builtin`` its content in each style, as `format_label`
makes it.
"""


class SegmentationSteps:
    """`groundtruth.sharding.steps.Steps` of masks.

    Labels and masks are those that `SemanticSegmentation` makes of the whole job, after it has
    judged the workers by all of it.
    """

    def __init__(self, task: Task[MaskAnswer], plan: Plan) -> None:
        self._task, self._plan = task, plan
        self._algorithm = algorithm_of(task, plan.settings)
        self._workers: Sequence[str] = plan.options["workers"]

    def next_step(self, step: str, number: int, change: float) -> str | None:
        """What comes after a step; nothing that was counted changes it."""
        if step == CONCLUDE:
            return None
        return JUDGE if not step and self._algorithm == WEIGHTED else CONCLUDE

    def run(
        self, step: str, shard: bytes, state: Arrays, totals: Arrays, store: ObjectStore
    ) -> StepResult:
        """One step on one shard.

        Raises `ContractError` if the shard is no payload, and `StorageError` if an answer cannot
        be read now, or none at all, or a mask cannot be written.
        """
        plan = self._plan
        entries = merge_entries(parse_payload(embedded_json(shard, path="shard")))
        decode = partial(self._task.decode, classes=plan.classes, settings=plan.settings)
        answers = _as_missing(AnswerReader(store).read(entries, decode), entries)
        if step == JUDGE:
            return StepResult(totals={AGREEMENT: self._judge(answers, store)})
        text = "".join(f"{json.dumps(line)}\n" for line in self._conclude(answers, totals, store))
        return StepResult(state={LABELS: np.frombuffer(text.encode(), np.uint8)})

    def _judge(
        self, answers: Iterator[Answers[MaskAnswer]], store: ObjectStore
    ) -> NDArray[np.int64]:
        skills = self._skills(MemorySkills())
        judged = judge_workers(answers, self._context(store, skills))
        known = skills.history(sorted(judged), is_cell=SKILL_CELLS.__contains__)
        return np.array(
            [
                [round(known.get(worker, {}).get(cell, 0.0) * PER_ONE) for cell in SKILL_CELLS]
                for worker in self._workers
            ],
            np.int64,
        ).reshape(-1, len(SKILL_CELLS))

    def _conclude(
        self, answers: Iterator[Answers[MaskAnswer]], totals: Arrays, store: ObjectStore
    ) -> Iterator[dict[str, Any]]:
        context = self._context(store, BatchSkills.none())
        if AGREEMENT in totals:
            amounts = {
                worker: dict(zip(SKILL_CELLS, row, strict=True))
                for worker, row in zip(
                    self._workers, (totals[AGREEMENT] / PER_ONE).tolist(), strict=True
                )
                if any(row)
            }
            skills = self._skills(_Judged(amounts))
            skills.holds_batch = True
            context = replace(context, skills=skills, workers=tuple(sorted(amounts)))
        ids: list[str] = []
        labels = consolidate_masks(self._task, _noted(answers, ids), context, self._algorithm)
        for index, label in enumerate(labels):
            shown = self._show(label)
            yield {
                "object": ids[index],
                "object-style": self._content(shown, OBJECT, context),
                "builtin": self._content(shown, BUILTIN, context),
            }

    def _content(self, label: Label, style: str, context: ConsolidationContext) -> dict[str, Any]:
        settings = replace(context.settings, output_style=style)
        attribute = self._plan.options["attribute"]
        return format_label(label, attribute, self._task, replace(context, settings=settings))

    def _show(self, label: Label) -> Label:
        """The label with its masks where they will be."""
        if label.mask_uri is None:
            return label
        place, shown = self._plan.masks_uri, self._plan.options["shown"]
        details = dict(label.details)
        if DISAGREEMENT in details:
            details[DISAGREEMENT] = f"{shown}{details[DISAGREEMENT].removeprefix(place)}"
        uri = f"{shown}{label.mask_uri.removeprefix(place)}"
        return replace(label, mask_uri=uri, details=details)

    def _context(self, store: ObjectStore, skills: BatchSkills) -> ConsolidationContext:
        plan = self._plan
        return ConsolidationContext(
            classes=plan.classes,
            classes_known=plan.classes_known,
            settings=plan.settings,
            job_name=plan.job_name,
            made_at=plan.moment,
            masks_uri=plan.masks_uri,
            store=store,
            kms_key=plan.kms_key,
            skills=skills,
        )

    def _skills(self, store: SkillStore) -> BatchSkills:
        plan = self._plan
        key = SkillKey(self._task.schema_name, plan.classes)  # all is of one moment: no decay
        return BatchSkills(
            store=store, key=key, batch_id="", job=plan.job_name, made_at=plan.moment
        )


@dataclass(frozen=True)
class _Judged:
    """A `SkillStore` that knows what all shards told of the workers."""

    amounts: Amounts

    def history(
        self, key: SkillKey, *, batch_id: str, workers: Sequence[str], at: datetime
    ) -> Amounts:
        return self.amounts

    def update_counts(
        self, key: SkillKey, *, job: str, updates: Mapping[str, Amounts], at: datetime
    ) -> None:
        """Nothing: the batch is known already."""


def _as_missing(
    answers: Iterator[Answers[MaskAnswer]], entries: Sequence[Entry]
) -> Iterator[Answers[MaskAnswer]]:
    """Answers that are set aside as missing, whatever S3 says of them.

    What is not there is denied by S3 to who may not list the bucket. `StorageError` if nothing else
    is said of all answers of a shard: then it is the permission that is missing.
    """
    n_denied = n_others = 0
    for item in answers:
        rejected = tuple(
            replace(answer, reason=MISSING) if answer.reason in UNREADABLE else answer
            for answer in item.rejected
        )
        denied = sum(answer.reason == DENIED for answer in item.rejected)
        n_denied += denied
        n_others += len(item.workers) + len(item.rejected) - denied
        yield replace(item, rejected=rejected)
    if n_denied and not n_others:
        uris = (answer.uri for entry in entries for answer in entry.object.annotations)
        raise StorageError(
            "this answer and all others of the shard are denied: they are not there, or the "
            "function's role may not read them or use their key",
            uri=str(next(filter(None, uris))),
            reason="access-denied",
        )


def _noted(answers: Iterator[Answers[MaskAnswer]], ids: list[str]) -> Iterator[Answers[MaskAnswer]]:
    for item in answers:
        ids.append(item.object_id)
        yield item
