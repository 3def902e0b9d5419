"""Answers in a Parquet file of any origin, as those of a job: `labeljob replay answers.parquet`.

A row is one worker's answer to one data object::

    task or object   text or number: the data object's id
    worker           text or number: who answered
    label            text, or a list of texts for several labels
    source           text, optional: where the data object is
    submitted        timestamp, optional: when the answer came, UTC unless it has a zone
    seconds          number, optional: how long it took
    comment          text, optional: what the worker wrote beside it

Rows may be in any order; of several answers of a worker to one data object the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, overload

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from groundtruth.contract.acs import Annotation, DataObject
from groundtruth.storage.folder import FolderStore
from labeljob.columns.kept import make_folder, open_kept_folder
from labeljob.columns.parts import ANSWERS, Part, PartRead, Rows
from labeljob.history.job_files import AnsweredObject, AnswerFiles, DamageList, OutputLine
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import TABLE, JobPlace
from labeljob.tasks.base import Ints, JobType
from labeljob.tasks.registry import JOB_TYPES

IDS = ("task", "object")
_TOGETHER = 1000  # lines that are made at once


class ParquetAnswers(AnswerFiles):
    """The answers in a Parquet file; raises `JobError` if it is none, or lacks a column.

    Raises `StorageError` if it is in S3 and cannot be read.
    """

    def __init__(self, place: JobPlace, damage: DamageList) -> None:
        table = _find_table(place)
        try:
            status = table.stat()
            with pq.ParquetFile(table) as file:
                self._schema, self.n_row_groups = file.schema_arrow, file.num_row_groups
                self._n_rows = file.metadata.num_rows
        except (OSError, pa.ArrowInvalid) as error:
            raise JobError(f"{table} cannot be read as a Parquet file: {error}") from error
        self.table = table
        self._modified = place.modified(place.table_uri)
        _check_schema(self._schema, table)
        digest = f"{table} {status.st_size} {status.st_mtime_ns}"
        super().__init__(place, {}, (), damage, {str(table): status.st_size}, digest)

    @property
    def job_type(self) -> JobType:
        """The job type whose answers are like those of the file."""
        single = not _is_list(self._schema.field("label").type)
        return next(
            job_type
            for job_type in JOB_TYPES.values()
            if job_type.names_task is not None and job_type.single_choice == single
        )

    def has_answers(self) -> bool:
        """Whether there is a row."""
        return bool(self._n_rows > 0)

    def find_last_time(self) -> datetime:
        """The last time of an answer, else that of the file."""
        if self.columns is not None and "submitted" in self._schema.names:
            chunks = self.columns.iter_chunks(("submitted",))
            latest = [pc.max(chunk.table["submitted"]).as_py() for chunk in chunks]
            return max((one for one in latest if one is not None), default=self._modified)
        return self._modified

    def sample(self, count: int) -> Iterator[AnsweredObject]:
        """The answers to one data object, by the first row."""
        with pq.ParquetFile(self.table) as file:
            first = next(file.iter_batches(1, columns=["label"]))["label"].cast(_text_type(self))
        content = submit(self.job_type, first[0].as_py())
        yield AnsweredObject(_make_object("", [("worker", content)]))

    def read(self, object_ids: Sequence[str]) -> Iterator[AnsweredObject]:
        """The answers to data objects, in that order, as the job type's page would submit them."""
        if self.columns is None:
            raise ValueError("the columns are not read yet")
        columns = self.columns
        rows = {object_id: row for row, object_id in enumerate(columns.object_ids)}
        for object_id in object_ids:
            chunk = columns.read_objects(rows[object_id], rows[object_id] + 1)
            answers = [
                (chunk.worker_id(row), self._say(columns.codes.names[code]) if code >= 0 else None)
                for row, code in enumerate(chunk.names.tolist())
            ]
            times = chunk.find_answer_times().get(rows[object_id], {})
            source = columns.objects["source"][rows[object_id]].as_py()
            yield AnsweredObject(_make_object(object_id, answers, source), times)

    def _say(self, names: tuple[str, ...]) -> Any:
        return submit(self.job_type, names[0] if self.job_type.single_choice else list(names))


def _find_table(place: JobPlace) -> Path:
    """The Parquet file on this machine; one in S3 is copied, and kept until it is another."""
    uri = place.table_uri
    if isinstance(place.store, FolderStore):
        return place.store.path(uri)
    stamp = place.modified(uri).isoformat()
    folder = open_kept_folder(place, "table", stamp) or make_folder()
    table = folder / f"{place.name}{TABLE}"
    if not table.exists():
        with NamedTemporaryFile(dir=folder, delete=False) as draft:
            draft.writelines(place.store.open_lines(uri))
        Path(draft.name).replace(table)
    return table


@dataclass(frozen=True, eq=False)
class TableLines(Sequence[OutputLine]):
    """The data objects of a Parquet file as lines without a label, each made when asked for.

    Attributes
    ----------
    objects : pyarrow.Table
        ``id`` and ``source`` of each, as `AnswerColumns.objects` has them.
    """

    objects: pa.Table

    @property
    def ids(self) -> pa.ChunkedArray:
        """The ids of the data objects."""
        return self.objects["id"]

    def __len__(self) -> int:
        return len(self.objects)

    @overload
    def __getitem__(self, index: int) -> OutputLine: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[OutputLine, ...]: ...
    def __getitem__(self, index: int | slice) -> OutputLine | tuple[OutputLine, ...]:
        if isinstance(index, slice):
            return tuple(self[at] for at in range(*index.indices(len(self))))
        row = range(len(self))[index]
        (line,) = TableLines(self.objects.slice(row, 1))
        return line

    def __iter__(self) -> Iterator[OutputLine]:
        for batch in self.objects.to_batches(max_chunksize=_TOGETHER):
            for row in batch.to_pylist():
                values = {"source-ref": row["source"]} if row["source"] else {}
                yield OutputLine(row["id"], "", values)

    def take(self, rows: Ints) -> TableLines:
        """Some of the lines."""
        return TableLines(self.objects.take(pa.array(rows)))


