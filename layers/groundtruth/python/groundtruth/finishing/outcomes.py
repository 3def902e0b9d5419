"""What became of one data object: its manifest line and its last response, put together."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from groundtruth.compat import batched
from groundtruth.contract.fields import embedded_json
from groundtruth.errors import ContractError
from groundtruth.finishing.manifest import Line, compact_json
from groundtruth.storage.s3 import ObjectStore
from groundtruth.tasks.base import Label, Origin
from groundtruth.tasks.registry import decode_label

JOB_NAME_PREFIX = "labeling-job/"

READERS = 8
"""Response files read at once; each is 6 MB at most, the size of a function's answer."""

METADATA = "-metadata"

_ITERATION = re.compile(r"/iteration-(\d+)/[^/]+$")


@dataclass(frozen=True)
class Response:
    """The last answer for one data object: label attribute and metadata, and when it was stored."""

    content: Mapping[str, Any]
    file_time: datetime | None


class ResponseIndex:
    """The last answer for each data object of a job, in a file that is made."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE response "
            "(id TEXT PRIMARY KEY, order_key TEXT, content TEXT) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def read(self, prefix: str, attribute: str | None, store: ObjectStore) -> str | None:
        """Take in all response files of a job; return the label attribute name, if it is known.

        Without a name, that of the first answer is taken. Raises `StorageError` or `ContractError`
        if a file cannot be read or is not JSON.
        """
        with ThreadPoolExecutor(READERS) as pool:
            for uris in batched(store.list(prefix), READERS):
                for uri, body in zip(uris, pool.map(store.read, uris), strict=True):
                    contents = list(_contents(embedded_json(body, path=uri)))
                    attribute = attribute or _attribute(contents)
                    if attribute is not None:
                        self._take(contents, attribute, _order_key(uri))
        return attribute

    def _take(
        self, contents: list[tuple[str, Mapping[str, Any]]], attribute: str, order_key: str
    ) -> None:
        keys = (attribute, f"{attribute}{METADATA}")
        rows = [
            (
                object_id,
                order_key,
                compact_json({key: content[key] for key in keys if key in content}),
            )
            for object_id, content in contents
        ]
        self._database.executemany(
            "INSERT INTO response VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
            "SET order_key = excluded.order_key, content = excluded.content "
            "WHERE excluded.order_key >= response.order_key",
            rows,
        )

    def get(self, object_id: str) -> Response | None:
        """The last answer for a data object; None if there is none."""
        row = self._database.execute(
            "SELECT order_key, content FROM response WHERE id = ?", (object_id,)
        ).fetchone()
        return None if row is None else Response(json.loads(row[1]), _time(row[0]))

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM response").fetchone()
        return int(count)


def _contents(response: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Id and content of each entry; what has another shape is not from functions like ours."""
    for item in response if isinstance(response, list) else ():
        annotation = item.get("consolidatedAnnotation") if isinstance(item, dict) else None
        content = annotation.get("content") if isinstance(annotation, dict) else None
        object_id = item.get("datasetObjectId") if isinstance(item, dict) else None
        if isinstance(content, dict) and isinstance(object_id, str | int):
            yield str(object_id), content


def _attribute(contents: list[tuple[str, Mapping[str, Any]]]) -> str | None:
    """The label attribute name, from the first key there is."""
    keys = (key for _, content in contents for key in content)
    return next((key.removesuffix(METADATA) for key in keys), None)


def _order_key(uri: str) -> str:
    """A text that orders files by iteration, then by time."""
    match = _ITERATION.search(uri)
    iteration = int(match[1]) if match else 0
    return f"{iteration:09d} {uri.rpartition('/')[2].removesuffix('.json')}"


def _time(order_key: str) -> datetime | None:
    """The time in a file's name: ``2026-03-02_10:15:28``, with or without a fraction."""
    numbers = re.findall(r"\d+", order_key.partition(" ")[2])
    if not 6 <= len(numbers) <= 7:
        return None
    microseconds = int(numbers[6][:6].ljust(6, "0")) if len(numbers) == 7 else 0
    year, month, day, hour, minute, second = (int(number) for number in numbers[:6])
    try:
        return datetime(year, month, day, hour, minute, second, microseconds, tzinfo=UTC)
    except ValueError:
        return None


