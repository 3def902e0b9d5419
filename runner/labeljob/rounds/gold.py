"""Known objects ("gold"): drawn, mixed into a manifest, workers scored on them, taken out again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from groundtruth.annotations import AnswerReader
from groundtruth.auxiliary_inputs import AuxiliaryLabels
from groundtruth.errors import ContractError
from groundtruth.finishing.manifest import Line, compact_json
from groundtruth.worker_history.store import SkillStore
from labeljob.history.job import JobOnFile, ObjectAnnotations
from labeljob.history.replay import EPOCH, Call, make_context, make_single_call, read_entries
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import ReadOnly
from labeljob.jobs.manifest_lines import ManifestLine
from labeljob.messages import format_count
from labeljob.metrics.workers import ComparedAnswer, Worker, shorten_names
from labeljob.tasks.base import Truth

SOURCE = "source-ref"
ANSWERS = ("label", "labels", "mask")
LINE = "line"
MIXED_IN = "mixed-in"
_NOT_FOR_A_MANIFEST = {*ANSWERS, "object-id", LINE, MIXED_IN}


@dataclass(frozen=True)
class GoldFile:
    """Known objects: JSON Lines with ``source-ref`` and ``label``, ``labels`` or ``mask``."""

    path: Path
    entries: Mapping[str, Mapping[str, Any]]

    @property
    def mixed_in(self) -> set[str]:
        """Sources of the objects that a manifest has only because they were mixed in.

        In a file that `labeljob gold mix` did not write, these are all.
        """
        return {source for source, entry in self.entries.items() if entry.get(MIXED_IN, True)}

    @property
    def is_for_functions(self) -> bool:
        """Whether the functions can learn from it: they know no gold masks."""
        return not any("mask" in entry for entry in self.entries.values())


def read_gold(path: Path) -> GoldFile:
    """Read known objects."""
    try:
        texts = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"cannot be read ({error})", path=str(path)) from error
    entries: dict[str, Mapping[str, Any]] = {}
    for number, text in enumerate(texts, start=1):
        if text.strip():
            where = f"{path}, line {number}"
            entry = _entry(text, where)
            if entry[SOURCE] in entries:
                raise ContractError(f"names {entry[SOURCE]} for the second time", path=where)
            entries[entry[SOURCE]] = entry
    if not entries:
        raise ContractError("has no known object", path=str(path))
    return GoldFile(path, entries)


def _entry(text: str, where: str) -> Mapping[str, Any]:
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"is not JSON ({error})", path=where) from error
    if not isinstance(entry, dict) or not isinstance(entry.get(SOURCE), str):
        raise ContractError(f'is no JSON object with a text "{SOURCE}"', path=where)
    if not any(entry.get(key) for key in ANSWERS):
        raise ContractError("has none of label, labels and mask", path=where)
    return entry


@dataclass(frozen=True)
class MixedManifest:
    """A manifest with known objects in it.

    `remembered` is a side file for the functions: which lines are gold, and what they show.
    `added` objects were mixed in, `in_place` ones the manifest had before.
    """

    lines: tuple[str, ...]
    remembered: tuple[str, ...]
    added: int
    in_place: int


def mix(
    lines: Sequence[ManifestLine],
    gold: GoldFile,
    *,
    rate: float,
    remember_in: Path,
    rng: np.random.Generator,
) -> MixedManifest:
    """Mix known objects into a manifest at random places.

    A known object that the manifest has already is gold where it is.
    """
    here = {line.source_ref for line in lines}
    in_place = {source for source in gold.entries if source in here}
    spare = [source for source in gold.entries if source not in here]
    wanted = max(0, round((rate * len(lines) - len(in_place)) / (1 - rate)))
    if wanted > len(spare):
        most = (len(gold.entries)) / (len(lines) + len(spare))
        raise JobError(
            f"a rate of {rate} takes {format_count(wanted, 'known object')} "
            "that the manifest does not have, and "
            f"{gold.path} has {len(spare)}; they are enough for a rate of {most:.3f}"
        )
    sources = iter([spare[index] for index in rng.permutation(len(spare))[:wanted].tolist()])
    gold_lines = set(rng.choice(len(lines) + wanted, wanted, replace=False).tolist())
    texts, remembered = [], []
    rest = iter(lines)
    for number in range(len(lines) + wanted):
        if number in gold_lines:
            source = next(sources)
            entry = gold.entries[source]
            kept = {key: entry[key] for key in entry if key not in _NOT_FOR_A_MANIFEST}
            texts.append(compact_json(kept))
            remembered.append(_remembered(gold, source, number, remember_in, mixed_in=True))
        else:
            line = next(rest)
            texts.append(line.text)
            if line.source_ref in in_place:
                in_place.discard(line.source_ref)
                remembered.append(
                    _remembered(gold, line.source_ref, number, remember_in, mixed_in=False)
                )
    return MixedManifest(tuple(texts), tuple(remembered), wanted, len(remembered) - wanted)


def _remembered(
    gold: GoldFile, source: str, number: int, remember_in: Path, *, mixed_in: bool
) -> str:
    entry = gold.entries[source]
    known = {key: entry[key] for key in ANSWERS if key in entry}
    if isinstance(known.get("mask"), str):
        mask = (gold.path.parent / known["mask"]).resolve()
        known["mask"] = Path(os.path.relpath(mask, remember_in.parent.resolve())).as_posix()
    return compact_json({SOURCE: source, **known, LINE: number, MIXED_IN: mixed_in})


def draw(
    objects: Sequence[Mapping[str, str]], count: int, *, key: str, rng: np.random.Generator
) -> tuple[str, ...]:
    """Lines of a file of known objects, drawn at random, in which the truths are to be filled in.

    `objects` are named by their source or id; one that is there twice is drawn once. The truth
    stands under `key`. Raises `JobError` if there are too few.
    """
    named = list({tuple(obj.items()): obj for obj in objects}.values())
    if count > len(named):
        raise JobError(
            f"--count {count} is more than there are: {format_count(len(named), 'data object')}"
        )
    drawn = sorted(rng.permutation(len(named))[:count].tolist())
    return tuple(compact_json({**named[index], key: None}) for index in drawn)


@dataclass(frozen=True)
class StrippedManifest:
    """A manifest without the known objects that were mixed into it.

    `missing` are sources that were mixed in once and that this manifest does not have.
    """

    lines: tuple[str, ...]
    removed: int
    missing: tuple[str, ...]


def strip(lines: Iterable[Line], gold: GoldFile) -> StrippedManifest:
    """Take the known objects out of an output manifest that were mixed into the input."""
    gone = gold.mixed_in
    seen: set[str] = set()
    kept, removed = [], 0
    for line in lines:
        source = line.values.get(SOURCE)
        if isinstance(source, str) and source in gone:
            seen.add(source)
            removed += 1
        else:
            kept.append(line.text)
    return StrippedManifest(tuple(kept), removed, tuple(sorted(gone - seen)))


def score_workers(
    job: JobOnFile,
    objects: Iterable[ObjectAnnotations],
    truths: Mapping[str, Truth],
    choices: Sequence[str],
) -> list[Worker]:
    """How right each worker was on known objects; most answers first.

    `Worker.agreements` are with the truth. Raises `JobError` if a true mask has another size.
    """
    table: dict[str, Worker] = {}
    for obj in objects:
        if obj.object_id not in truths:
            continue
        true = job.task.truth_choices(truths[obj.object_id], choices)
        for item in obj.rejected:
            if item.worker_id:
                _worker(table, item.worker_id).count_rejected(item)
        for index, name in enumerate(obj.workers):
            worker, own = _worker(table, name), obj.choices[index]
            worker.answers += 1
            try:
                agreement = job.task.similarity(own, true)
            except ValueError as error:
                raise JobError(
                    f"the true mask of {obj.source or obj.object_id} has another size than "
                    "the answers"
                ) from error
            worker.compared.append(ComparedAnswer(obj.object_id, agreement, None))
            if job.task.single_choice:
                worker.confusion[int(true[0]), int(own[0])] += 1
    for name, short in shorten_names(sorted(table)).items():
        table[name].name = short
    return sorted(table.values(), key=lambda worker: (-worker.answers, worker.worker_id))


def _worker(table: dict[str, Worker], name: str) -> Worker:
    return table.setdefault(name, Worker(worker_id=name, name=name))


def format_score(worker: Worker, choices: Sequence[str]) -> dict[str, Any]:
    """A worker's score for `--json`."""
    low, high = worker.interval
    return {
        "worker-id": worker.worker_id,
        "gold-answers": worker.answers,
        "set-aside": worker.rejected,
        "right": round(sum(worker.agreements), 6),
        "accuracy": worker.agreement if worker.agreements else None,
        "interval": [low, high],
        "mistakes": [
            {"true": true, "said": said, "times": int(times)}
            for true, said, times in worker.mistakes(choices)
        ],
    }


def teach(
    job: JobOnFile,
    object_ids: Sequence[str],
    truths: Mapping[str, Truth],
    skills: SkillStore,
) -> str:
    """Let a skill store learn from known objects what the functions learn from gold."""
    if not job.task.takes_auxiliary_inputs:
        raise JobError("worker skill is learned from gold labels, and not from gold masks")
    job = job.with_settings(consolidation_algorithm=job.core.algorithms[0])
    made_at = make_single_call(job)[0].made_at
    call = Call(tuple(object_ids), made_at if made_at > EPOCH else datetime.now(UTC))
    store = ReadOnly(job.place)
    batch = make_context(job, call, store, "masks", skills=skills)
    names = {object_id: tuple(job.task.truth_names(truth)) for object_id, truth in truths.items()}
    batch = replace(batch, gold=AuxiliaryLabels({}, names))
    decode = partial(job.core.decode, classes=batch.classes, settings=batch.settings)
    answers = AnswerReader(store).read(read_entries(job, call), decode)
    for _ in job.core.consolidate(answers, batch):
        pass
    return batch.skills.note
