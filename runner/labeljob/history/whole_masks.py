"""A whole job of masks, consolidated again a few data objects at a time, on any engine.

Answers go into shards of a few data objects each; those that are in S3 only stay there and are read
where they are wanted. Neither labels nor masks are in memory all together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundtruth.compat import batched
from groundtruth.contract.acs import Annotation, DataObject
from groundtruth.contract.fields import compact_json
from groundtruth.errors import StorageError
from groundtruth.finishing.outcomes import METADATA
from groundtruth.sharding.arrays import unpack
from groundtruth.sharding.plan import Plan, Shard, digest_of
from groundtruth.sharding.steps import JSON_TYPE, STATE_END
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.base import BUILTIN, OBJECT, Label
from groundtruth.tasks.registry import decode_label
from groundtruth.tasks.segmentation.algorithms import DISAGREEMENT
from groundtruth.tasks.segmentation.steps import LABELS
from labeljob.engines.driver import Outcome, Progress, map_chunks, run_plan
from labeljob.engines.executors import Engine
from labeljob.history.comments import read_comments
from labeljob.history.differences import Change, Counts, Differences, compare
from labeljob.history.job import JobOnFile, decode_mask, read_label_mask
from labeljob.history.job_files import READERS, AnsweredObject, DamageList
from labeljob.history.replay import (
    MASKS,
    STYLES,
    SUMMARY,
    Call,
    OutcomeFolder,
    ReplayOutcome,
)
from labeljob.history.work_folder import WorkFolder
from labeljob.jobs.description import metadata_time
from labeljob.jobs.job_location import JobPlace, ReadOnly
from labeljob.metrics.scores import score_labels
from labeljob.output_files import write_text
from labeljob.tasks.base import Truth

FEWEST, MOST = 32, 256
"""Data objects of a shard, unless its answers are large."""

MANY_SHARDS = 2_000
"""From so many shards on they are made larger, up to `MOST` data objects."""

BYTES_OF_AN_OBJECT = 2**17
"""Of the answers in a shard, on average at most."""

COMPARED = 32
"""Lines of the manifest that are held against the new labels in one piece of work."""

SHARDS_AT_HAND = 4


class WorkStore:
    """An `ObjectStore` of a job's own objects, and of its replay's, which alone are written.

    Parameters
    ----------
    place : JobPlace
        The job.
    work : WorkFolder
        What the replay has done so far.
    """

    def __init__(self, place: JobPlace, work: WorkFolder) -> None:
        self._job, self._store, self._written = ReadOnly(place), work.store, f"{work.root}/"

    def _of(self, uri: str) -> ObjectStore:
        return self._store if uri.startswith(self._written) else self._job

    def read(self, uri: str) -> bytes:
        """Content of an object; raises `StorageError`."""
        return self._of(uri).read(uri)

    def modified(self, uri: str) -> datetime:
        """When an object was last written, in UTC; raises `StorageError`."""
        return self._of(uri).modified(uri)

    def open_lines(self, uri: str) -> Iterator[bytes]:
        """Lines of an object with their ends; raises `StorageError`."""
        return self._of(uri).open_lines(uri)

    def list(self, prefix: str) -> Iterator[str]:
        """URIs of the objects whose URI begins with a prefix; raises `StorageError`."""
        return self._of(prefix).list(prefix)

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Create or replace an object of the work folder; raises `StorageError`."""
        self._of(uri).write(uri, body, content_type=content_type, kms_key=kms_key)

    def write_file(self, uri: str, path: Path, *, content_type: str, kms_key: str | None) -> None:
        """Create or replace an object of the work folder; raises `StorageError`."""
        self._of(uri).write_file(uri, path, content_type=content_type, kms_key=kms_key)

    def remove(self, uris: Iterable[str]) -> None:
        """Remove objects of the work folder, those that are there; raises `StorageError`."""
        self._store.remove(uris)

    def acting_as(self, role_arn: str) -> WorkStore:
        """The same files: what was stored under a role is read without it."""
        return self


class Elsewhere(Protocol):
    """What consolidates masks where neither the job nor the work folder can be read."""

    def reads(self, uri: str) -> bool:
        """Whether it reads an answer where it is."""

    def run(
        self, plan: Plan, folder: str, store: ObjectStore, *, report: Callable[[Progress], None]
    ) -> Outcome:
        """Consolidate the shards in a store, and leave labels and masks there, as `run_plan`."""

    def remove(self, plan: Plan) -> None:
        """Remove what was kept there of a plan."""