CUSTOM_TYPE = "groundtruth/custom"
FAILURE = "failure-reason"

_DATES = ("creation-date", "creation_date")
_NAMES = frozenset({"job-name", "job_name"})
_OF_A_LABEL = _NAMES | {"type", FAILURE}
"""Keys of a label's metadata; Rekognition's ``cl-metadata`` have none and belong to no label."""


class ObjectOutcome(StrEnum):
    """What became of a data object."""

    LABELED = "labeled"
    FAILED = "failed"
    UNLABELED = "unlabeled"
    OTHER_JOB = "labeled-by-another-job"
    NOT_RECOGNIZED = "not-recognized"


@dataclass(frozen=True, kw_only=True)
class ResolvedObject:
    """One data object."""

    # what became of it; one whose answers were all rejected is `FAILED`, with a label that has no
    # class
    outcome: ObjectOutcome
    label: Label | None = None  # what the consolidation function said
    failure: Mapping[str, Any] | None = None  # metadata with the reason, if the object failed
    untouched: bool = False  # whether the line stays as it is
    custom: bool = False  # whether the line has this custom job's metadata
    # whether the line holds another label of the `object` style than the last response
    differs: bool = False


def resolve_object(
    line: Line, response: Response | None, attribute: str, job_name: str
) -> ResolvedObject:
    """Find out what became of a data object.

    Its last response tells more than its line in the service's output manifest, or in the input
    manifest, and is believed first.
    """
    value = line.values.get(attribute)
    metadata = metadata_of(line.values, attribute)
    if attribute not in line.values and FAILURE in metadata:
        return ResolvedObject(outcome=ObjectOutcome.FAILED, failure=metadata, untouched=True)
    own = _is_of(job_name, metadata)
    custom = own and str(metadata.get("type", "")).lower() == CUSTOM_TYPE
    content = response.content if response else {}
    label = decode_label(content.get(attribute), content.get(f"{attribute}{METADATA}"))
    if label is not None:
        differs = isinstance(value, dict) and own and value != content[attribute]
        return _labeled(label, custom, differs)
    if attribute not in line.values:
        return _without_value(content, attribute, custom)
    if not own:
        return ResolvedObject(outcome=ObjectOutcome.OTHER_JOB, untouched=True)
    label = decode_label(value, metadata)
    if label is None:
        return ResolvedObject(outcome=ObjectOutcome.NOT_RECOGNIZED, untouched=True, custom=custom)
    return _labeled(label, custom, False)


def _labeled(label: Label, custom: bool, differs: bool) -> ResolvedObject:
    outcome = ObjectOutcome.LABELED if label.classes else ObjectOutcome.FAILED
    return ResolvedObject(outcome=outcome, label=label, custom=custom, differs=differs)


def _without_value(content: Mapping[str, Any], attribute: str, custom: bool) -> ResolvedObject:
    failure = metadata_of(content, attribute)
    if attribute in content:
        return ResolvedObject(outcome=ObjectOutcome.NOT_RECOGNIZED, untouched=True, custom=custom)
    if FAILURE in failure:
        return ResolvedObject(outcome=ObjectOutcome.FAILED, failure=failure, custom=custom)
    return ResolvedObject(outcome=ObjectOutcome.UNLABELED, untouched=True, custom=custom)


def metadata_of(values: Mapping[str, Any], attribute: str) -> Mapping[str, Any]:
    """The metadata of an attribute; empty if there are none."""
    metadata = values.get(f"{attribute}{METADATA}")
    return metadata if isinstance(metadata, Mapping) else {}


