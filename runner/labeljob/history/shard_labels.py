"""From what was found of a shard to its part of the manifests, and to what it changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from groundtruth.contract.fields import compact_json
from groundtruth.finishing.outcomes import METADATA
from groundtruth.settings import Settings
from groundtruth.sharding.arrays import Arrays, unpack
from groundtruth.sharding.plan import Shard
from groundtruth.sharding.steps import STATE_END
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.base import BUILTIN, ConsolidationContext, Label
from groundtruth.tasks.registry import decode_label
from groundtruth.tasks.texts import STATUSES, LabelTexts
from labeljob.columns.lines import ManifestLines
from labeljob.history.differences import Change, Counts, LabelColumns, count_changes, count_new
from labeljob.history.job_files import OutputLine
from labeljob.history.label_texts import (
    TEXT,
    as_texts,
    body_of,
    join_pieces,
    replace_texts,
    to_text,
    to_texts,
    write_texts,
)
from labeljob.history.shards import Aside, read_aside, read_people
from labeljob.jobs.description import metadata_time
from labeljob.output_files import escape_halves
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import find_job_type

CHANGES, LABELS = "changes", "labels"
"""Files of a shard besides those of the manifests, which are named by their styles."""

Ints: TypeAlias = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class LabelsRequest:
    """What `write_labels` needs to know; goes to another process.

    Attributes
    ----------
    shard : Shard
        Of one job.
    result : str or None
        S3 URI of the folder of the last step; None if the shard failed.
    store : ObjectStore
        Where the shard and the result are.
    task, attribute : str
        The job type, and the label attribute name.
    classes, classes_known, settings, job_name, made_at
        What labels tell of the job; see `ConsolidationContext`.
    model : int or None
        The number of the worker that is a model.
    lines : sequence of OutputLine
        The manifest that `rows` are of; without a manifest the lines themselves.
    rows : ndarray of int, shape (n_lines,)
        The lines that are written here, in ascending order.
    objects : ndarray of int, shape (n_lines,)
        Index of each line's data object in the shard; -1 for lines without answers.
    strays : ndarray of int
        Indices of the data objects that have no line.
    styles : tuple of str
        Of the manifests.
    old_style : str or None
        That of the job's labels; None if it has none.
    known : frozenset of str
        The data objects of which the labels themselves are wanted: those whose truth is known.
    folder : Path
        Where the files go.
    """

    shard: Shard
    result: str | None
    store: ObjectStore
    task: str
    attribute: str
    classes: tuple[str, ...]
    classes_known: bool
    settings: Settings
    job_name: str
    made_at: datetime
    model: int | None
    lines: Sequence[OutputLine]
    rows: Ints
    objects: Ints
    strays: Ints
    styles: tuple[str, ...]
    old_style: str | None
    known: frozenset[str]
    folder: Path

    def path(self, kind: str) -> Path:
        """The file of a style, or of `CHANGES` or `LABELS`."""
        return self.folder / f"{self.shard.name}.{kind}"

    def context(self) -> ConsolidationContext:
        """What labels tell of the job."""
        return ConsolidationContext(
            classes=self.classes,
            classes_known=self.classes_known,
            settings=self.settings,
            job_name=self.job_name,
            made_at=self.made_at,
            masks_uri="",
            store=self.store,
            kms_key=None,
        )


@dataclass
class ToldDependence:
    """What labels tell of dependence, added up; `best` is of the label with the most pairs."""

    labels: int = 0
    value_sum: float = 0.0
    correlation_sum: float = 0.0
    lowest: float = np.inf
    highest: float = -np.inf
    best: tuple[int, float] = (-1, 0.0)

    def add(self, other: ToldDependence) -> None:
        """Add what later labels tell."""
        self.labels += other.labels
        self.value_sum += other.value_sum
        self.correlation_sum += other.correlation_sum
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)
        if other.best[0] > self.best[0]:
            self.best = other.best

    @classmethod
    def of(cls, found: Arrays) -> ToldDependence:
        """What the labels of a shard tell."""
        told = np.flatnonzero(~np.isnan(found["dependence"]))
        if not told.size:
            return cls()
        values, pairs = found["dependence"][told], found["pairs"][told]
        most = int(pairs.argmax())
        return cls(
            labels=told.size,
            value_sum=float(values.sum()),
            correlation_sum=float(found["correlation"][told].sum()),
            lowest=float(values.min()),
            highest=float(values.max()),
            best=(int(pairs[most]), float(values[most])),
        )


@dataclass(frozen=True, kw_only=True)
class LabelsWritten:
    """What came of a shard.

    `sizes` are the bytes of each line of each style; `change_rows` the lines of the changes, of
    data objects without a line behind all lines; `comments` are by data object and worker; `before`
    and `after` are labels of the data objects whose truth is known.
    """

    counts: Counts
    dependence: ToldDependence
    sizes: dict[str, Ints]
    change_rows: Ints
    comments: dict[str, dict[str, str]]
    before: dict[str, Label] = field(default_factory=dict)
    after: dict[str, Label] = field(default_factory=dict)


@dataclass(frozen=True)
class _Lines:
    """Some lines of the old manifest, as columns; `kept` is null of those that stay as they are."""

    ids: Any
    sources: Any
    kept: Any
    labels: LabelColumns
    read: Callable[[Ints], Iterable[OutputLine]]

    def texts(self, indices: Ints) -> list[str]:
        """Some of the lines as they are, by their indices, which rise."""
        return [line.text or compact_json(dict(line.values)) for line in self.read(indices)]


def write_labels(request: LabelsRequest) -> LabelsWritten:
    """Write a shard's part of the manifests, and find what changed.

    Raises `StorageError` if a file of the shard cannot be read, `OSError` if one cannot be written.
    """
    lines = _read_lines(request)
    aside = read_aside(request.shard, request.store)
    objects = request.objects
    texts, found = None, None
    if request.result is not None:
        uri = f"{request.result}/{request.shard.name}{STATE_END}"
        found = unpack(request.store.read(uri))
        task = find_job_type(request.task).library
        people = read_people(request.shard, request.store, request.model)
        texts = task.format_labels(
            people, found, aside.rejections(), request.attribute, request.context()
        )
        _write_table(request, aside, texts, lines)
    else:
        objects = np.full_like(objects, -1)
    request.folder.mkdir(parents=True, exist_ok=True)
    sizes = {
        style: _write_manifest(request, style, lines, objects, texts) for style in request.styles
    }
    counts, change_rows = _compare(request, lines, objects, texts, aside)
    before, after = _find_known(request, lines, objects, texts, aside)
    return LabelsWritten(
        counts=counts,
        dependence=ToldDependence() if found is None else ToldDependence.of(found),
        sizes=sizes,
        change_rows=change_rows,
        comments={aside.ids[index]: said for index, said in aside.comments.items()},
        before=before,
        after=after,
    )


def _read_lines(request: LabelsRequest) -> _Lines:
    lines, rows = request.lines, request.rows
    if not isinstance(lines, ManifestLines) or not rows.size:
        return _parse_lines(lines if rows.size else [], request.attribute)
    start, stop = int(rows[0]), int(rows[-1]) + 1
    table = lines.read(start, stop)
    if stop - start != rows.size:
        table = table.take(pa.array(rows - start))
    return _Lines(
        ids=table["id"].combine_chunks(),
        sources=table["source"].combine_chunks(),
        kept=as_texts(table["kept"].combine_chunks()),
        labels=_read_columns(table),
        read=lambda indices: lines.parse(table.take(pa.array(indices))),
    )


def _parse_lines(lines: Sequence[OutputLine], attribute: str) -> _Lines:
    """Lines that are no manifest's."""
    keys = (attribute, f"{attribute}{METADATA}")
    kept = [
        None
        if line.text and not line.values
        else compact_json({key: value for key, value in line.values.items() if key not in keys})
        for line in lines
    ]
    return _Lines(
        ids=pa.array([escape_halves(line.object_id) for line in lines], pa.string()),
        sources=pa.array([escape_halves(line.source) for line in lines], pa.string()),
        kept=pa.array([None if text is None else text.encode() for text in kept], TEXT),
        labels=LabelColumns.of([line.label(attribute) for line in lines]),
        read=lambda indices: [lines[index] for index in indices.tolist()],
    )


