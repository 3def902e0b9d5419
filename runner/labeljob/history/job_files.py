"""A finished job's own files: its output manifest, its answers, and what is wrong with them."""

from __future__ import annotations

import hashlib
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from groundtruth.compat import batched
from groundtruth.contract.acs import Annotation, DataObject, parse_payload
from groundtruth.contract.fields import embedded_json
from groundtruth.errors import ContractError, StorageError
from groundtruth.finishing.outcomes import list_attributes, metadata_of
from groundtruth.tasks.base import Label
from groundtruth.tasks.registry import decode_label
from labeljob.jobs.job_location import JobPlace

if TYPE_CHECKING:
    from labeljob.columns.answers import AnswerColumns


@dataclass(frozen=True)
class Damage:
    """One file (relative to the job's folder), or a line of it, that cannot be used, and why."""

    file: str
    problem: str

    def as_json(self) -> dict[str, Any]:
        """The finding for `--json`."""
        return {"file": self.file, "problem": self.problem}


@dataclass
class DamageList:
    """The findings so far, each once."""

    damages: dict[Damage, None] = field(default_factory=dict)

    def add(self, file: str, problem: str) -> None:
        """Note a file that cannot be used."""
        self.damages[Damage(file, problem)] = None

    def as_json(self) -> list[dict[str, Any]]:
        """All findings for `--json`."""
        return [item.as_json() for item in self.damages]


SHOWN = 5
"""Data objects that a finding names."""


@dataclass(frozen=True)
class OutputLine:
    """One data object as the output manifest has it.

    `object_id` is the line's number from 0 or, once the answers tell better, the id that the
    job's files have; `text` is the line letter for letter, and `values` what it says; empty if it
    is damaged.
    """

    object_id: str
    text: str
    values: Mapping[str, Any]

    @property
    def source(self) -> str:
        """Where the data object is, or what it is; empty if the line does not say."""
        return source_of(self.values)

    def label(self, attribute: str) -> Label | None:
        """The label that the line has, in either style."""
        return decode_label(self.values.get(attribute), self.metadata(attribute))

    def attributes(self) -> set[str]:
        """Under which names it has labels, or metadata of labels."""
        return {*list_attributes(self.values), *filter(self.label, self.values)}

    def metadata(self, attribute: str) -> Mapping[str, Any]:
        """The label's metadata; empty if there are none."""
        return metadata_of(self.values, attribute)


def source_of(values: Mapping[str, Any]) -> str:
    """Where a line's data object is, or what it is; empty if the line does not say."""
    return str(values.get("source-ref") or values.get("source") or "")


RESPONSES = "annotations/worker-response/"
REQUESTS = "annotations/consolidated-annotation/consolidation-request/"
READERS = 16

_RESPONSE = re.compile(r"iteration-(\d+)/([^/]+)/([^/]+)\.json")
_REQUEST = re.compile(r"iteration-(\d+)/([^/]+)\.json")


@dataclass(frozen=True)
class AnswerTime:
    """When one worker answered, in UTC, and how long it took; None where the file does not tell."""

    submitted: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class AnsweredObject:
    """One data object with its answers as they came."""

    object: DataObject
    answer_times: Mapping[str, AnswerTime] = field(default_factory=dict)


class AnswerFiles:
    """Where the answers to each data object are.

    `responses` has each object's worker-response files, the last one first; `requests` are the
    consolidation requests in the order of the calls; `sizes` are bytes, by URI, and `digest` is
    another one if any of the files is another. `columns` are what has been read of all of them.
    """

    def __init__(
        self,
        place: JobPlace,
        responses: Mapping[str, Sequence[str]],
        requests: Sequence[str],
        damage: DamageList,
        sizes: Mapping[str, int] | None = None,
        digest: str = "",
    ) -> None:
        self.requests = tuple(requests)
        self.responses = responses
        self.columns: AnswerColumns | None = None
        self.sizes = sizes or {}
        self.digest = digest
        self._place = place
        self._damage = damage
        self._at_hand: tuple[str, dict[str, DataObject]] = ("", {})

    def object_ids(self) -> list[str]:
        """The data objects that have answers, in the order of their numbers."""
        if self.columns is not None:
            return self.columns.object_ids
        return self.named_ids() if self.responses else _sort_ids(self._requested)

    def find_last_time(self) -> datetime | None:
        """When the last answer came, if that is not in the names of the files; in UTC."""
        return None

    def has_answers(self) -> bool:
        """Whether there is a data object with answers."""
        return bool(self.responses) or any(self.request(uri) for uri in self.requests)

    def sample(self, count: int) -> Iterator[AnsweredObject]:
        """The answers to a few data objects: those that are found first."""
        if self.responses:
            return self.read(self.named_ids()[:count])
        items = (item for uri in self.requests for item in self.request(uri))
        return map(AnsweredObject, itertools.islice(items, count))

    def named_ids(self) -> list[str]:
        """Those that have worker-response files."""
        return _sort_ids(self.responses)

    def response_uris(self) -> Iterator[str]:
        """The worker-response files."""
        return itertools.chain.from_iterable(self.responses.values())

    def read(self, object_ids: Sequence[str]) -> Iterator[AnsweredObject]:
        """The answers to data objects, in that order.

        One whose response files cannot be read is looked up in the requests; one that is
        nowhere is left out.
        """
        with ThreadPoolExecutor(READERS) as readers:
            for batch in batched(object_ids, READERS):
                for object_id, newest in zip(batch, readers.map(self._newest, batch), strict=True):
                    answered = newest or self._from_request(object_id)
                    if answered is not None:
                        yield answered

    def _newest(self, object_id: str) -> AnsweredObject | None:
        """The last file that can be read; one that cannot is noted, and the one before taken."""
        for uri in self.responses.get(object_id, ()):
            try:
                content = embedded_json(self._place.read(uri), path="file")
                return _read_response(object_id, content)
            except (ContractError, StorageError) as error:
                self._note(uri, error)
        return None

    def _from_request(self, object_id: str) -> AnsweredObject | None:
        uri = self._requested.get(object_id)
        if uri is None:
            return None
        if self._at_hand[0] != uri:
            self._at_hand = (uri, {item.object_id: item for item in self.request(uri)})
        return AnsweredObject(self._at_hand[1][object_id])

    @cached_property
    def _requested(self) -> dict[str, str]:
        """The last request that holds each data object."""
        return {item.object_id: uri for uri in self.requests for item in self.request(uri)}

    def request(self, uri: str) -> list[DataObject]:
        """The data objects of one call; none if the file cannot be read, which is noted."""
        try:
            return list(parse_payload(embedded_json(self._place.read(uri), path="file")))
        except (ContractError, StorageError) as error:
            self._note(uri, error)
            return []

    def _note(self, uri: str, error: ContractError | StorageError) -> None:
        self._damage.add(self._place.shown(uri), describe_problem(uri, error))


