"""From the payload's annotations to usable answers, each unusable one set aside with a reason."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from groundtruth.contract.acs import Annotation, DataObject
from groundtruth.contract.fields import embedded_json
from groundtruth.errors import ContractError, GroundTruthError, StorageError, UnusableAnswer
from groundtruth.storage.s3 import ObjectStore

Answer = TypeVar("Answer")

MARGIN_SECONDS = 20.0
"""Left for answering what is complete, and for the data object that was begun last."""

MARGIN_SHARE = 0.2
"""The margin's largest share of the time there is, for functions with a short time limit."""

CAUTION = 1.5
"""How many times longer than the slowest data object so far the next one may take."""


class Deadline:
    """The time a batch has, and how much of it one more data object needs.

    Parameters
    ----------
    seconds_left : callable, optional
        How many seconds are left until the function is stopped; without it there is no end.

    Examples
    --------
    >>> left = iter([60.0, 60.0, 11.0])
    >>> deadline = Deadline(lambda: next(left))
    >>> deadline.is_near(), deadline.is_near()
    (False, True)
    """

    def __init__(self, seconds_left: Callable[[], float] | None = None) -> None:
        self._seconds_left = seconds_left
        self._margin = min(MARGIN_SECONDS, MARGIN_SHARE * self._left())
        self._begun_at: float | None = None

    def _left(self) -> float:
        return math.inf if self._seconds_left is None else self._seconds_left()

    def is_near(self) -> bool:
        """Whether no other data object may be begun."""
        return self._left() <= self._margin

    def spare_seconds(self) -> float | None:
        """For how long an answer may be waited for; None for as long as it takes."""
        return None if self._seconds_left is None else max(0.0, self._left() - self._margin)

    def give_up(self) -> None:
        """Begin no other data object: one has been waited for in vain."""
        self._margin = math.inf

    def object_begins(self) -> None:
        """Measure a data object from now on."""
        if self._seconds_left is not None:
            self._begun_at = self._left()

    def object_ends(self) -> None:
        """Leave time for one that is slower than the one that was begun, if one was."""
        if self._begun_at is not None:
            self._margin = max(self._margin, CAUTION * (self._begun_at - self._left()))
            self._begun_at = None


READERS = 16
"""Answers read from the store at once."""

OBJECTS_AHEAD = 2
"""Data objects whose answers are read while one is consolidated."""


@dataclass(frozen=True)
class RejectedAnswer:
    """One answer that was not used."""

    worker_id: str
    reason: str
    detail: str


def unforeseen(worker_id: str, error: Exception) -> RejectedAnswer:
    """An answer that could not be read, in a way that no rule foresaw."""
    detail = f"the answer cannot be read ({type(error).__name__}); please report it"
    return RejectedAnswer(worker_id, "unreadable", detail)


@dataclass(frozen=True)
class Answers(Generic[Answer]):
    """The usable answers of one data object, and those set aside."""

    object_id: str  # the data object's `datasetObjectId`
    workers: tuple[str, ...]  # who gave each answer; no worker is there twice
    answers: tuple[Answer, ...]  # their answers, decoded by the task
    rejected: tuple[RejectedAnswer, ...]  # the other answers
    source: str | None = None  # S3 URI of the data object, where the payload tells it
    # false if time ran out before the answers were looked at: then there is none here
    processed: bool = True


@dataclass(frozen=True)
class Entry:
    """One data object of a payload, with the answers that belong to another of its name."""

    object: DataObject
    foreign: tuple[RejectedAnswer, ...] = ()


