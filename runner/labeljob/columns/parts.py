"""Some of a job's files of answers, read once: files in, Arrow tables out.

A part is read by a pure function, in this process or in another one. What an answer says is
decoded once for each distinct text: workers give the same few answers again and again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Generic, Self, TypeAlias, TypeVar

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from groundtruth.annotations import decode_answer, unforeseen
from groundtruth.compat import batched
from groundtruth.contract.acs import parse_payload
from groundtruth.contract.fields import embedded_json
from groundtruth.errors import ContractError, GroundTruthError, StorageError, UnusableAnswer
from groundtruth.settings import Settings
from groundtruth.storage.folder import FolderStore
from groundtruth.tasks.base import NamesTask
from labeljob.history.comments import find_comments
from labeljob.history.job_files import (
    READERS,
    describe_problem,
    find_answer_time,
    find_times,
    find_worker,
    list_answers,
)
from labeljob.jobs.job_location import JobPlace
from labeljob.output_files import escape_halves
from labeljob.tasks.base import JobType

Said = TypeVar("Said")
Key = TypeVar("Key")

NONE = -1
"""The code of what is not there: no worker's id, no names, no reason."""

Ints: TypeAlias = NDArray[np.int32]

OBJECTS = pa.schema([("id", pa.string()), ("source", pa.string()), ("answers", pa.int32())])
ANSWERS = pa.schema(
    [
        ("worker", pa.int32()),
        ("names", pa.int32()),
        ("reason", pa.int16()),
        ("detail", pa.string()),
        ("submitted", pa.timestamp("us", tz="UTC")),
        ("seconds", pa.float64()),
        ("comments", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Files that are read together, in order.

    Attributes
    ----------
    place : JobPlace
        The job.
    job_type : JobType
        One whose answers are names.
    settings : Settings
        Those of the job; only how names are found in an answer matters.
    responses : tuple of (str, tuple of str)
        Data objects with their worker-response files, of which the first that can be read counts.
    requests : tuple of str
        Consolidation requests.
    wanted : frozenset of str or None
        The data objects that are taken of the requests; all if left out.
    table : Path or None
        A Parquet file with answers, of which `row_groups` are read.
    folder : Path or None
        Where the tables go; None to have them returned.
    """

    place: JobPlace
    job_type: JobType
    settings: Settings
    responses: tuple[tuple[str, tuple[str, ...]], ...] = ()
    requests: tuple[str, ...] = ()
    wanted: frozenset[str] | None = None
    table: Path | None = None
    row_groups: tuple[int, ...] = ()
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True)
class PartRead:
    """What a part holds.

    `objects` and `answers` are tables of the schemas `OBJECTS` and `ANSWERS`, or the files that
    have them; columns without a value are left out. An entry of a data object has its answers in
    the order in which they are in the file. `workers`, `names` and `reasons` are what the codes in
    `answers` mean; `unread` are data objects none of whose files can be read, and `damages` files
    with what is wrong with them.
    """

    objects: pa.Table | Path
    answers: pa.Table | Path
    workers: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    reasons: tuple[str, ...]
    unread: tuple[str, ...] = ()
    damages: tuple[tuple[str, str], ...] = ()


def read_part(part: Part) -> PartRead:
    """Read a part's files; raises `GroundTruthError` only for what no rule foresees."""
    rows = Rows.of_part(part)
    for object_id, uris in part.responses:
        rows.take_response(object_id, uris)
    for uri, body in _read_all(part.place, part.requests):
        rows.take_request(uri, body)
    return rows.finish()


def load_table(table: pa.Table | Path) -> pa.Table:
    """A part's table, mapped into memory if it is in a file."""
    if isinstance(table, pa.Table):
        return table
    return pa.ipc.open_file(pa.memory_map(str(table))).read_all()


def _read_all(place: JobPlace, uris: Iterable[str]) -> Iterator[tuple[str, bytes | StorageError]]:
    """Content of files in order, or why it cannot be had; many at once where they are far away."""

    def read(uri: str) -> bytes | StorageError:
        try:
            return place.read(uri)
        except StorageError as error:
            return error

    if isinstance(place.store, FolderStore):
        yield from ((uri, read(uri)) for uri in uris)
        return
    with ThreadPoolExecutor(READERS) as readers:
        for some in batched(uris, READERS):
            yield from zip(some, readers.map(read, some), strict=True)


class _Source(msgspec.Struct, gc=False):
    s3Uri: str = ""  # noqa: N815 - the service's name
    s3uri: str = ""


class _Data(msgspec.Struct, gc=False):
    content: msgspec.Raw = msgspec.Raw(b"")
    s3Uri: str | None = None  # noqa: N815 - the service's name
    s3uri: str | None = None


class _Annotation(msgspec.Struct, gc=False):
    workerId: str = ""  # noqa: N815 - the service's name
    annotationData: _Data | None = None  # noqa: N815 - the service's name


class _Entry(msgspec.Struct, Generic[Said], gc=False):
    datasetObjectId: str | int  # noqa: N815 - the service's name
    dataObject: _Source | None = None  # noqa: N815 - the service's name
    annotations: list[Said] | None = None


class _Answer(msgspec.Struct, gc=False):
    workerId: str = ""  # noqa: N815 - the service's name
    answerContent: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815 - the service's name
    acceptanceTime: str | None = None  # noqa: N815 - the service's name
    submissionTime: str | None = None  # noqa: N815 - the service's name
    timeSpentInSeconds: float | None = None  # noqa: N815 - the service's name


class _Response(msgspec.Struct, gc=False):
    answers: list[_Answer]


_REQUEST = msgspec.json.Decoder(list[_Entry[msgspec.Raw]])
_ANNOTATION = msgspec.json.Decoder(_Annotation)
_RESPONSE = msgspec.json.Decoder(_Response)
_NOT_STRICT = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a strict reader raises; the lenient one then says what is wrong, if anything is."""

_NOTHING = (b"", b"null", b'""')
"""Texts of an answer that is nowhere, or elsewhere."""


class _Codes(dict[Key, int]):
    """Numbers of things in the order in which they are first asked for."""

    def __missing__(self, key: Key) -> int:
        self[key] = code = len(self)
        return code


@dataclass
class _Contents:
    """Distinct contents of answers: names, or why there are none; and comments."""

    task: NamesTask[Any]
    settings: Settings
    codes: dict[bytes, int] = field(default_factory=dict)
    all_names: _Codes[tuple[str, ...]] = field(default_factory=_Codes)
    all_reasons: _Codes[str] = field(default_factory=_Codes)
    names: list[int] = field(default_factory=list)
    reasons: list[int] = field(default_factory=list)
    details: list[str | None] = field(default_factory=list)
    comments: list[list[str] | None] = field(default_factory=list)

    def learn(self, text: bytes) -> int:
        """The code of an answer's JSON; raises `ContractError` if it is none."""
        content = embedded_json(text, path="file") if text else None
        code = self.add(content, find_comments(content))
        if text:
            self.codes[text] = code
        return code

    def add(self, content: Any, comments: Iterable[str] = ()) -> int:
        """A new code for an answer."""
        try:
            self._set_names(decode_answer(content, self._names_in))
        except UnusableAnswer as error:
            self._set_aside(error.reason, error.detail)
        except GroundTruthError:
            raise
        except Exception as error:  # noqa: BLE001 - no answer may take the whole job with it
            rejected = unforeseen("", error)
            self._set_aside(rejected.reason, rejected.detail)
        self.comments.append([escape_halves(text) for text in comments] or None)
        return len(self.names) - 1

    def refuse(self, reason: str, detail: str) -> int:
        """A new code for an answer that is set aside unseen."""
        self._set_aside(reason, detail)
        self.comments.append(None)
        return len(self.names) - 1

    def _names_in(self, content: Any) -> tuple[str, ...]:
        return tuple(self.task.class_names(content, self.settings))

    def _set_names(self, names: tuple[str, ...]) -> None:
        self.names.append(self.all_names[names])
        self.reasons.append(NONE)
        self.details.append(None)

    def _set_aside(self, reason: str, detail: str) -> None:
        self.names.append(NONE)
        self.reasons.append(self.all_reasons[reason])
        self.details.append(detail)


class Rows:
    """The rows of a part's tables, as they come."""

    def __init__(self, part: Part, task: NamesTask[Any]) -> None:
        self._part = part
        self.contents = _Contents(task, part.settings)
        self._workers: _Codes[str] = _Codes()
        self._ids: list[str] = []
        self._sources: list[str | None] = []
        self._counts: list[int] = []
        # Who gave an answer and what it says; each answer is the number of such a pair.
        self._pairs: _Codes[tuple[int, int]] = _Codes()
        self._pair_of: dict[bytes, int] = {}
        self._answers: list[Ints] = []
        self._submitted: list[datetime | None] = []
        self._seconds: list[float | None] = []
        self._unread: list[str] = []
        self._damages: list[tuple[str, str]] = []

    @classmethod
    def of_part(cls, part: Part) -> Self:
        """No rows yet; raises `ValueError` for a job type whose answers are no names."""
        task = part.job_type.names_task
        if task is None:
            raise ValueError(f"the answers of {part.job_type} are no names")
        return cls(part, task)

    def add_objects(
        self, ids: Sequence[str], sources: Sequence[str | None], counts: Sequence[int]
    ) -> None:
        """Entries of data objects, with how many answers each has."""
        self._ids += ids
        self._sources += sources
        self._counts += counts

    def add_answers(self, workers: Sequence[str], worker: Ints, content: Ints) -> None:
        """The answers of those entries: who gave each, of the workers, and what it says."""
        codes = np.array([self._workers[name] for name in workers], np.int64)
        pairs, answers = np.unique(codes[worker] << 32 | content, return_inverse=True)
        numbers = [self._pairs[pair >> 32, pair & 0xFFFFFFFF] for pair in pairs.tolist()]
        self._answers.append(np.array(numbers, np.int32)[answers])

    def take_request(self, uri: str, body: bytes | StorageError) -> None:
        """The data objects of one call; none if the file cannot be read, which is noted."""
        try:
            if isinstance(body, StorageError):
                raise body
            try:
                self._add_entries(_read_request(body), self._pair_texts)
            except _NOT_STRICT:
                self._add_entries(_read_leniently(body), self._pair_annotations)
        except (ContractError, StorageError) as error:
            self._damages.append((uri, describe_problem(uri, error)))

    def _add_entries(
        self, entries: list[_Entry[Said]], find_pairs: Callable[[Iterable[Said]], list[int]]
    ) -> None:
        if (wanted := self._part.wanted) is not None:
            entries = [entry for entry in entries if str(entry.datasetObjectId) in wanted]
        annotations = [entry.annotations or () for entry in entries]
        self._answers.append(np.array(find_pairs(chain.from_iterable(annotations)), np.int32))
        self._ids += [str(entry.datasetObjectId) for entry in entries]
        self._sources += [
            None if (source := entry.dataObject) is None else source.s3Uri or source.s3uri
            for entry in entries
        ]
        self._counts += map(len, annotations)

    def _pair_texts(self, raw: Iterable[msgspec.Raw]) -> list[int]:
        """Who says what, of the JSON of annotations: the same few texts come again and again."""
        texts = list(map(bytes, raw))
        new = {text: _ANNOTATION.decode(text) for text in texts if text not in self._pair_of}
        self._pair_of.update(zip(new, self._pair_annotations(new.values()), strict=True))
        return [self._pair_of[text] for text in texts]

    def _pair_annotations(self, annotations: Iterable[_Annotation]) -> list[int]:
        """Who says what; raises `ContractError` if a content is no JSON."""
        return [
            self._pairs[self._workers[annotation.workerId], self._find_content(annotation)]
            for annotation in annotations
        ]

    def _find_content(self, annotation: _Annotation) -> int:
        data = annotation.annotationData or _NO_DATA
        text, uri = bytes(data.content), data.s3Uri or data.s3uri
        if text not in _NOTHING or not uri:
            code = self.contents.codes.get(text)
            return self.contents.learn(text) if code is None else code
        ((_, body),) = _read_all(self._part.place, [uri])
        if isinstance(body, StorageError):  # one that cannot be read now is taken as missing
            return self.contents.refuse("answer-not-found", "its object cannot be read")
        return self.contents.add(body)

    def take_response(self, object_id: str, uris: Iterable[str]) -> None:
        """The answers to a data object: of its files the first that can be read counts."""
        for uri, body in _read_all(self._part.place, uris):
            try:
                if isinstance(body, StorageError):
                    raise body
                self._add_answers(object_id, _read_response(body))
                return
            except (ContractError, StorageError) as error:
                self._damages.append((uri, describe_problem(uri, error)))
        self._unread.append(object_id)

    def _add_answers(self, object_id: str, answers: list[_Answer]) -> None:
        codes = self.contents.codes
        contents = [
            self.contents.learn(text) if (code := codes.get(text)) is None else code
            for answer in answers
            for text in (bytes(answer.answerContent),)
        ]
        self._ids.append(object_id)
        self._sources.append(None)
        self._counts.append(len(answers))
        workers = [self._workers[answer.workerId] for answer in answers]
        pairs = map(self._pairs.__getitem__, zip(workers, contents, strict=True))
        self._answers.append(np.array(list(pairs), np.int32))
        for answer in answers:
            time = find_answer_time(
                answer.acceptanceTime, answer.submissionTime, answer.timeSpentInSeconds
            )
            self._submitted.append(time.submitted)
            self._seconds.append(time.seconds)

    def finish(self, more: Mapping[str, Any] | None = None) -> PartRead:
        """The tables, written if the part has a folder; `more` are columns of the answers."""
        contents = self.contents
        answers = np.concatenate([np.zeros(0, np.int32), *self._answers])
        pairs = np.array(list(self._pairs), np.int32).reshape(-1, 2)
        worker, content = pairs[:, 0][answers], pairs[:, 1][answers]
        if (unnamed := self._workers.get("")) is not None:
            content = self._refuse_unnamed(content, worker == unnamed)
        columns: dict[str, Any] = {
            "worker": worker,
            "names": np.array(contents.names, np.int32)[content],
        }
        if contents.all_reasons:
            columns["reason"] = np.array(contents.reasons, np.int16)[content]
            columns["detail"] = pa.array(contents.details, pa.string()).take(pa.array(content))
        if any(contents.comments):
            comments = pa.array(contents.comments, ANSWERS.field("comments").type)
            columns["comments"] = comments.take(pa.array(content))
        if self._submitted:
            columns["submitted"] = pa.array(self._submitted, ANSWERS.field("submitted").type)
            columns["seconds"] = pa.array(self._seconds, pa.float64())
        columns |= more or {}
        return PartRead(
            objects=put_table(
                pa.table([self._ids, self._sources, self._counts], schema=OBJECTS),
                self._part.folder,
                "objects",
            ),
            answers=put_table(pa.table(columns), self._part.folder, "answers"),
            workers=tuple(self._workers),
            names=tuple(contents.all_names),
            reasons=tuple(contents.all_reasons),
            unread=tuple(self._unread),
            damages=tuple(self._damages),
        )

    def _refuse_unnamed(self, content: Ints, is_unnamed: NDArray[np.bool_]) -> Ints:
        """Answers of nobody are set aside; what is written beside them is kept."""
        refused = content.copy()
        for code in np.unique(content[is_unnamed]).tolist():
            new = self.contents.refuse("no-worker-id", "the annotation names no worker")
            self.contents.comments[new] = self.contents.comments[code]
            refused[is_unnamed & (content == code)] = new
        return refused


_NO_DATA = _Data()


def put_table(table: pa.Table, folder: Path | None, name: str) -> pa.Table | Path:
    """Write a table into a folder, if there is one; raises `OSError`."""
    if folder is None:
        return table
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.arrow"
    with pa.ipc.new_file(str(path), table.schema) as file:
        file.write_table(table.combine_chunks())
    return path


def _read_request(body: bytes) -> list[_Entry[msgspec.Raw]]:
    """The entries of a consolidation request as the service writes it; else `_NOT_STRICT`."""
    if not body.isascii():
        body.decode()
    entries = _REQUEST.decode(body)
    if any(entry.datasetObjectId == "" for entry in entries):
        raise msgspec.ValidationError("there is an empty id")
    return entries


def _read_leniently(body: bytes) -> list[_Entry[_Annotation]]:
    """The entries of any consolidation request; raises `ContractError` if it is none."""
    return [
        _Entry(
            item.object_id,
            None if item.source is None else _Source(item.source_uri or ""),
            [
                _Annotation(
                    annotation.worker_id, _Data(_to_raw(annotation.content), annotation.uri)
                )
                for annotation in item.annotations
            ],
        )
        for item in parse_payload(embedded_json(body, path="file"))
    ]


def _read_response(body: bytes) -> list[_Answer]:
    """The answers of a worker-response file; raises `ContractError` if it is none."""
    try:
        if not body.isascii():
            body.decode()
        return _RESPONSE.decode(body).answers
    except _NOT_STRICT:
        pass
    return [
        _Answer(find_worker(answer), _to_raw(answer.get("answerContent")), *find_times(answer))
        for answer in list_answers(embedded_json(body, path="file"))
    ]


def _to_raw(content: Any) -> msgspec.Raw:
    return msgspec.Raw(b"" if content is None else json.dumps(content).encode())