def _sort_ids(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (not name.isdecimal(), len(name), name))


def describe_problem(uri: str, error: ContractError | StorageError) -> str:
    """What is wrong with a file of answers, without its name."""
    return str(error).removeprefix(f"{uri}: ").removeprefix("file: ").removeprefix("file.")


def find_answer_files(place: JobPlace, damage: DamageList) -> AnswerFiles:
    """Find the job's files of answers; what has another name is noted as foreign."""
    sizes: dict[str, int] = {}
    digest = hashlib.sha256()

    def matching(prefix: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, re.Match[str]]]:
        for uri, size, version in place.list_versions(prefix):
            name = uri.removeprefix(f"{place.root}/")
            match = pattern.fullmatch(name.removeprefix(prefix))
            if match:
                sizes[uri] = size
                digest.update(f"{name}\n{size}\n{version}\n".encode(errors="surrogateescape"))
                yield uri, match
            elif not uri.endswith("/"):  # a folder's own object, as the console makes them
                damage.add(place.shown(uri), "does not belong there; left alone")

    responses: dict[str, list[tuple[int, str, str]]] = {}
    for uri, match in matching(RESPONSES, _RESPONSE):
        responses.setdefault(match[2], []).append((int(match[1]), match[3], uri))
    requests = sorted((int(match[1]), match[2], uri) for uri, match in matching(REQUESTS, _REQUEST))
    newest_first = {
        object_id: [uri for _, _, uri in sorted(files, reverse=True)]
        for object_id, files in responses.items()
    }
    uris = [uri for _, _, uri in requests]
    return AnswerFiles(place, newest_first, uris, damage, sizes, digest.hexdigest())


def list_answers(content: Any) -> list[Mapping[str, Any]]:
    """The answers in a decoded worker-response file; raises `ContractError` if it is none."""
    answers = content.get("answers") if isinstance(content, dict) else None
    if not isinstance(answers, list):
        raise ContractError("has no list of answers", path="file")
    return [answer if isinstance(answer, dict) else {} for answer in answers]


def find_worker(answer: Mapping[str, Any]) -> str:
    """Who gave an answer of a worker-response file; empty if it does not tell."""
    worker = answer.get("workerId")
    return worker if isinstance(worker, str) else ""


def find_times(answer: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """What an answer of a worker-response file tells of time, for `find_answer_time`."""
    return answer.get("acceptanceTime"), answer.get("submissionTime"), answer.get(_SECONDS)


_SECONDS = "timeSpentInSeconds"


def _read_response(object_id: str, content: Any) -> AnsweredObject:
    annotations, answer_times = [], {}
    for answer in list_answers(content):
        worker, said = find_worker(answer), answer.get("answerContent")
        annotations.append(Annotation(worker_id=worker, content=said, uri=None))
        answer_times[worker] = find_answer_time(*find_times(answer))
    item = DataObject(object_id=object_id, source=None, annotations=tuple(annotations))
    return AnsweredObject(item, answer_times)


def find_answer_time(accepted: Any, submitted: Any, seconds: Any) -> AnswerTime:
    """When an answer came and how long it took, of values of any kind."""
    ended = _time(submitted)
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds <= sys.float_info.max:
        begun = _time(accepted)
        seconds = (ended - begun).total_seconds() if begun and ended else None
    return AnswerTime(ended, seconds)


def _time(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