def merge_entries(objects: Iterable[DataObject]) -> list[Entry]:
    """The payload's data objects in order, each id once, with all answers to it.

    The service may put an object twice into one payload. Its answers are taken together, unless
    the two entries name different sources: then those of the later entry are no answers to this
    object and are set aside.
    """
    entries: dict[str, Entry] = {}
    for item in objects:
        known = entries.get(item.object_id)
        if known is None:
            entries[item.object_id] = Entry(item)
        elif known.object.source != item.source:
            detail = "a second entry of this data object names another source"
            foreign = (
                RejectedAnswer(annotation.worker_id, "conflicting-object", detail)
                for annotation in item.annotations
            )
            entries[item.object_id] = Entry(known.object, (*known.foreign, *foreign))
        else:
            annotations = known.object.annotations + item.annotations
            both = replace(known.object, annotations=annotations)
            entries[item.object_id] = Entry(both, known.foreign)
    return list(entries.values())


class AnswerReader:
    """Reads and decodes the answers of data objects, a few objects ahead.

    Parameters
    ----------
    store : ObjectStore
        Where answers are that the payload only points to.
    deadline : Deadline, optional
        Until when data objects may be begun; those after it are not processed.
    """

    def __init__(self, store: ObjectStore, deadline: Deadline | None = None) -> None:
        self._store = store
        self._deadline = deadline or Deadline()

    def read(
        self, entries: Iterable[Entry], decode: Callable[[Any], Answer]
    ) -> Iterator[Answers[Answer]]:
        """The answers of each data object, in order, one object at a time.

        Parameters
        ----------
        entries : iterable of Entry
            Data objects, each id once.
        decode : callable
            Turns a decoded answer into the task's own; raises `UnusableAnswer`.

        Raises
        ------
        StorageError
            If an answer cannot be read now but could be later. An answer that is missing or
            denied for good is set aside.
        """
        readers = ThreadPoolExecutor(READERS)
        try:
            waiting: deque[tuple[Entry, list[Future[bytes] | None]]] = deque()
            for entry in entries:
                annotations = entry.object.annotations
                waiting.append((entry, [self._fetch(readers, item) for item in annotations]))
                if len(waiting) > OBJECTS_AHEAD:
                    yield self._next(*waiting.popleft(), decode)
            while waiting:
                yield self._next(*waiting.popleft(), decode)
        finally:
            # Reads that hang must not keep what is complete from being answered.
            readers.shutdown(wait=not self._deadline.is_near(), cancel_futures=True)

    def _fetch(self, readers: ThreadPoolExecutor, item: Annotation) -> Future[bytes] | None:
        if item.content is not None or item.uri is None or self._deadline.is_near():
            return None
        return readers.submit(self._store.read, item.uri)

    def _next(
        self, entry: Entry, fetched: list[Future[bytes] | None], decode: Callable[[Any], Answer]
    ) -> Answers[Answer]:
        """The answers of one data object, if there is time for it."""
        self._deadline.object_ends()
        reads = [future for future in fetched if future is not None]
        if wait(reads, timeout=self._deadline.spare_seconds()).not_done:
            self._deadline.give_up()
        if self._deadline.is_near():
            item = entry.object
            return Answers(item.object_id, (), (), (), source=item.source_uri, processed=False)
        self._deadline.object_begins()
        return _decoded(entry, fetched, decode)


def _decoded(
    entry: Entry, fetched: list[Future[bytes] | None], decode: Callable[[Any], Answer]
) -> Answers[Answer]:
    """Decode the answers of one data object; of one worker's usable answers, the last counts."""
    usable: dict[str, Answer] = {}
    rejected: list[RejectedAnswer] = []
    for item, future in zip(entry.object.annotations, fetched, strict=True):
        worker = item.worker_id
        try:
            if not worker:
                raise UnusableAnswer("no-worker-id", "the annotation names no worker")
            answer = decode_answer(_fetched(item, future), decode)
        except UnusableAnswer as error:
            rejected.append(RejectedAnswer(worker, error.reason, error.detail))
            continue
        except GroundTruthError:
            raise
        except Exception as error:  # noqa: BLE001 - no answer may take the whole batch with it
            rejected.append(unforeseen(worker, error))
            continue
        if usable.pop(worker, None) is not None:
            detail = "a later answer of the same worker counts"
            rejected.append(RejectedAnswer(worker, "superseded", detail))
        usable[worker] = answer
    return Answers(
        entry.object.object_id,
        tuple(usable),
        tuple(usable.values()),
        (*rejected, *entry.foreign),
        source=entry.object.source_uri,
    )


