"""The input manifest: one line of JSON for each image, and a reason for each one left out.

Rules: "Use an input manifest file" and "Input data quotas" in the SageMaker developer guide.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from groundtruth.compat import batched
from groundtruth.errors import GroundTruthError
from labeljob.jobs.images import Find, FoundImage, LeftOut, ReadError, examine

MAX_LINE_LENGTH = 100_000
MAX_ATTRIBUTE_LENGTH = 20_000
MAX_KEY_BYTES = 1_024
MAX_OBJECTS = 100_000
MAX_OBJECTS_TO_SEGMENT = 20_000

_READ_AT_ONCE = 8
_RESERVED = ("source", "source-ref")
_AVOIDED_IN_KEYS = re.compile(r"[\\{}^%`\[\]\"<>~#|\x00-\x1f\x7f]")


class ManifestError(GroundTruthError):
    """What was asked for cannot stand in a manifest."""


@dataclass(frozen=True, kw_only=True)
class InputManifest:
    """A manifest and what is to be said of it."""

    lines: tuple[str, ...]  # JSON, one for each data object, without line ends
    left_out: tuple[LeftOut, ...]  # what got no line, and why
    warnings: tuple[str, ...]  # what may surprise, one sentence each

    @property
    def text(self) -> str:
        """The file's content."""
        return "".join(f"{line}\n" for line in self.lines)


def parse_attributes(pairs: Iterable[str]) -> dict[str, str]:
    """Extra attributes from ``KEY=VALUE`` texts; raises `ManifestError`.

    Examples
    --------
    >>> parse_attributes(["site=north pond", "query=a=b"])
    {'site': 'north pond', 'query': 'a=b'}
    """
    attributes: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise ManifestError(f"{pair!r} is not KEY=VALUE")
        if key in _RESERVED or key.startswith("$"):
            raise ManifestError(f"{key!r} is a name that Ground Truth keeps for itself")
        if key in attributes:
            raise ManifestError(f"{key!r} is given twice")
        if len(value) > MAX_ATTRIBUTE_LENGTH:
            raise ManifestError(f"{key!r} has {len(value)} characters, 20,000 at most")
        attributes[key] = value
    return attributes


def below_prefix(prefix: str) -> Callable[[FoundImage], str]:
    """How a local image is called once uploaded below an S3 prefix: its raw URI.

    Raises `ManifestError`.
    """
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?", prefix):
        raise ManifestError(f"{prefix!r} is not an S3 prefix such as s3://bucket/images")
    return lambda image: f"{prefix.rstrip('/')}/{image.key}"


def relative_to(folder: Path) -> Callable[[FoundImage], str]:
    """How a local image is called in a manifest in this folder, for a job on this machine."""
    base = _absolute(folder)

    def source_ref(image: FoundImage) -> str:
        path = _absolute(Path(image.place))
        return (path.relative_to(base) if path.is_relative_to(base) else path).as_posix()

    return source_ref


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)


def make_manifest(
    found: Iterable[Find],
    *,
    source_ref: Callable[[FoundImage], str],
    attributes: Mapping[str, str],
    read_images: bool = True,
) -> InputManifest:
    """One line for each image that workers can label."""
    draft = _Draft(attributes=attributes)
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        for batch in batched(found, _READ_AT_ONCE):
            bodies = pool.map(_content, batch) if read_images else [None] * len(batch)
            for item, body in zip(batch, bodies, strict=True):
                if isinstance(item, LeftOut):
                    draft.leave_out(item.place, item.reason)
                else:
                    draft.add(item, source_ref(item) if item.path else item.place, body)
    return InputManifest(
        lines=tuple(draft.lines),
        left_out=tuple(draft.left_out),
        warnings=(*draft.warnings, *_size_warnings(len(draft.lines))),
    )


def _content(item: Find) -> bytes | LeftOut | None:
    if isinstance(item, LeftOut):
        return None
    try:
        return item.read()
    except ReadError as error:
        return LeftOut(place=item.place, reason=f"cannot be read: {error}")


@dataclass(kw_only=True)
class _Draft:
    attributes: Mapping[str, str]
    lines: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _place_of_file: dict[str, str] = field(default_factory=dict)
    _place_of_ref: dict[str, str] = field(default_factory=dict)
    _place_of_content: dict[bytes, str] = field(default_factory=dict)

    def leave_out(self, place: str, reason: str) -> None:
        self.left_out.append(LeftOut(place=place, reason=reason))

    def add(self, image: FoundImage, ref: str, body: bytes | LeftOut | None) -> None:
        line = json.dumps({"source-ref": ref, **self.attributes}, ensure_ascii=False)
        reason = self._twice(image, ref) or _line_problem(ref, line)
        if reason:
            self.leave_out(image.place, reason)
        elif isinstance(body, LeftOut):
            self.left_out.append(body)
        elif self._usable(image, body):
            self._place_of_ref[ref] = image.place
            self.lines.append(line)
            if ref.startswith("s3://") and _AVOIDED_IN_KEYS.search(ref):
                self._warn(image, "its key has a character that AWS advises against")

    def _twice(self, image: FoundImage, ref: str) -> str | None:
        file = os.path.realpath(image.path) if image.path else image.place
        first = self._place_of_file.get(file)
        if first is not None:
            return "named twice" if first == image.place else f"the same file as {first}"
        self._place_of_file[file] = image.place
        if ref in self._place_of_ref:
            return f"would have the same URI as {self._place_of_ref[ref]}"
        return None

    def _usable(self, image: FoundImage, body: bytes | None) -> bool:
        if body is None:
            return True
        findings = examine(body, name=image.key)
        if findings.problem:
            self.leave_out(image.place, findings.problem)
            return False
        for sentence in findings.warnings:
            self._warn(image, sentence)
        digest = hashlib.sha256(body).digest()
        first = self._place_of_content.setdefault(digest, image.place)
        if first != image.place:
            self._warn(image, f"has the same content as {first}, so workers label it twice")
        return True

    def _warn(self, image: FoundImage, sentence: str) -> None:
        self.warnings.append(f"{image.place}: {sentence}")


def _line_problem(ref: str, line: str) -> str | None:
    key = ref.removeprefix("s3://").partition("/")[2] if ref.startswith("s3://") else ""
    if len(key.encode("utf-8")) > MAX_KEY_BYTES:
        return "its S3 key has more than 1,024 bytes"
    if len(line) > MAX_LINE_LENGTH:
        return f"its line has {len(line)} characters, 100,000 at most"
    return None


def _size_warnings(n_objects: int) -> list[str]:
    if n_objects > MAX_OBJECTS:
        return [f"{n_objects} images; a job takes at most {MAX_OBJECTS}"]
    if n_objects > MAX_OBJECTS_TO_SEGMENT:
        return [f"{n_objects} images; a segmentation job takes at most {MAX_OBJECTS_TO_SEGMENT}"]
    return []
