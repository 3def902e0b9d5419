"""Answers in a Parquet file of any origin, as those of a job: `labeljob replay answers.parquet`.

A row is one worker's answer to one data object::

    task or object   text or number: the data object's id
    worker           text or number: who answered
    label            text, or a list of texts for several labels; which tells the job type
    source           text, optional: where the data object is
    submitted        timestamp, or text as ISO 8601 has it, optional: when the answer came, UTC
                     unless it has a zone
    seconds          number, optional: how long it took
    comment          text, optional: what the worker wrote beside it

Rows may be in any order; of several answers of a worker to one data object the last one counts.
A null, or a number that is none (NaN), is a value that is not there: a row needs an id; without a
worker or a label its answer is set aside; in a list the other labels count, and a list of nulls
alone is no label. An empty list says that there is nothing to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

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
from labeljob.lazy import LazySequence
from labeljob.tasks.base import Ints, JobType
from labeljob.tasks.registry import JOB_TYPES

IDS = ("task", "object")
_TOGETHER = 1000  # lines that are made at once


class ParquetAnswers(AnswerFiles):
    """The answers in a Parquet file.

    `job_type` is the one whose answers are like those of the file, unless it is given.

    Raises `JobError` if it is no such file, lacks a column or has one of a wrong kind, or if
    `job_type` is one whose answers are no names; `StorageError` if it is in S3 and cannot be read.
    """

    def __init__(
        self, place: JobPlace, damage: DamageList, job_type: JobType | None = None
    ) -> None:
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
        if not self._n_rows:
            raise JobError(f"{table} has no rows; a row is one answer")
        if job_type is not None and job_type.names_task is None:
            raise JobError(f"{table} has names of classes as answers, and {job_type} has none")
        self.job_type = job_type or _find_job_type(self._schema)
        digest = f"{table} {status.st_size} {status.st_mtime_ns}"
        super().__init__(place, {}, (), damage, {str(table): status.st_size}, digest)

    def has_answers(self) -> bool:
        """Whether there is a row: a file without any is refused."""
        return True

    def find_last_time(self) -> datetime:
        """The last time of an answer, else that of the file."""
        if self.columns is not None and "submitted" in self._schema.names:
            chunks = self.columns.iter_chunks(("submitted",))
            latest = [pc.max(chunk.table["submitted"]).as_py() for chunk in chunks]
            return max((one for one in latest if one is not None), default=self._modified)
        return self._modified

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
class TableLines(LazySequence[OutputLine]):
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

    def make_item(self, index: int) -> OutputLine:
        """See `LazySequence`."""
        (line,) = TableLines(self.objects.slice(index, 1))
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
    return job_type.submit([label] if isinstance(label, str) else list(label), ())


def _find_job_type(schema: pa.Schema) -> JobType:
    single = not _is_list(schema.field("label").type)
    return next(
        job_type
        for job_type in JOB_TYPES.values()
        if job_type.names_task is not None and job_type.single_choice == single
    )


def _check_schema(schema: pa.Schema, table: Path) -> None:
    names = set(schema.names)
    missing = [name for name in ("worker", "label") if name not in names]
    missing += [] if names & set(IDS) else ["task (or object)"]
    if missing:
        raise JobError(
            f"{table} has no column {' and no column '.join(missing)}; a row is one answer, with "
            "the columns task, worker and label"
        )
    for name in sorted(names & _KINDS.keys()):
        if schema.names.count(name) > 1:
            raise JobError(f"{table} has several columns {name}; leave one")
        kind = schema.field(name).type
        is_taken = _takes_text(kind) or (name == "label" and _is_list(kind))
        if name == "submitted":
            is_taken = pa.types.is_timestamp(kind) or pa.types.is_date(kind) or _is_text(kind)
        if not is_taken or (_is_list(kind) and not _takes_text(kind.value_type)):
            raise JobError(
                f"the column {name} of {table} is of {kind}, and is to be {_KINDS[name]}"
            )


_KINDS = {
    **dict.fromkeys((*IDS, "worker"), "text or a number"),
    "label": "text or a list of texts",
    "source": "text",
    "submitted": "a timestamp, or text such as 2026-03-02T10:15:28Z",
    "seconds": "a number",
    "comment": "text",
}
"""What each column is to be."""


def _is_list(kind: pa.DataType) -> bool:
    """Whether it is a list; not a view, of which pyarrow 26 loses the last list."""
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _takes_text(kind: pa.DataType) -> bool:
    """Whether a column can be read as text."""
    return not pa.types.is_nested(kind) and not pa.types.is_temporal(kind)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    types = pa.types
    is_string = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(is_string or types.is_null(kind))


def read_rows(part: Part) -> PartRead:
    """Read some row groups; raises `JobError` if a value cannot be read, or an id is missing.

    Rows of one data object that follow each other become one entry.
    """
    if part.table is None:
        raise ValueError("the part has no Parquet file")
    with pq.ParquetFile(part.table) as file:
        table = file.read_row_groups(list(part.row_groups)).combine_chunks()
        before = range(part.row_groups[0])
        first_row = 1 + sum(file.metadata.row_group(group).num_rows for group in before)
    key = next(name for name in IDS if name in table.column_names)
    is_list = _is_list(table.schema.field("label").type)
    readers = {
        **dict.fromkeys((key, "worker", "source", "comment"), _read_texts),
        "label": _read_lists if is_list else _read_texts,
        "submitted": _read_times,
        "seconds": _read_seconds,
    }
    columns = {
        name: _read_column(table[name], readers[name], name, part.table, first_row)
        for name in readers
        if name in table.column_names
    }
    ids = columns[key]
    is_missing = pc.equal(ids, "").fill_null(True)
    if pc.any(is_missing).as_py():
        row = first_row + pc.index(is_missing, True).as_py()
        raise JobError(
            f"{part.table} has no id in the column {key} of row {row}; each row needs one"
        )
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


def _read_column(
    column: pa.ChunkedArray,
    read: Callable[[pa.Array], pa.Array],
    name: str,
    table: Path,
    first_row: int,
) -> pa.Array:
    """A column's values; raises `JobError` that names the first row that cannot be read."""
    array = column.combine_chunks()
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    try:
        return read(array)
    except pa.ArrowException:
        start, stop = 0, len(array)
        while stop - start > 1:
            middle = (start + stop) // 2
            try:
                read(array.slice(start, middle - start))
            except pa.ArrowException:
                stop = middle
            else:
                start = middle
        told = repr(array[start].as_py()) if _is_text(array.type) else "what cannot be read"
        raise JobError(
            f"the column {name} of {table} has {told} in row {first_row + start}, and is to be "
            f"{_KINDS[name]}"
        ) from None


