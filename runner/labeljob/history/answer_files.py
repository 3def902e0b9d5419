"""The files that hold workers' answers, and what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import batched
from typing import Any

from groundtruth.contract.acs import Annotation, DataObject, parse_payload
from groundtruth.contract.fields import embedded_json
from groundtruth.errors import ContractError, StorageError
from labeljob.history.read_errors import DamageList
from labeljob.jobs.job_location import JobPlace

RESPONSES = "annotations/worker-response/"
REQUESTS = "annotations/consolidated-annotation/consolidation-request/"
READERS = 16

_RESPONSE = re.compile(r"iteration-(\d+)/([^/]+)/([^/]+)\.json")
_REQUEST = re.compile(r"iteration-(\d+)/([^/]+)\.json")


@dataclass(frozen=True)
class Sitting:
    """When one worker answered.

    Attributes
    ----------
    submitted : datetime or None
        In UTC.
    seconds : float or None
        Time spent on the task; None where the file does not tell.
    """

    submitted: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Answered:
    """One data object with its answers as they came.

    Attributes
    ----------
    object : DataObject
        In the shape of a payload.
    sittings : mapping of str to Sitting
        When each worker answered.
    """

    object: DataObject
    sittings: Mapping[str, Sitting] = field(default_factory=dict)


class AnswerFiles:
    """Where the answers to each data object are.

    Parameters
    ----------
    place : JobPlace
        The job.
    responses : mapping of str to sequence of str
        For each data object its worker-response files, the last one first.
    requests : sequence of str
        The consolidation-request files, in the order of the calls.
    damage : DamageList
        Takes what cannot be read.
    """

    def __init__(
        self,
        place: JobPlace,
        responses: Mapping[str, Sequence[str]],
        requests: Sequence[str],
        damage: DamageList,
    ) -> None:
        self.requests = tuple(requests)
        self._place = place
        self._responses = responses
        self._damage = damage
        self._at_hand: tuple[str, dict[str, DataObject]] = ("", {})

    def object_ids(self) -> list[str]:
        """The data objects that have answers, in the order of their numbers."""
        known = set(self._responses) or set(self._requested)
        return sorted(known, key=lambda name: (not name.isdecimal(), len(name), name))

    def read(self, object_ids: Sequence[str]) -> Iterator[Answered]:
        """The answers to data objects, in that order.

        One whose response files cannot be read is looked up in the requests; one that is
        nowhere is left out.
        """
        with ThreadPoolExecutor(READERS) as readers:
            for some in batched(object_ids, READERS, strict=False):
                for object_id, found in zip(some, readers.map(self._newest, some), strict=True):
                    answered = found or self._from_request(object_id)
                    if answered is not None:
                        yield answered

    def _newest(self, object_id: str) -> Answered | None:
        """The last file that can be read; one that cannot is noted, and the one before taken."""
        for uri in self._responses.get(object_id, ()):
            try:
                content = embedded_json(self._place.read(uri), path="file")
                return _answered(object_id, content)
            except (ContractError, StorageError) as error:
                self._note(uri, error)
        return None

    def _from_request(self, object_id: str) -> Answered | None:
        uri = self._requested.get(object_id)
        if uri is None:
            return None
        if self._at_hand[0] != uri:
            self._at_hand = (uri, {item.object_id: item for item in self.request(uri)})
        return Answered(self._at_hand[1][object_id])

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
        text = str(error).removeprefix(f"{uri}: ").removeprefix("file: ").removeprefix("file.")
        self._damage.add(self._place.shown(uri), text)


def find_answer_files(place: JobPlace, damage: DamageList) -> AnswerFiles:
    """Find the job's files of answers; what has another name is noted as foreign."""
    responses: dict[str, list[tuple[int, str, str]]] = {}
    for uri, match in _matching(place, RESPONSES, _RESPONSE, damage):
        responses.setdefault(match[2], []).append((int(match[1]), match[3], uri))
    requests = sorted(
        (int(match[1]), match[2], uri)
        for uri, match in _matching(place, REQUESTS, _REQUEST, damage)
    )
    newest_first = {
        object_id: [uri for _, _, uri in sorted(files, reverse=True)]
        for object_id, files in responses.items()
    }
    return AnswerFiles(place, newest_first, [uri for _, _, uri in requests], damage)


def _matching(
    place: JobPlace, prefix: str, pattern: re.Pattern[str], damage: DamageList
) -> Iterator[tuple[str, re.Match[str]]]:
    for uri in place.list(prefix):
        match = pattern.fullmatch(uri.removeprefix(f"{place.root}/{prefix}"))
        if match:
            yield uri, match
        elif not uri.endswith("/"):  # a folder's own object, as the console makes them
            damage.add(place.shown(uri), "does not belong there; left alone")


def _answered(object_id: str, content: Any) -> Answered:
    answers = content.get("answers") if isinstance(content, dict) else None
    if not isinstance(answers, list):
        raise ContractError("has no list of answers", path="file")
    annotations, sittings = [], {}
    for answer in answers:
        values = answer if isinstance(answer, dict) else {}
        worker = values.get("workerId")
        worker = worker if isinstance(worker, str) else ""
        given = Annotation(worker_id=worker, content=values.get("answerContent"), uri=None)
        annotations.append(given)
        sittings[worker] = _sitting(values)
    item = DataObject(object_id=object_id, source=None, annotations=tuple(annotations))
    return Answered(item, sittings)


def _sitting(answer: Mapping[str, Any]) -> Sitting:
    accepted, submitted = _time(answer.get("acceptanceTime")), _time(answer.get("submissionTime"))
    seconds = answer.get("timeSpentInSeconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        seconds = (submitted - accepted).total_seconds() if accepted and submitted else None
    return Sitting(submitted, seconds)


def _time(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