def _read_columns(table: pa.Table) -> LabelColumns:
    """The labels of lines that are in a table."""
    numbers: dict[tuple[str, ...], int] = {}

    def number(names: tuple[str, ...]) -> int:
        return numbers.setdefault(names, len(numbers))

    column = table["class_name"].unify_dictionaries().combine_chunks()
    codes = [*(number((name,)) for name in column.dictionary.to_pylist()), -1]
    index = np.array(codes, np.int32)[column.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    confidences = table["confidence"].to_numpy().astype(np.float64)
    for row, names in _told(table["class_names"]):
        index[row] = number(tuple(names)) if names else -1
    for row, text in _told(table["label"]):
        label = decode_label(*json.loads(text))
        index[row], confidences[row] = -1, np.nan
        if label is not None and label.classes:
            index[row] = number(tuple(item.name for item in label.classes))
            confidences[row] = np.nan if label.confidence is None else label.confidence
    confidences = np.where(index < 0, np.nan, confidences)
    return LabelColumns.of_names(list(numbers), index, confidences)


def _told(column: pa.ChunkedArray) -> list[tuple[int, Any]]:
    """Rows of a column that are not null, and their values."""
    rows = np.flatnonzero(column.is_valid().to_numpy())
    return list(zip(rows.tolist(), column.take(pa.array(rows)).to_pylist(), strict=True))


def _write_manifest(
    request: LabelsRequest, style: str, lines: _Lines, objects: Ints, texts: LabelTexts | None
) -> Ints:
    """Write the lines in one style; returns the bytes of each."""
    stays = (objects < 0) | lines.kept.is_null().to_numpy(zero_copy_only=False)
    old = np.flatnonzero(stays)
    instead = {row: f"{text}\n" for row, text in zip(old.tolist(), lines.texts(old), strict=True)}
    if texts is None:
        written = to_texts([instead[row] for row in range(objects.size)])
    else:
        is_builtin = style == BUILTIN
        new = write_texts(
            texts.builtin_style if is_builtin else texts.object_style, texts.used.size
        )
        if not np.array_equal(objects, np.arange(len(new))):
            new = new.take(pa.array(objects, mask=stays))
        end = "}\n" if is_builtin else f",{_custom_metadata(request)}}}\n"
        kept = pc.binary_slice(lines.kept, 0, -1)
        is_bare = pc.equal(pc.binary_length(kept), 1)
        comma = pc.if_else(is_bare, to_text(""), to_text(","))
        written = replace_texts(join_pieces([kept, comma, new, to_text(end)]), instead)
    if b"\\ud" in (body := body_of(written)):
        # Half a character: a line with one is ASCII as a whole.
        has_half = pc.match_substring(written, "\\ud").to_numpy(zero_copy_only=False) & ~stays
        halves = {
            row: f"{compact_json(json.loads(written[row].as_py()))}\n"
            for row in np.flatnonzero(has_half).tolist()
        }
        body = body_of(written := replace_texts(written, halves))
    request.path(style).write_bytes(body)
    sizes: Ints = pc.binary_length(written).to_numpy()
    return sizes


def _custom_metadata(request: LabelsRequest) -> str:
    """What Ground Truth adds to the labels of a custom job."""
    metadata = {
        "type": "groundtruth/custom",
        "job-name": request.job_name.rpartition("/")[2],
        "human-annotated": "yes",
        "creation-date": metadata_time(request.made_at),
    }
    return compact_json({f"{request.attribute}{METADATA}": metadata})[1:-1]


def _write_table(request: LabelsRequest, aside: Aside, texts: LabelTexts, lines: _Lines) -> None:
    """Write the labels as a table."""
    sources = pa.array(aside.sources, pa.string())
    line_of = np.full(len(sources), -1)
    has_source = pc.not_equal(pc.fill_null(lines.sources, ""), "").to_numpy(zero_copy_only=False)
    told = np.flatnonzero((request.objects >= 0) & has_source)
    line_of[request.objects[told]] = told
    by_line = lines.sources.take(pa.array(line_of, mask=line_of < 0))
    index = pa.array(texts.name_index, mask=texts.name_index < 0)
    job_type = find_job_type(request.task)
    columns = {
        "id": pa.array(aside.ids, pa.string()),
        "source": pc.coalesce(by_line, sources, ""),
        **_name_columns(job_type, texts.names, index),
        "confidence": pa.array(texts.confidences, mask=np.isnan(texts.confidences)),
        "status": pa.DictionaryArray.from_arrays(pa.array(texts.statuses), list(STATUSES)),
        "answers-used": pa.array(texts.used),
    }
    request.folder.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    with pa.ipc.new_file(str(request.path(LABELS)), table.schema) as file:
        file.write_table(table)


def _name_columns(
    job_type: JobType, names: Sequence[tuple[str, ...]], index: pa.Array
) -> dict[str, pa.Array]:
    if job_type.single_choice:
        classes = pa.array([escape_halves(name) for (name,) in names], pa.string())
        return {"class": pa.DictionaryArray.from_arrays(index, classes)}
    written = [[escape_halves(name) for name in each] for each in names]
    return {"labels": pa.array(written, pa.list_(pa.string())).take(index)}


def _compare(
    request: LabelsRequest,
    lines: _Lines,
    objects: Ints,
    texts: LabelTexts | None,
    aside: Aside,
) -> tuple[Counts, Ints]:
    """Count what changed, and write the data objects with another label."""
    before = lines.labels
    n_lines, n_strays = objects.size, request.strays.size if texts is not None else 0
    nothing = np.full(n_strays, np.nan)
    before = LabelColumns(
        before.names,
        before.kinds,
        np.concatenate([before.index, np.full(n_strays, -1, np.int32)]),
        np.concatenate([before.confidences, nothing]),
    )
    after = before
    if texts is not None:
        numbers = np.concatenate([objects, request.strays[:n_strays]]).astype(np.int64)
        is_new = numbers >= 0
        confidences = texts.confidences
        if request.old_style == BUILTIN:  # which says 0 of a single worker's answer
            confidences = np.where(texts.used == 1, 0.0, confidences)
        new = LabelColumns.of_names(texts.names, texts.name_index, confidences)
        new_index = np.where(new.index < 0, -1, new.index + len(before.names))[numbers]
        after = LabelColumns(
            [*before.names, *new.names],
            [*before.kinds, *new.kinds],
            np.where(is_new, new_index, before.index).astype(np.int32),
            np.where(is_new, confidences[numbers], before.confidences),
        )
    if request.old_style is None:
        counts, changed = count_new(after), np.zeros(0, np.int64)
    else:
        counts, changed = count_changes(before, after)
    is_line = changed < n_lines
    rows = pa.array(changed[is_line])
    ids = lines.ids.take(rows).to_pylist()
    ids += [aside.ids[number] for number in request.strays[changed[~is_line] - n_lines].tolist()]
    sources = [*lines.sources.take(rows).to_pylist(), *([""] * int((~is_line).sum()))]
    with request.path(CHANGES).open("w", encoding="utf-8") as file:
        for row, object_id, source in zip(changed.tolist(), ids, sources, strict=True):
            change = Change(
                object_id=object_id,
                source=source,
                before=before.describe(row),
                after=after.describe(row),
            )
            file.write(f"{compact_json(change.as_json())}\n")
    behind = np.full(n_strays, np.iinfo(np.int64).max)
    return counts, np.concatenate([request.rows, behind])[changed]


def _find_known(
    request: LabelsRequest,
    lines: _Lines,
    objects: Ints,
    texts: LabelTexts | None,
    aside: Aside,
) -> tuple[dict[str, Label], dict[str, Label]]:
    """Old and new labels of the data objects whose truth is known."""
    before: dict[str, Label] = {}
    after: dict[str, Label] = {}
    if not request.known:
        return before, after
    known = pa.array(map(escape_halves, request.known), pa.string())
    indices = np.flatnonzero(pc.is_in(lines.ids, value_set=known).to_numpy(zero_copy_only=False))
    written = None
    if texts is not None:
        is_builtin = request.old_style == BUILTIN
        styled = texts.builtin_style if is_builtin else texts.object_style
        written = write_texts(styled, texts.used.size)
    for line, number in zip(lines.read(indices), objects[indices].tolist(), strict=True):
        old = line.label(request.attribute)
        new = old if number < 0 or written is None else _decode(request, written[number])
        before |= {} if old is None else {line.object_id: old}
        after |= {} if new is None else {line.object_id: new}
    for number in request.strays.tolist():
        if written is not None and aside.ids[number] in request.known:
            new = _decode(request, written[number])
            after |= {} if new is None else {aside.ids[number]: new}
    return before, after


def _decode(request: LabelsRequest, written: Any) -> Label | None:
    """A new label in the style of the old ones, so that nothing but the label can differ."""
    values = json.loads(b"{%b}" % written.as_py())
    return decode_label(values.get(request.attribute), values.get(f"{request.attribute}{METADATA}"))