def _read_texts(array: pa.Array) -> pa.Array:
    if pa.types.is_floating(array.type):
        array = _drop_nan(array)
    return array.cast(pa.string())


def _drop_nan(numbers: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_nan(numbers), pa.scalar(None, numbers.type), numbers)


def _read_lists(array: pa.Array) -> pa.Array:
    return array.cast(pa.list_(pa.string()))


_ZONE = r"(?:Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)$"


def _read_times(array: pa.Array) -> pa.Array:
    kind = ANSWERS.field("submitted").type
    if _is_text(array.type):
        texts = pc.utf8_trim_whitespace(array.cast(pa.string()))
        texts = pc.if_else(pc.equal(texts, ""), None, texts)
        has_zone = pc.match_substring_regex(texts, f"T.*{_ZONE}|:.*{_ZONE}")
        times = pc.coalesce(
            pc.if_else(has_zone, texts, None).cast(kind),
            pc.if_else(has_zone, None, texts).cast(pa.timestamp("us")).cast(kind),
        )
    else:
        times = pc.cast(array, options=pc.CastOptions(kind, allow_time_truncate=True))
    numbers = times.cast(pa.int64())
    is_known = pc.and_(pc.greater_equal(numbers, _FIRST), pc.less_equal(numbers, _LAST))
    if pc.any(pc.invert(is_known)).as_py():
        raise pa.ArrowInvalid("out of range")
    return times


_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Microseconds at which the years 1 and 9999 begin and end, between which a time has a date."""


def _read_seconds(array: pa.Array) -> pa.Array:
    seconds = array.cast(pa.float64())
    is_told = pc.and_(pc.is_finite(seconds), pc.greater_equal(seconds, 0))
    return pc.if_else(is_told, seconds, pa.scalar(None, pa.float64()))


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
        names = tuple(name for name in value or () if name is not None)
        said = None if value is None or (value and not names) else names
        code = known.get(said)
        if code is None:
            code = known[said] = _learn(said, job_type, rows)
        found.append(code)
    return np.array(found, np.int32)


def _learn(value: Any, job_type: JobType, rows: Rows) -> int:
    if isinstance(value, tuple) and job_type.single_choice:
        if len(value) != 1:
            detail = f"{len(value)} labels are chosen, and an image has one"
            return rows.contents.refuse("ambiguous-answer", detail)
        value = value[0]
    return rows.contents.add(submit(job_type, value))
