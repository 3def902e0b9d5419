"""The lines of a job's output manifest; a damaged line is noted, and all others are read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundtruth.errors import StorageError
from groundtruth.finishing.outcomes import METADATA, metadata_of
from groundtruth.tasks.base import Label
from groundtruth.tasks.registry import decode_label
from labeljob.history.read_errors import DamageList
from labeljob.jobs.job_location import JobPlace

MANIFESTS = ("manifests/output/output.manifest", "manifests/output.manifest")


@dataclass(frozen=True)
class OutputLine:
    """One data object as the output manifest has it.

    Attributes
    ----------
    object_id : str
        Its line number from 0.
    text : str
        The line as it stands in the file.
    values : mapping
        The line, read; empty if it is damaged.
    """

    object_id: str
    text: str
    values: Mapping[str, Any]

    @property
    def source(self) -> str:
        """Where the data object is, or what it is; empty if the line does not say."""
        return str(self.values.get("source-ref") or self.values.get("source") or "")

    def label(self, attribute: str) -> Label | None:
        """The label that the line has, in either style."""
        return decode_label(self.values.get(attribute), self.metadata(attribute))

    def metadata(self, attribute: str) -> Mapping[str, Any]:
        """The label's metadata; empty if there are none."""
        return metadata_of(self.values, attribute)


def read_output_lines(place: JobPlace, damage: DamageList) -> tuple[OutputLine, ...]:
    """Read the job's output manifest, where it is today or was in 2019.

    Returns
    -------
    tuple of OutputLine
        Empty if there is no manifest, which is noted.
    """
    for name in MANIFESTS:
        try:
            body = place.read(f"{place.root}/{name}")
        except StorageError as error:
            if error.reason != "not-found":
                raise
            continue
        texts = body.decode("utf-8-sig", errors="replace").rstrip().split("\n")
        return tuple(_line(at, text.rstrip("\r"), name, damage) for at, text in enumerate(texts))
    damage.add(MANIFESTS[0], "is missing")
    return ()


def _line(at: int, text: str, name: str, damage: DamageList) -> OutputLine:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        damage.add(f"{name}, line {at + 1}", "is no JSON object; the line is kept as it is")
        values = {}
    return OutputLine(str(at), text, values)


def attribute_in(lines: Sequence[OutputLine], job_name: str) -> str | None:
    """The label attribute name: the key with the metadata of a label, of this job if there is one.

    Parameters
    ----------
    lines : sequence of OutputLine
        The manifest.
    job_name : str
        The job folder's name. Metadata that name it weigh more than others.
    """
    counts: Counter[tuple[bool, str]] = Counter()
    for line in lines:
        for key, value in line.values.items():
            if key.endswith(METADATA) and isinstance(value, dict):
                named = str(value.get("job-name", value.get("job_name", "")))
                own = named.rpartition("/")[2].lower() == job_name.lower()
                counts[own, key.removesuffix(METADATA)] += 1
    return max(counts, key=lambda key: (key[0], counts[key]))[1] if counts else None
