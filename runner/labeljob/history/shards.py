"""From a job's answers in columns to the shards of a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from groundtruth.annotations import RejectedAnswer
from groundtruth.auxiliary_inputs import NO_LABELS, AuxiliaryLabels
from groundtruth.errors import UnusableAnswer
from groundtruth.sharding.arrays import pack, unpack
from groundtruth.sharding.plan import Shard, digest_of
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.base import NamesTask
from groundtruth.tasks.shards import ShardAnswers
from labeljob.columns.answers import AnswerChunk, AnswerColumns, ChunkOnFile
from labeljob.history.auxiliary_inputs import AuxiliaryInputs
from labeljob.history.job import JobOnFile
from labeljob.output_files import escape_halves
from labeljob.tasks.registry import find_job_type

SMALL = 250_000
"""Answers up to which a job is one shard; larger shards would need more memory than they save."""

SMALLEST = 50_000
"""Answers that a shard has at least, where there are many workers to give one to."""

MOST_WITHOUT_NEED = 16
"""Shards that a job is cut into, if they are not too small, whatever the number of workers."""

PER_ANSWER = frozenset(("items", "workers", "classes", "picked"))
"""Arrays of a shard's file that have a row for each answer."""

ASIDE = ".aside.json"
"""The file beside a shard's, with all of its data objects that consolidation does not need."""


@dataclass(frozen=True, kw_only=True)
class Crew:
    """The workers of all jobs together, as the shards number them.

    `ids` are sorted; `model` is the number of a model that answers as one more worker, if any.
    """

    ids: tuple[str, ...]
    model: int | None

    @property
    def n_workers(self) -> int:
        """How many there are, with the model."""
        return len(self.ids) + (self.model is not None)


class Aside(msgspec.Struct, frozen=True):
    """What a shard's labels tell besides what was found by consolidating.

    `ids` and `sources` are those of the data objects, `rejected` the answers that do not count, as
    index of the object, worker, reason and detail, and `comments` what workers wrote, by index and
    worker.
    """

    ids: list[str]
    sources: list[str | None]
    rejected: list[tuple[int, str, str, str]]
    comments: dict[int, dict[str, str]]

    def rejections(self) -> dict[int, list[RejectedAnswer]]:
        """The rejected answers, by the index of their object."""
        by_object: dict[int, list[RejectedAnswer]] = {}
        for index, *told in self.rejected:
            by_object.setdefault(index, []).append(RejectedAnswer(*told))
        return by_object


@dataclass(frozen=True, kw_only=True)
class ShardRequest:
    """What `make_shard` needs to know; goes to another process.

    Attributes
    ----------
    number : int
        The shard's place among all.
    folder : str
        S3 URI of the folder that its files go to.
    store : ObjectStore
        Where that is.
    task : str
        The job type, by its name.
    classes : tuple of str
        Everything that a worker may have chosen.
    chunk : ChunkOnFile
        Where the answers are.
    start, stop : int
        The data objects of the shard, by their rows.
    objects : bytes
        Their ``id`` and ``source``, as a record batch.
    workers : ndarray of int
        Number among all jobs' workers of each of the job's.
    model : int or None
        That of the model.
    gold, predictions : AuxiliaryLabels
        What is known of data objects, and what the model says of them.
    """

    number: int
    folder: str
    store: ObjectStore
    task: str
    classes: tuple[str, ...]
    chunk: ChunkOnFile
    start: int
    stop: int
    objects: bytes
    workers: NDArray[np.int32]
    model: int | None
    gold: AuxiliaryLabels
    predictions: AuxiliaryLabels


def find_crew(jobs: Sequence[AnswerColumns], *, with_model: bool) -> Crew:
    """Number the workers of jobs; a worker has the same id in all of them."""
    ids = tuple(sorted({worker for columns in jobs for worker in columns.codes.workers}))
    return Crew(ids=ids, model=len(ids) if with_model else None)


