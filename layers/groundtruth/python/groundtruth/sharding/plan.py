"""What is to be consolidated, and how: written once, read by every step on every engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from groundtruth.settings import Settings

FORMAT = 1
"""Grows when a step's result would no longer be that of an earlier version."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Some data objects with all their answers.

    Attributes
    ----------
    name : str
        Its place and a digest of its content, such as ``"00007-1a2b3c4d5e6f"``: another input has
        another name.
    uri : str
        S3 URI of its file, whose format is the job type's.
    n_objects, n_answers : int
        How many it has.
    """

    name: str
    uri: str
    n_objects: int
    n_answers: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One consolidation of all shards together.

    Attributes
    ----------
    task : str
        The job type, by its name.
    settings : Settings
        Those of the jobs, the algorithm among them.
    classes : tuple of str
        Everything a worker may have chosen, in label order.
    classes_known : bool
        False if no place named them, so that they are those the workers used.
    n_workers : int
        How many workers the shards number, a model among them.
    job_name : str
        ``labeling-job/<name>``.
    made_at : str
        When the last answer came: ISO 8601, in UTC.
    masks_uri : str
        S3 URI of the folder that masks go to.
    kms_key : str or None
        The key that all is written with.
    confidence_map : mapping or None
        The file that `labeljob calibrate` wrote, decoded.
    tolerated_failures : float
        Share of the shards, in [0, 1], that may fail; the others are then consolidated.
    options : mapping
        What else the job type wants to know, as JSON.
    shards : tuple of Shard
        In the order of the data objects.
    """

    task: str
    settings: Settings
    classes: tuple[str, ...]
    classes_known: bool = True
    n_workers: int
    job_name: str
    made_at: str
    masks_uri: str = ""
    kms_key: str | None = None
    confidence_map: Mapping[str, Any] | None = None
    tolerated_failures: float = 0.1
    options: Mapping[str, Any]
    shards: tuple[Shard, ...]

    @property
    def moment(self) -> datetime:
        """`made_at` as a time."""
        return datetime.fromisoformat(self.made_at)

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that tell how is consolidated, but not which shards."""
        values = json.loads(replace(self, shards=()).to_json())
        return digest_of(json.dumps(values, sort_keys=True).encode())

    def to_json(self) -> str:
        """The plan as its file has it."""
        values = {
            "format": FORMAT,
            **{row.name: getattr(self, row.name) for row in fields(self)},
            # A key is for nobody who may read the folder, and no step needs it.
            "settings": asdict(replace(self.settings, worker_id_key="")),
            "shards": [asdict(shard) for shard in self.shards],
        }
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote; raises `ValueError` if another version did."""
        values = json.loads(text)
        if values.pop("format") != FORMAT:
            raise ValueError("the plan is of another version; use an empty folder")
        values["settings"] = Settings(**values["settings"])
        values["classes"] = tuple(values["classes"])
        values["shards"] = tuple(Shard(**shard) for shard in values["shards"])
        return cls(**values)


def digest_of(*parts: bytes) -> str:
    """Twelve hexadecimal digits of some bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()[:12]