def decode_answer(content: Any, decode: Callable[[Any], Answer]) -> Answer:
    """One worker's answer, of JSON or of its text.

    Parameters
    ----------
    content : object
        The answer as JSON, as text or bytes of JSON, or None if it is nowhere.
    decode : callable
        Turns the decoded answer into the task's own; raises `UnusableAnswer`.

    Raises
    ------
    UnusableAnswer
        If there is none, it is not JSON, it says that the object cannot be labeled, or `decode`
        does not take it.
    """
    if content is None:
        raise UnusableAnswer("no-content", "the annotation has neither content nor s3Uri")
    try:
        while isinstance(content, str | bytes):
            if not content.strip():
                raise UnusableAnswer("empty-answer", "the answer is an empty text")
            content = embedded_json(content, path="answer")
    except ContractError as error:
        raise UnusableAnswer("malformed-json", "the answer is not JSON") from error
    _refuse_unlabelable(content)
    return decode(content)


def _fetched(item: Annotation, future: Future[bytes] | None) -> Any:
    """The answer from the payload, or from the object it points to."""
    if future is None:
        return item.content
    try:
        return future.result()
    except StorageError as error:
        if error.reason == "unavailable":
            raise
        raise UnusableAnswer(f"answer-{error.reason}", "its object cannot be read") from error


CANNOT_BE_LABELED = "cannot-be-labeled"
"""Key of an answer that says why there is no label, and the reason for which it is set aside."""

LONGEST_REMARK = 1_000
"""Characters of a worker's reason and comment that are kept of such an answer."""


def _refuse_unlabelable(content: Any) -> None:
    """Set an answer aside that says that the object cannot be labeled, and why.

    Raises `UnusableAnswer` with the worker's reason, and comment if there is one.
    """
    content = unwrap(content)
    said = content.get(CANNOT_BE_LABELED) if isinstance(content, dict) else None
    if not isinstance(said, dict) or not isinstance(reason := said.get("reason"), str):
        return
    comment = said.get("comment")
    remark = f"{reason}: {comment}" if isinstance(comment, str) and comment.strip() else reason
    raise UnusableAnswer(CANNOT_BE_LABELED, " ".join(remark.split())[:LONGEST_REMARK])


def unwrap(content: Any) -> Any:
    """The inputs of a form, which some pages send in a list of one entry."""
    return content[0] if isinstance(content, list) and len(content) == 1 else content


def find_by_shape(content: Any, *, element: str, has_shape: Callable[[Any], bool]) -> Any:
    """The part of an answer that a task understands, whatever the form called it.

    Parameters
    ----------
    content : object
        The decoded answer: a mapping from the names of the form's inputs to their values, that
        in a list of one entry, or the value itself.
    element : str
        The stock name of the crowd element, which wins where it is there.
    has_shape : callable
        Whether a value is of the task's shape.

    Raises
    ------
    UnusableAnswer
        ``empty-answer``, ``unexpected-shape``, or ``ambiguous-answer`` if several inputs have
        the shape and none the stock name.
    """
    content = unwrap(content)
    if content in ({}, [], None):
        raise UnusableAnswer("empty-answer", "the worker submitted nothing")
    if has_shape(content):
        return content
    if not isinstance(content, dict):
        raise UnusableAnswer("unexpected-shape", f"the answer holds no {element} value")
    if has_shape(content.get(element)):
        return content[element]
    fitting = [value for value in content.values() if has_shape(value)]
    if len(fitting) > 1:
        raise UnusableAnswer(
            "ambiguous-answer", f"{len(fitting)} inputs of the form hold a {element} value"
        )
    if not fitting:
        if content.get(element) in ({}, None) and element in content:
            raise UnusableAnswer("empty-answer", f"the {element} value is empty")
        raise UnusableAnswer("unexpected-shape", f"the answer holds no {element} value")
    return fitting[0]
