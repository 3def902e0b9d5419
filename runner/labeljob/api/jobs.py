"""A finished job as frames: its answers, its labels and its masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from groundtruth.annotations import AnswerReader, Entry, RejectedAnswer
from groundtruth.contract.fields import checked_labels
from groundtruth.tasks.base import NamesTask
from groundtruth.tasks.segmentation.answers import ReadMasks, read_masks
from labeljob.api.arrow_frames import choose_kind, to_frame
from labeljob.columns.answers import AnswerChunk, AnswerColumns
from labeljob.columns.parts import ANSWERS
from labeljob.extras import need
from labeljob.formats.labeled import read_mask_by_classes
from labeljob.history.comments import read_comments
from labeljob.history.job import Given, JobOnFile, index_answers
from labeljob.history.job import read_job as read_files
from labeljob.history.job_files import AnsweredObject
from labeljob.history.replay import read_creation_date
from labeljob.jobs.job_location import ReadOnly, find_job
from labeljob.tasks.registry import find_job_type

_BESIDE = [ANSWERS.field("submitted"), ANSWERS.field("seconds"), pa.field("comment", pa.string())]


def read_job(
    job: str | Path,
    *,
    frames: str | None = None,
    task: str | None = None,
    labels: Sequence[str] | None = None,
    attribute: str | None = None,
    answer_field: str | None = None,
    endpoint_url: str | None = None,
) -> JobFrames:
    """Read a finished job: nothing but its manifest and the list of its files until more is asked.

    Parameters
    ----------
    job : str or Path
        The job's folder, with its ``manifests/`` and ``annotations/``; that folder in S3,
        ``s3://bucket/prefix/job``; or a Parquet file of answers.
    frames : str, optional
        What frames are made of: ``"pandas"``, ``"polars"`` or ``"arrow"``. Pandas if it is
        installed, else Polars if that is, else Arrow.
    task : str, optional
        The job type, such as ``"image-multi-class"``, where the job's files do not tell it.
    labels : sequence of str, optional
        The job's classes in label order, where its files do not tell them.
    attribute : str, optional
        The label attribute name, where the manifest has several.
    answer_field : str, optional
        The field of a page's form that holds the answer, where the job's files do not tell it.
    endpoint_url : str, optional
        The S3 endpoint of the job, for all that this process reads of S3 from then on.

    Returns
    -------
    JobFrames

    Raises
    ------
    groundtruth.errors.GroundTruthError
        If there is no such job, its files cannot be read, or what is given contradicts them; the
        text says which and what to do.
    ImportError
        If the package that `frames` names is not installed, or for a job in S3 the extra ``aws``.

    Examples
    --------
    >>> job = read_job("birds-job")  # doctest: +SKIP
    >>> CalibratedDawidSkene().fit_predict(job.answers)  # doctest: +SKIP
    """
    kind = choose_kind(frames)
    given = Given(
        task=find_job_type(task) if task is not None else None,
        classes=checked_labels(list(labels), path="labels") if labels is not None else None,
        attribute=attribute,
        answer_field=answer_field,
    )
    if str(job).startswith("s3://"):
        need("boto3", "a job in S3")
    place = find_job(str(job), endpoint_url=endpoint_url)
    return JobFrames(read_files(place, given, needs_answers=False), kind)


class JobFrames:
    """The frames of a job, each read when it is first asked for and kept from then on.

    Attributes
    ----------
    name : str
        The job's name.
    task : str
        The job type, such as ``"image-multi-class"``.
    classes : tuple of str
        All that a worker may have chosen, in label order. In masks class 0 is the background and
        class ``i + 1`` is ``classes[i]``.
    """

    def __init__(self, job: JobOnFile, kind: str) -> None:
        self._job, self._kind = job, kind
        self.name = job.place.spell(job.name)
        self.task = job.task.name
        self.classes = job.choices

    def __repr__(self) -> str:
        n_objects, classes = len(self._job.lines), ", ".join(self.classes)
        return f"<job {self.name}: {self.task}, {n_objects} data objects, classes {classes}>"

    @property
    def n_classes(self) -> int:
        """How many values a unit of an answer has: of masks with the background."""
        return len(self._job.unit_classes)

    @cached_property
    def answers(self) -> Any:
        """The answers that count, a row each, by data object.

        Of several answers of a worker to a data object the last one counts. ``task`` is the id of
        the data object and ``worker`` that of the worker. The answer is in

        * ``label``, text, of a single label: categorical, with `classes` as categories (of Arrow
          a dictionary, which classifiers cannot rely on: hand `classes` to them, too);
        * ``label``, a list of texts, of several labels, in the worker's order;
        * ``segmentation``, a 2-D array of class indices, of masks: all are in memory together.

        ``submitted`` is when it came, in UTC, ``seconds`` how long it took, and ``comment`` what
        the worker wrote beside it; null where the job's files do not tell.
        """
        return self._answers[0]

    @cached_property
    def rejected(self) -> Any:
        """The answers that do not count: ``task``, ``worker``, ``reason`` and ``detail``."""
        return self._answers[1]

    @cached_property
    def labels(self) -> Any:
        """The labels in the job's output manifest: a row for each line.

        ``task`` and ``source`` are id and URI, or text, of the data object; ``label`` is like that
        of `answers`, null without a label; ``confidence`` is in [0, 1], of several labels the
        lowest; ``status`` is empty where all is well or nobody told; ``labeled`` is when it was
        made, in UTC. Of several labels ``confidences`` are in the order of ``label``; of masks
        ``mask_uri`` stands for ``label``.
        """
        return to_frame(_read_labels(self._job), self._kind)

    @cached_property
    def masks(self) -> Any:
        """The masks of the labels: ``task`` and ``segmentation``, a 2-D array of class indices.

        Data objects without a mask that can be read are left out; `problems` says why. All masks
        are in memory together; `iter_masks` gives one at a time.

        Raises
        ------
        AttributeError
            If the job's labels are names.
        """
        ids, masks = [], []
        for object_id, mask in self.iter_masks():
            ids.append(object_id)
            masks.append(mask)
        table = pa.table({"task": pa.array(ids, pa.string())})
        return to_frame(table, self._kind, segmentations=masks)

    def iter_masks(self) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """The same one at a time: id of the data object, and its mask; raises alike."""
        job = self._job
        if not job.task.label_is_mask:
            raise AttributeError(f"{self.name} has labels of names ({self.task}), and no masks")
        for line in job.lines:
            label = line.label(job.attribute)
            if label is None or label.mask_uri is None:
                continue
            mask = read_mask_by_classes(job, label)
            if isinstance(mask, str):
                job.damage.add(job.place.shown(label.mask_uri), mask)
            else:
                yield line.object_id, mask

    @property
    def problems(self) -> Any:
        """Files of the job that could not be used so far: ``file`` and ``problem``."""
        rows = [{"file": item.file, "problem": item.problem} for item in self._job.damage.damages]
        schema = pa.schema([("file", pa.string()), ("problem", pa.string())])
        return to_frame(pa.Table.from_pylist(rows, schema), self._kind)

    @cached_property
    def _answers(self) -> tuple[Any, Any]:
        job = self._job
        if job.task.names_task is not None:
            if job.columns is None:  # there are no answers
                table, rejected = _make_names(job), _tabulate_rejected([])
            else:
                table, rejected = _read_names(job, job.columns, job.task.names_task)
            return to_frame(table, self._kind), to_frame(rejected, self._kind)
        table, masks, rejected = _read_mask_answers(job)
        found = to_frame(table, self._kind, segmentations=masks)
        return found, to_frame(rejected, self._kind)


def _read_names(
    job: JobOnFile, columns: AnswerColumns, task: NamesTask[Any]
) -> tuple[pa.Table, pa.Table]:
    """The answers that count, and the others."""
    tables: list[pa.Table] = []
    rejected: list[tuple[str, RejectedAnswer]] = []
    for chunk in columns.iter_chunks():
        chosen, problems = index_answers(job, chunk, task)
        settled = chunk.settle(problems)
        ids = columns.objects["id"].slice(chunk.start, chunk.stop - chunk.start)
        names = {code: list(dict.fromkeys(chunk.codes.names[code])) for code in chosen}
        tables.append(_take_answers(job, chunk, ids, settled.rows, names))
        numbers = (chunk.object[[row for row, _ in settled.rejected]] - chunk.start).tolist()
        objects = ids.take(pa.array(numbers, pa.int64())).to_pylist()
        rejected += zip(objects, (answer for _, answer in settled.rejected), strict=True)
    return pa.concat_tables(tables), _tabulate_rejected(rejected)


def _make_names(job: JobOnFile) -> pa.Table:
    """The table of answers where there are none."""
    table = pa.schema([("task", pa.string()), ("worker", pa.string()), *_BESIDE]).empty_table()
    return table.add_column(2, "label", _to_labels(job, {}, np.empty(0, np.int64)))


def _take_answers(
    job: JobOnFile,
    chunk: AnswerChunk,
    ids: pa.ChunkedArray,
    rows: NDArray[np.int64],
    said: Mapping[int, Sequence[str]],
) -> pa.Table:
    """Some rows of a chunk; `said` has the labels that each index of names stands for."""
    table = chunk.table.take(pa.array(rows))
    workers = pa.array(chunk.codes.workers, pa.string())
    return pa.table(
        {
            "task": ids.take(pa.array(chunk.object[rows] - chunk.start)),
            "worker": workers.take(pa.array(chunk.worker[rows])),
            "label": _to_labels(job, said, chunk.names[rows]),
            "submitted": table["submitted"],
            "seconds": table["seconds"],
            "comment": pc.binary_join(table["comments"], "\n"),
        }
    )


def _to_labels(
    job: JobOnFile, names: Mapping[int, Sequence[str]], codes: NDArray[np.integer]
) -> pa.Array:
    """The answers with some codes, each of which stands for some names."""
    place = np.zeros(max(names, default=-1) + 1, np.int32)
    place[list(names)] = np.arange(len(names))
    chosen = pa.array(place[codes])
    if job.task.single_choice:
        single = np.array([job.choices.index(name) for (name,) in names.values()], np.int32)
        return _to_categories(pa.array(single).take(chosen), job.choices)
    return pa.array(names.values(), pa.list_(pa.string())).take(chosen)


def _to_categories(codes: pa.Array, names: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string()))


def _read_mask_answers(
    job: JobOnFile,
) -> tuple[pa.Table, list[NDArray[np.unsignedinteger[Any]]], pa.Table]:
    """The answers that count without their masks, the masks, and the other answers."""
    rows: list[tuple[Any, ...]] = []
    masks: list[NDArray[np.unsignedinteger[Any]]] = []
    rejected: list[tuple[str, RejectedAnswer]] = []
    dtype = np.min_scalar_type(len(job.choices))
    for item, read in _iter_mask_answers(job):
        object_id, comments = item.object.object_id, read_comments(item.object.annotations)
        rejected += ((object_id, answer) for answer in read.rejected)
        for worker, mask in read.masks.items():
            time = item.answer_times.get(worker)
            told = (time.submitted, time.seconds) if time else (None, None)
            rows.append((object_id, worker, *told, comments.get(worker)))
            masks.append(mask.to_array().astype(dtype))
    schema = pa.schema([("task", pa.string()), ("worker", pa.string()), *_BESIDE])
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table(list(map(list, columns)), schema=schema), masks, _tabulate_rejected(rejected)


def _iter_mask_answers(job: JobOnFile) -> Iterator[tuple[AnsweredObject, ReadMasks]]:
    """The data objects with their masks, one at a time."""
    waiting: list[AnsweredObject] = []

    def entries() -> Iterator[Any]:
        for item in job.answered(job.object_ids()):
            waiting.append(item)
            yield Entry(item.object)

    decoded = AnswerReader(ReadOnly(job.place)).read(
        entries(), lambda content: job.core.decode(content, job.choices, job.settings)
    )
    for answers in decoded:
        yield waiting.pop(0), read_masks(answers, job.choices)


def _tabulate_rejected(rejected: Iterable[tuple[str, RejectedAnswer]]) -> pa.Table:
    names = ("task", "worker", "reason", "detail")
    rows = [
        dict(zip(names, (object_id, answer.worker_id, answer.reason, answer.detail), strict=True))
        for object_id, answer in rejected
    ]
    return pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names]))


_LABELS = (
    ("task", pa.string()),
    ("source", pa.string()),
    ("label", pa.list_(pa.string())),
    ("confidences", pa.list_(pa.float64())),
    ("mask_uri", pa.string()),
    ("confidence", pa.float64()),
    ("status", pa.string()),
    ("labeled", pa.timestamp("us", tz="UTC")),
)


def _read_labels(job: JobOnFile) -> pa.Table:
    """The labels of all lines."""
    rows: list[tuple[Any, ...]] = []
    for line in job.lines:
        label = line.label(job.attribute)
        made = read_creation_date(line, job.attribute)
        if label is None:
            rows.append((line.object_id, line.source, None, None, None, None, None, made))
            continue
        names = [one.name for one in label.classes]
        confidences = [one.confidence for one in label.classes]
        told = (label.mask_uri, label.confidence, label.status, made)
        rows.append((line.object_id, line.source, names, confidences, *told))
    columns = list(zip(*rows, strict=True)) or [()] * len(_LABELS)
    table = pa.table(list(map(list, columns)), schema=pa.schema(_LABELS))
    if job.task.label_is_mask:
        return table.drop_columns(["label", "confidences"])
    table = table.drop_columns(["mask_uri"])
    if not job.task.single_choice:
        return table
    single = [names[0] if names else None for names in table["label"].to_pylist()]
    known = tuple(dict.fromkeys((*job.choices, *filter(None, single))))
    index = {name: at for at, name in enumerate(known)}
    codes = pa.array([index.get(name) for name in single], pa.int32())
    return table.drop_columns(["confidences"]).set_column(2, "label", _to_categories(codes, known))
