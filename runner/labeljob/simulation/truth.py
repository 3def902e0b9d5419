"""What a perfect worker would answer: read from a file, or invented.

A truth file is JSON Lines, one data object a line, found by its ``source-ref``::

    {"source-ref": "s3://bucket/images/1.jpg", "label": "cat"}
    {"source-ref": "s3://bucket/images/1.jpg", "labels": ["cat", "grass"]}
    {"source-ref": "s3://bucket/images/1.jpg", "mask": "masks/1.png"}

A mask lies at a path relative to the truth file: a PNG in mode P or grey (8 bits), whose pixel
is 0 for background, else the class's index in the label category file + 1.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundtruth.errors import GroundTruthError
from labeljob.simulation.workers import generator
from labeljob.tasks.base import JobType, Truth


class TruthError(GroundTruthError):
    """A truth file cannot be used; the text names file, line (from 1) and problem."""

    def __init__(self, problem: str, *, path: Path, line: int = 0) -> None:
        super().__init__(f"{path}{f', line {line}' if line else ''}: {problem}")
        self.path = path
        self.line = line


@dataclass(frozen=True)
class TruthTable(Mapping[str, Truth]):
    """The truth of each data object by its ``source-ref``; a mask is read when asked for."""

    path: Path
    entries: Mapping[str, tuple[Truth | Path, int]]  # with the number of the line
    job_type: JobType
    labels: Sequence[str]

    def __getitem__(self, source_ref: str) -> Truth:
        """Return one truth; raises KeyError if there is none, TruthError for a bad mask."""
        truth, line = self.entries[source_ref]
        if not isinstance(truth, Path):
            return truth
        try:
            return self.job_type.read_truth_file(truth, self.labels)
        except ValueError as error:
            raise TruthError(str(error), path=self.path, line=line) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def read_truth(path: Path, job_type: JobType, labels: Sequence[str]) -> TruthTable:
    """Read and check a truth file, but for the pixels of its masks; raises `TruthError`."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TruthError(f"cannot be read ({error})", path=path) from error
    entries: dict[str, tuple[Truth | Path, int]] = {}
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        record = _record(text, job_type.source_key, path, number)
        source_ref = record[job_type.source_key]
        if source_ref in entries:
            raise TruthError(f"{source_ref} is there twice", path=path, line=number)
        try:
            truth = job_type.parse_truth(record.get(job_type.truth_key), labels, path.parent)
        except ValueError as error:
            raise TruthError(str(error), path=path, line=number) from error
        entries[source_ref] = (truth, number)
    return TruthTable(path, entries, job_type, labels)


def invented_truth(
    job_type: JobType,
    labels: Sequence[str],
    object_id: str,
    shape: tuple[int, int] | None,
    seed: int,
) -> Truth:
    """Invent the truth of a data object, for manifests whose truth nobody knows.

    The crowd needs something to agree on.  What it then says has nothing to do with what the
    image shows: it exercises the machinery, and says nothing about the images.

    Raises `ValueError`.

    Examples
    --------
    >>> from labeljob.tasks.registry import find_job_type
    >>> invented_truth(find_job_type("image-multi-class"), ["cat"], "0", None, seed=7)
    'cat'
    """
    if not labels:
        raise ValueError("no truth can be invented without labels")
    return job_type.invent_truth(labels, shape, generator(seed, "truth", object_id))


def _record(text: str, source_key: str, path: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except ValueError as error:
        raise TruthError(f"is not JSON ({error})", path=path, line=number) from error
    if not isinstance(record, dict) or not isinstance(record.get(source_key), str):
        raise TruthError(f'is no object with a text "{source_key}"', path=path, line=number)
    return record