def choose_ranges(columns: AnswerColumns, n_workers: int) -> list[tuple[int, int, int]]:
    """The chunk of each shard, and its data objects by their rows.

    A shard is a chunk of the columns, or part of one if there are few. The number of workers counts
    only if there are more than eight: probabilities depend on it, by less than 1e-9.
    """
    pieces = 1
    if columns.n_answers > SMALL:
        wanted = min(max(MOST_WITHOUT_NEED, 2 * n_workers), columns.n_answers // SMALLEST)
        pieces = max(1, math.ceil(wanted / len(columns.chunks)))
    ranges = []
    for number, (start, stop) in enumerate(columns.chunks):
        edges = np.linspace(start, stop, pieces + 1).astype(int).tolist()
        ranges += [(number, low, high) for low, high in pairwise(edges) if low < high]
    return ranges


def request_shards(
    job: JobOnFile,
    columns: AnswerColumns,
    ranges: Sequence[tuple[int, int, int]],
    crew: Crew,
    auxiliary: AuxiliaryInputs,
    *,
    folder: str,
    store: ObjectStore,
    first: int = 0,
) -> list[ShardRequest]:
    """What to ask `make_shard` for, one request a shard; `first` is the number of the first."""
    number_of = {worker: number for number, worker in enumerate(crew.ids)}
    workers = np.array([number_of[worker] for worker in columns.codes.workers], np.int32)
    objects = columns.objects.select(["id", "source"])
    if auxiliary.gold != NO_LABELS or auxiliary.model != NO_LABELS:
        objects = objects.set_column(1, "source", find_sources(job, columns))
    return [
        ShardRequest(
            number=first + position,
            folder=folder,
            store=store,
            task=job.task.name,
            classes=job.choices,
            chunk=columns.locate(number),
            start=start,
            stop=stop,
            objects=_to_bytes(objects.slice(start, stop - start)),
            workers=workers,
            model=crew.model,
            gold=auxiliary.gold,
            predictions=auxiliary.model if crew.model is not None else NO_LABELS,
        )
        for position, (number, start, stop) in enumerate(ranges)
    ]


def find_sources(job: JobOnFile, columns: AnswerColumns) -> pa.ChunkedArray:
    """Where the data objects are: as the files of answers say, else as the manifest does."""
    sources = columns.objects["source"]
    if not sources.null_count:
        return sources
    known = {line.object_id: escape_halves(line.source) for line in job.lines if line.source}
    ids = columns.objects["id"].to_pylist()
    return pc.coalesce(sources, pa.array([known.get(name) for name in ids], pa.string()))


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def make_shard(request: ShardRequest) -> Shard:
    """Write the files of a shard, unless they are there, and tell its name."""
    task: NamesTask[Any] | None = find_job_type(request.task).names_task
    if task is None:
        raise ValueError(f"the answers of {request.task} are no names")
    chunk = _load(request)
    distinct, position, problems = _index_names(task, chunk, request.classes)
    settled = chunk.settle(problems)
    items = chunk.object[settled.rows] - request.start
    workers = request.workers[chunk.worker[settled.rows]]
    order = _sort(items, workers)
    objects = pa.ipc.open_stream(request.objects).read_all()
    ids, sources = objects["id"].to_pylist(), objects["source"].to_pylist()
    is_answered = np.zeros(len(ids), np.bool_)
    is_answered[items] = True
    answers = ShardAnswers(
        items=items[order],
        workers=workers[order],
        codes=position[chunk.names[settled.rows][order]],
        distinct=distinct,
        gold=_look_up(request.gold, ids, sources, is_answered, task, request.classes),
        n_objects=len(ids),
        n_classes=len(request.classes),
        model=request.model,
    )
    if request.model is not None:
        said = _look_up(request.predictions, ids, sources, is_answered, task, request.classes)
        answers = _add_model(answers, said, request.model)
    body = pack(task.pack_answers(answers))
    name = f"{request.number:05}-{digest_of(body)}"
    uri = f"{request.folder}/{name}.safetensors"
    aside = msgspec.json.encode(_set_aside(chunk, request.start, settled.rejected, ids, sources))
    for path, content in ((f"{request.folder}/{name}{ASIDE}", aside), (uri, body)):
        request.store.write(path, content, content_type="application/octet-stream", kms_key=None)
    return Shard(name=name, uri=uri, n_objects=len(ids), n_answers=len(answers.items))


def _sort(items: NDArray[Any], workers: NDArray[Any]) -> NDArray[np.intp]:
    """The order of answers by object and by worker; nearly the one that they have."""
    keys = items * (workers.max(initial=0) + np.int64(1)) + workers
    return np.argsort(keys, kind="stable")


def _load(request: ShardRequest) -> AnswerChunk:
    chunk = request.chunk.load(("object", "worker", "names", "reason", "detail", "comments"))
    low, high = np.searchsorted(chunk.object, [request.start, request.stop]).tolist()
    table = chunk.table.slice(low, high - low)
    return replace(chunk, start=request.start, stop=request.stop, table=table)


def _index_names(
    task: NamesTask[Any], chunk: AnswerChunk, classes: Sequence[str]
) -> tuple[list[Any], NDArray[np.int64], dict[int, tuple[str, str]]]:
    """The different answers, which of them each number of names is, and why some are none."""
    answers: list[Any] = []
    position = np.full(len(chunk.codes.names), -1, np.int64)
    problems = {}
    for code in np.unique(chunk.names[chunk.names >= 0]).tolist():
        try:
            answer = task.index_names(chunk.codes.names[code], classes)
        except UnusableAnswer as error:
            problems[code] = (error.reason, error.detail)
        else:
            position[code] = len(answers)
            answers.append(answer)
    return answers, position, problems


def _look_up(
    labels: AuxiliaryLabels,
    ids: Sequence[str],
    sources: Sequence[str | None],
    is_answered: NDArray[np.bool_],
    task: NamesTask[Any],
    classes: Sequence[str],
) -> dict[int, Any]:
    """The answers that an auxiliary file has for the objects that workers answered, by index."""
    if labels == NO_LABELS:
        return {}
    found = {}
    for index in np.flatnonzero(is_answered).tolist():
        names = labels.of(ids[index], sources[index])
        if names is not None:
            try:
                found[index] = task.index_names(names, classes)
            except (UnusableAnswer, ValueError):
                continue  # not one class, or none of the job's: that was noted before
    return found


def _add_model(
    answers: ShardAnswers[Any], said: Mapping[int, Any], model: int
) -> ShardAnswers[Any]:
    """The answers with those of the model, which is the last worker."""
    n_own = len(answers.distinct)
    items = np.concatenate([answers.items, np.array(list(said), np.int64)]).astype(np.int64)
    workers = np.concatenate([answers.workers, np.full(len(said), model)])
    codes = np.concatenate([answers.codes, np.arange(n_own, n_own + len(said))]).astype(np.int64)
    order = _sort(items, workers)
    return replace(
        answers,
        items=items[order],
        workers=workers[order],
        codes=codes[order],
        distinct=[*answers.distinct, *said.values()],
    )


def _set_aside(
    chunk: AnswerChunk,
    start: int,
    rejected: Sequence[tuple[int, RejectedAnswer]],
    ids: list[str],
    sources: list[str | None],
) -> Aside:
    return Aside(
        ids=ids,
        sources=sources,
        rejected=[
            (int(chunk.object[row]) - start, item.worker_id, item.reason, item.detail)
            for row, item in rejected
        ],
        comments={row - start: texts for row, texts in chunk.find_comments().items()},
    )


def read_aside(shard: Shard, store: ObjectStore) -> Aside:
    """What `make_shard` wrote beside a shard; raises `StorageError`."""
    body = store.read(f"{shard.uri.removesuffix('.safetensors')}{ASIDE}")
    return msgspec.json.decode(body, type=Aside)


def read_people(shard: Shard, store: ObjectStore, model: int | None) -> dict[str, NDArray[Any]]:
    """The arrays of a shard's file, without the answers of the model; raises `StorageError`."""
    arrays = unpack(store.read(shard.uri))
    if model is None:
        return arrays
    is_person = arrays["workers"] != model
    return {
        name: values[is_person] if name in PER_ANSWER else values for name, values in arrays.items()
    }