def list_attributes(values: Mapping[str, Any]) -> list[str]:
    """The label attribute names in a line: of the metadata that are a label's."""
    names = [key.removesuffix(METADATA) for key in values if key.endswith(METADATA)]
    return [name for name in names if _OF_A_LABEL & metadata_of(values, name).keys()]


@dataclass
class AttributeEvidence:
    """What the lines of a manifest tell of a job's label attribute name.

    It is that of the labels that name the job. Where no label does, as in a folder with another
    name, it is that of the last labels.

    Attributes
    ----------
    job_name : str
        The job's name.
    known : dict
        Of each attribute, whether a label names the job, whether one has a value, and the latest
        date.
    failed : set of str
        The attributes under which a data object failed.
    """

    job_name: str
    known: dict[str, tuple[bool, bool, str]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def add(self, values: Mapping[str, Any]) -> None:
        """Take in a line, or as much of it as is about labels."""
        for attribute in list_attributes(values):
            metadata = metadata_of(values, attribute)
            own = not _NAMES.isdisjoint(metadata) and _is_of(self.job_name.lower(), metadata)
            date = _as_date(_first([metadata], *_DATES))
            self._take(attribute, (own, attribute in values, date))
            if FAILURE in metadata:
                self.failed.add(attribute)

    def merge(self, other: AttributeEvidence) -> None:
        """Take in what other lines of the manifest tell."""
        for attribute, found in other.known.items():
            self._take(attribute, found)
        self.failed |= other.failed

    def _take(self, attribute: str, found: tuple[bool, bool, str]) -> None:
        own, present, date = self.known.get(attribute, found)
        self.known[attribute] = (own or found[0], present or found[1], max(date, found[2]))

    def choose(self) -> str | None:
        """The label attribute name; None if no line tells it.

        Raises
        ------
        ContractError
            If several are as likely.
        """
        best = max(self.known.values(), default=(True, True, ""))
        likely = {attribute for attribute, known in self.known.items() if known == best}
        if not best[0]:  # it may also be the attribute of a job that failed altogether
            likely |= {attribute for attribute in self.failed if not self.known[attribute][1]}
        if len(likely) > 1:
            listed = " and ".join(sorted(likely))
            raise ContractError(
                f"is not known: the lines have labels of {listed}; choose one with --attribute",
                path="label attribute name",
            )
        return next(iter(likely), None)


def find_attribute(lines: Iterable[Mapping[str, Any]], job_name: str) -> str | None:
    """The label attribute name of a job, told by the lines of its manifest; None if none tells.

    Raises `ContractError` if several are as likely: see `AttributeEvidence`.
    """
    evidence = AttributeEvidence(job_name)
    for values in lines:
        evidence.add(values)
    return evidence.choose()


def _is_of(job_name: str, metadata: Mapping[str, Any]) -> bool:
    """Whether metadata are of this job; of metadata that name no job it is assumed."""
    named = metadata.get("job-name", metadata.get("job_name"))
    if not isinstance(named, str):
        return True
    return named.removeprefix(JOB_NAME_PREFIX).lower() == job_name.removeprefix(JOB_NAME_PREFIX)


def find_origin(
    job_name: str, metadatas: Sequence[Mapping[str, Any]], file_time: datetime | None
) -> Origin:
    """Where a label comes from; of its metadata the most trusted come first."""
    date = _first(metadatas, *_DATES)
    written = file_time.isoformat() if file_time else ""
    return Origin(
        job_name=job_name,
        human_annotated=_first(metadatas, "human-annotated") or "yes",
        creation_date=_as_date(date or written),
    )


def _first(metadatas: Sequence[Mapping[str, Any]], *keys: str) -> str:
    """The first text under the first of the keys that has one; empty if none has."""
    values = (metadata.get(key) for key in keys for metadata in metadatas)
    return next((value for value in values if isinstance(value, str) and value), "")


def _as_date(text: str) -> str:
    """A date as the built-in functions write it; a text that is no date stays as it is.

    Examples
    --------
    >>> _as_date("2019-10-27T10:35:45+0200")
    '2019-10-27T08:35:45.000000'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds")