@dataclass(frozen=True, kw_only=True)
class MaskShards:
    """The answers of a job in shards, and what was seen on the way.

    `object_ids` has the data objects of each shard, `comments` what workers wrote beside their
    answers, by data object and worker.
    """

    shards: tuple[Shard, ...]
    object_ids: tuple[tuple[str, ...], ...]
    workers: tuple[str, ...]
    comments: Mapping[str, Mapping[str, str]]


def replay_masks(
    job: JobOnFile,
    call: Call,
    folder: OutcomeFolder,
    work: WorkFolder,
    engine: Engine,
    *,
    styles: Sequence[str] = STYLES,
    truths: Mapping[str, Truth] | None = None,
    elsewhere: Elsewhere | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> ReplayOutcome:
    """Consolidate a job again, write the new manifests and compare them with the old one.

    Data objects of a shard that failed keep the label they have. An interrupted replay goes on
    where it was. What is not consolidated `elsewhere` is on the engine, which also compares.
    `report` is told how far each step is.

    Raises `ShardsFailedError` if too many shards failed; `StorageError` or `OutputError`.
    """
    store = WorkStore(job.place, work)
    answered = job.answered(call.object_ids)
    if elsewhere is not None:
        answered = _embed_answers(answered, store, elsewhere.reads)
    written = write_shards(answered, len(call.object_ids), store, f"{work.root}/shards")
    plan = _make_plan(job, call, folder, written)
    run = work.uri_of(plan)
    plan = replace(plan, masks_uri=f"{run}/{MASKS}")
    if elsewhere is None:
        outcome = run_plan(plan, run, store, engine, report=report)
    else:
        outcome = elsewhere.run(plan, run, store, report=report)
    labels = _NewLabels(job, call, store, outcome.folder, written)
    masks = _Masks(place=job.place, store=store, shown=folder.masks_uri, folder=plan.masks_uri)
    is_builtin = any(
        label.style == BUILTIN for line in job.lines if (label := line.label(job.attribute))
    )
    style = BUILTIN if is_builtin else OBJECT
    rows = _list_rows(job, labels, style)
    differences = _compare(job, rows, masks, engine, f"{run}/rows")
    rows = _list_rows(job, labels, style)
    figures = _score(job, rows, truths, masks) if truths else [{}, {}]
    manifests = {style: f"{style}.manifest" for style in styles}
    with folder.open_draft() as draft:
        for style, name in manifests.items():
            _write_manifest(job, labels, style, draft / name)
        result = ReplayOutcome(
            job=job,
            folder=folder,
            calls=(len(call.object_ids),),
            manifests=tuple(manifests.values()),
            differences=differences,
            before=figures[0],
            after=figures[1],
            dependence=None,
            comments=written.comments,
            passes=outcome.n_steps,
            failures=outcome.failures,
        )
        summary = json.dumps(result.as_json(), indent=2, ensure_ascii=False) + "\n"
        write_text(draft / SUMMARY, summary)
        _link_masks(labels, masks, work.store, draft / MASKS)
    if not outcome.failures:
        work.remove(replace(plan, masks_uri=""))
        if elsewhere is not None:
            elsewhere.remove(plan)
    return result


def _embed_answers(
    answered: Iterator[AnsweredObject], store: ObjectStore, stays: Callable[[str], bool]
) -> Iterator[AnsweredObject]:
    """Data objects with the content of all answers, but of those that stay where they are.

    An answer that cannot be read stays too.
    """

    def embed(item: AnsweredObject) -> AnsweredObject:
        annotations = tuple(
            annotation
            if annotation.content is not None or annotation.uri is None or stays(annotation.uri)
            else _read_annotation(annotation, store)
            for annotation in item.object.annotations
        )
        return replace(item, object=replace(item.object, annotations=annotations))

    with ThreadPoolExecutor(READERS) as pool:
        for some in batched(answered, READERS):
            yield from pool.map(embed, some)


def _read_annotation(annotation: Annotation, store: ObjectStore) -> Annotation:
    try:
        body = store.read(str(annotation.uri))
    except StorageError:
        return annotation
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = f"\ufffd{body.decode(errors='replace')}"  # is no JSON either
    return replace(annotation, content=text, uri=None)


def choose_size(n_objects: int) -> int:
    """Data objects of a shard at most."""
    return max(FEWEST, min(n_objects // MANY_SHARDS, MOST))


def write_shards(
    answered: Iterator[AnsweredObject], n_answered: int, store: ObjectStore, folder: str
) -> MaskShards:
    """Write the answers to data objects into files of a few objects each; raises `StorageError`."""
    n_objects = choose_size(n_answered)
    shards: list[Shard] = []
    names: list[tuple[str, ...]] = []
    workers: set[str] = set()
    comments: dict[str, Mapping[str, str]] = {}
    for items in _group(answered, n_objects, n_objects * BYTES_OF_AN_OBJECT):
        body = f"[{', '.join(text for _, text in items)}]".encode()
        name = f"{len(shards):05}-{digest_of(body)}"
        shard = Shard(
            name=name,
            uri=f"{folder}/{name}.json",
            n_objects=len(items),
            n_answers=sum(len(item.annotations) for item, _ in items),
        )
        store.write(shard.uri, body, content_type=JSON_TYPE, kms_key=None)
        shards.append(shard)
        names.append(tuple(item.object_id for item, _ in items))
        for item, _ in items:
            workers.update(annotation.worker_id for annotation in item.annotations)
            if said := read_comments(item.annotations):
                comments[item.object_id] = said
    return MaskShards(
        shards=tuple(shards),
        object_ids=tuple(names),
        workers=tuple(sorted(workers - {""})),
        comments=comments,
    )


def _group(
    answered: Iterator[AnsweredObject], most_objects: int, most_bytes: int
) -> Iterator[list[tuple[DataObject, str]]]:
    """Data objects with their JSON, as many as a shard takes."""
    group: list[tuple[DataObject, str]] = []
    size = 0
    for item in answered:
        text = json.dumps(_payload_entry(item.object))
        size += len(text)
        group.append((item.object, text))
        if len(group) == most_objects or size >= most_bytes:
            yield group
            group, size = [], 0
    if group:
        yield group


def _payload_entry(item: DataObject) -> dict[str, Any]:
    """A data object as a request's payload has it."""
    return {
        "datasetObjectId": item.object_id,
        "dataObject": item.source,
        "annotations": [
            {"workerId": annotation.worker_id, "annotationData": _annotation_data(annotation)}
            for annotation in item.annotations
        ],
    }


def _annotation_data(annotation: Annotation) -> dict[str, Any]:
    content = {} if annotation.content is None else {"content": annotation.content}
    return content if annotation.uri is None else {**content, "s3Uri": annotation.uri}


def _make_plan(job: JobOnFile, call: Call, folder: OutcomeFolder, written: MaskShards) -> Plan:
    """The plan, without the place of masks."""
    return Plan(
        task=job.core.name,
        settings=job.settings,
        classes=job.choices,
        classes_known=job.classes_from != "answers",
        n_workers=len(written.workers),
        job_name=job.name,
        made_at=call.made_at.isoformat(),
        options={
            "workers": list(written.workers),
            "attribute": job.attribute,
            "shown": folder.masks_uri,
        },
        shards=written.shards,
    )


class _NewLabels:
    """The labels that shards hold, by data object; those of a few shards are at hand."""

    def __init__(
        self, job: JobOnFile, call: Call, store: ObjectStore, folder: str, written: MaskShards
    ) -> None:
        self._store, self._folder, self._shards = store, folder, written.shards
        self._shard_of = {
            object_id: number for number, ids in enumerate(written.object_ids) for object_id in ids
        }
        self.object_ids = self._shard_of.keys()
        self._read = lru_cache(SHARDS_AT_HAND)(self._read_shard)
        self._metadata = {
            f"{job.attribute}{METADATA}": {
                "type": "groundtruth/custom",
                "job-name": job.name.rpartition("/")[2],
                "human-annotated": "yes",
                "creation-date": metadata_time(call.made_at),
            }
        }

    def content(self, object_id: str, style: str) -> dict[str, Any] | None:
        """What the output manifest gets, in a style; None if the object has no new label."""
        number = self._shard_of.get(object_id)
        line = None if number is None else self._read(number).get(object_id)
        if line is None:
            return None
        return dict(line["builtin"]) if style == BUILTIN else line["object-style"] | self._metadata

    def _read_shard(self, number: int) -> dict[str, dict[str, Any]]:
        uri = f"{self._folder}/{self._shards[number].name}{STATE_END}"
        try:
            lines = unpack(self._store.read(uri))[LABELS].tobytes().splitlines()
        except StorageError as error:
            if error.reason != "not-found":
                raise
            return {}  # the shard failed
        return {line["object"]: line for line in map(json.loads, lines)}


@dataclass(frozen=True, kw_only=True)
class _Masks:
    """The masks of a job, and those of its replay, whose folder labels call `shown`."""

    place: JobPlace
    store: ObjectStore
    shown: str
    folder: str

    def find(self, uri: str) -> str | None:
        """Where a mask of the replay is; None if it is one of the job."""
        own = uri.startswith(f"{self.shown}/")
        return f"{self.folder}{uri.removeprefix(self.shown)}" if own else None

    def read(self, label: Label, damage: DamageList) -> NDArray[np.uint8] | None:
        """Class of each pixel; None if the mask cannot be read, which is noted."""
        place = self.find(label.mask_uri or "")
        if place is None:
            return read_label_mask(self.place, label, damage)
        return decode_mask(self.store.read(place), label, damage)


def _compare(
    job: JobOnFile, rows: Iterator[Row], masks: _Masks, engine: Engine, folder: str
) -> Differences:
    """Hold the new labels against those of the manifest, some lines on each worker."""
    uris = []
    for number, some in enumerate(batched(rows, COMPARED)):
        uris.append(f"{folder}/{number:06}.json")
        body = json.dumps(some).encode()
        masks.store.write(uris[-1], body, content_type=JSON_TYPE, kms_key=None)
    counts = Counts()
    relabeled: list[Change] = []
    for found, damage in map_chunks(engine, partial(_compare_rows, masks=masks), uris):
        counts.add(found.counts)
        relabeled += found.relabeled
        job.damage.damages.update(damage.damages)
    return Differences(counts, relabeled)


Row: TypeAlias = list[Any]
"""Id and source of a data object; value and metadata of its label before, and after."""


def _list_rows(job: JobOnFile, labels: _NewLabels, style: str) -> Iterator[Row]:
    """The data objects of the manifest, and those that it has no line of.

    The new label is in the style of the old ones, so that nothing but the label can differ.
    """
    strays = dict.fromkeys(labels.object_ids)
    for line in job.lines:
        strays.pop(line.object_id, None)
        old = [line.values.get(job.attribute), line.metadata(job.attribute)]
        content = labels.content(line.object_id, style)
        yield [line.object_id, line.source, old, old if content is None else _pair(content, job)]
    for object_id in strays:
        if (content := labels.content(object_id, style)) is not None:
            yield [object_id, "", [None, None], _pair(content, job)]


def _pair(content: Mapping[str, Any], job: JobOnFile) -> list[Any]:
    return [content.get(job.attribute), content.get(f"{job.attribute}{METADATA}")]


def _compare_rows(uri: str, *, masks: _Masks) -> tuple[Differences, DamageList]:
    """What changed in rows of `_list_rows`, and which masks cannot be read."""
    damage = DamageList()
    rows = json.loads(masks.store.read(uri))
    before = {object_id: decode_label(*old) for object_id, _, old, _ in rows}
    after = {object_id: decode_label(*new) for object_id, _, _, new in rows}
    sources = {object_id: source for object_id, source, _, _ in rows}
    return compare(before, after, sources, partial(masks.read, damage=damage)), damage


def _score(
    job: JobOnFile, rows: Iterator[Row], truths: Mapping[str, Truth], masks: _Masks
) -> list[dict[str, float]]:
    """Measures against the truth, of the labels before and after."""
    known: list[dict[str, Label]] = [{}, {}]
    for object_id, _, *pairs in rows:
        for labels, pair in zip(known, pairs, strict=True):
            if object_id in truths and (label := decode_label(*pair)):
                labels[object_id] = label
    read_mask = partial(masks.read, damage=job.damage)
    return [score_labels(job.task, labels, truths, job.classes, read_mask) for labels in known]


def _write_manifest(job: JobOnFile, labels: _NewLabels, style: str, path: Path) -> None:
    """Write the manifest in one style; a line without a new label stays letter for letter."""
    keys = (job.attribute, f"{job.attribute}{METADATA}")
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in job.lines:
            content = labels.content(line.object_id, style)
            if content is None or (line.text and not line.values):
                text = line.text or compact_json(dict(line.values))
            else:
                kept = {key: value for key, value in line.values.items() if key not in keys}
                text = compact_json(kept | content)
            file.write(f"{text}\n")


def _link_masks(labels: _NewLabels, masks: _Masks, store: ObjectStore, folder: Path) -> None:
    """Put all masks that labels name into a folder, and leave them where they are."""
    folder.mkdir()
    for object_id in labels.object_ids:
        for uri in list_masks(labels.content(object_id, OBJECT) or {}):
            if place := masks.find(uri):
                _link(place, store, folder / place.rpartition("/")[2])


def list_masks(content: Mapping[str, Any]) -> Iterator[str]:
    """The masks that a label names, as `format_label` makes it in the object style."""
    for value in content.values():
        for name in ("mask-ref", DISAGREEMENT):
            if value.get(name) is not None:
                yield str(value[name])


def _link(uri: str, store: ObjectStore, path: Path) -> None:
    if isinstance(store, FolderStore):
        with suppress(OSError):  # on another disk, or one that knows no links
            path.hardlink_to(store.path(uri))
            return
    path.write_bytes(store.read(uri))