def _make_object(
    object_id: str, answers: Sequence[tuple[str, Any]], source: str | None = None
) -> DataObject:
    annotations = (
        Annotation(worker_id=worker, content=content, uri=None) for worker, content in answers
    )
    told = None if source is None else {"s3Uri": source}
    return DataObject(object_id=object_id, source=told, annotations=tuple(annotations))


def submit(job_type: JobType, label: Any) -> Any:
    """A label of the file as the page of a job type submits it; None if there is none."""
    if label is None:
        return None
    if job_type.single_choice:
        return job_type.submit(label, ())
    return job_type.submit([label] if isinstance(label, str) else label, ())


def _check_schema(schema: pa.Schema, table: Path) -> None:
    names = set(schema.names)
    missing = [name for name in ("worker", "label") if name not in names]
    missing += [] if names & set(IDS) else ["task (or object)"]
    if missing:
        raise JobError(
            f"{table} has no column {' and no column '.join(missing)}; a row is one answer, with "
            "the columns task, worker and label"
        )


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _text_type(files: ParquetAnswers) -> pa.DataType:
    return pa.string() if files.job_type.single_choice else pa.list_(pa.string())


def read_rows(part: Part) -> PartRead:
    """Read some row groups; raises `JobError` if a column is of a wrong kind, or an id is missing.

    Rows of one data object that follow each other become one entry.
    """
    if part.table is None:
        raise ValueError("the part has no Parquet file")
    with pq.ParquetFile(part.table) as file:
        table = file.read_row_groups(list(part.row_groups)).combine_chunks()
    key = next(name for name in IDS if name in table.column_names)
    is_list = _is_list(table.schema.field("label").type)
    kinds = {
        key: pa.string(),
        "worker": pa.string(),
        "label": pa.list_(pa.string()) if is_list else pa.string(),
        "source": pa.string(),
        "submitted": ANSWERS.field("submitted").type,
        "seconds": pa.float64(),
        "comment": pa.string(),
    }
    columns = {
        name: _cast(table[name], kind, name, part.table)
        for name, kind in kinds.items()
        if name in table.column_names
    }
    ids = columns[key]
    if pc.any(pc.or_(pc.is_null(ids), pc.equal(ids, "").fill_null(True))).as_py():
        raise JobError(f"{part.table} has a row without an id in the column {key}")
    codes = ids.dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(codes))), np.diff(codes)]))
    rows = Rows.of_part(part)
    sources = columns.get("source", pa.nulls(len(ids), pa.string())).take(pa.array(starts))
    rows.add_objects(
        ids.take(pa.array(starts)).to_pylist(),
        sources.to_pylist(),
        np.diff([*starts, len(codes)]).tolist(),
    )
    workers = columns["worker"].fill_null("").dictionary_encode()
    rows.add_answers(
        workers.dictionary.to_pylist(),
        workers.indices.to_numpy(),
        _find_contents(columns["label"], is_list, part.job_type, rows),
    )
    extra: dict[str, Any] = {
        name: columns[name] for name in ("submitted", "seconds") if name in columns
    }
    if "comment" in columns:
        comments = pc.utf8_trim_whitespace(columns["comment"])
        told = pc.greater(pc.utf8_length(comments), 0).fill_null(False).to_numpy(False)
        offsets = np.concatenate([[0], np.cumsum(told)]).astype(np.int32)
        lists = pa.ListArray.from_arrays(
            pa.array(offsets), comments.filter(pa.array(told)), mask=pa.array(~told)
        )
        extra["comments"] = lists
    return rows.finish(extra)


def _cast(column: pa.ChunkedArray, kind: pa.DataType, name: str, table: Path) -> pa.Array:
    array = column.combine_chunks()
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    try:
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise JobError(
            f"the column {name} of {table} is of {array.type}, and is to be of {kind}: {error}"
        ) from error


def _find_contents(labels: pa.Array, is_list: bool, job_type: JobType, rows: Rows) -> Any:
    """The code of what each label says."""
    if not is_list:
        encoded = labels.dictionary_encode(null_encoding="encode")
        values = encoded.dictionary.to_pylist()
        codes = [_learn(value, job_type, rows) for value in values]
        return np.array(codes, np.int32)[encoded.indices.to_numpy()]
    known: dict[Any, int] = {}
    found = []
    for value in labels.to_pylist():
        names = None if value is None else tuple(value)
        code = known.get(names)
        if code is None:
            code = known[names] = _learn(value, job_type, rows)
        found.append(code)
    return np.array(found, np.int32)


def _learn(value: Any, job_type: JobType, rows: Rows) -> int:
    if isinstance(value, list) and job_type.single_choice:
        if len(value) != 1:
            detail = f"{len(value)} labels are chosen, and an image has one"
            return rows.contents.refuse("ambiguous-answer", detail)
        value = value[0]
    return rows.contents.add(submit(job_type, value))
