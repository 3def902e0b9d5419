"""Test doubles of the ports: an object store and a job register in memory."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from groundtruth.errors import JobLookupError, StorageError
from groundtruth.jobs import LabelingJob

WRITTEN_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Written:
    """One object that was written, with all it was written with."""

    body: bytes
    content_type: str
    kms_key: str | None


@dataclass
class MemoryStore:
    """Objects in a dictionary; `faults` says which URIs fail, and with which reason."""

    objects: dict[str, bytes] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    reads: Counter[str] = field(default_factory=Counter)
    roles: list[str] = field(default_factory=list)

    def read(self, uri: str) -> bytes:
        self.reads[uri] += 1
        if uri in self.faults:
            raise StorageError("cannot be read", uri=uri, reason=self.faults[uri])
        if uri not in self.objects:
            raise StorageError("is not there", uri=uri, reason="not-found")
        return self.objects[uri]

    def modified(self, uri: str) -> datetime:
        self.read(uri)
        return WRITTEN_AT

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        if uri in self.faults:
            raise StorageError("cannot be written", uri=uri, reason=self.faults[uri])
        self.objects[uri] = body
        self.written[uri] = Written(body, content_type, kms_key)

    def open_lines(self, uri: str) -> Iterator[bytes]:
        yield from self.read(uri).splitlines(keepends=True)

    def write_file(self, uri: str, path: Path, *, content_type: str, kms_key: str | None) -> None:
        self.write(uri, path.read_bytes(), content_type=content_type, kms_key=kms_key)

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(uri for uri in self.objects if uri.startswith(prefix)))

    def remove(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self.objects.pop(uri, None)

    def acting_as(self, role_arn: str) -> "MemoryStore":
        self.roles.append(role_arn)
        return self


@dataclass
class KnownJobs:
    """One answer for every job: a description, or an error."""

    answer: LabelingJob | JobLookupError = field(default_factory=LabelingJob)
    asked: Counter[str] = field(default_factory=Counter)

    def describe(self, arn: str) -> LabelingJob:
        self.asked[arn] += 1
        if isinstance(self.answer, JobLookupError):
            raise self.answer
        return self.answer
