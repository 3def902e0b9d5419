"""Where an export goes, and what came of it."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labeljob.formats.labeled import LabeledImage, LeftOut
from labeljob.jobs.description import JobError
from labeljob.tasks.base import JobType


@dataclass(kw_only=True)
class Target:
    """The folder of an export.

    Attributes
    ----------
    folder : Path
        Is made; must be empty or not there.
    task : JobType
        The job type.
    classes : tuple of str
        In the job's order.
    counts : Counter of str
        What was written.
    notes : list of str
        What the person should know.
    left_out : LeftOut
        Data objects that are not in the export.
    without_image : list of str
        Data objects whose image cannot be read.
    """

    folder: Path
    task: JobType
    classes: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)
    without_image: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Refuse a folder that holds something; raises `JobError`."""
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise JobError(f"{self.folder} is there already and not an empty folder")

    def write(self, name: str, body: bytes) -> Path:
        """Write a file of the export; raises `JobError`."""
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        except OSError as error:
            raise JobError(f"{path} cannot be written: {error.strerror}") from error
        return path

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file of the export; raises `JobError`."""
        self.write(name, json.dumps(value, ensure_ascii=False).encode())

    def write_lines(self, name: str, lines: list[str]) -> None:
        """Write a text file of the export; raises `JobError`."""
        self.write(name, "".join(f"{line}\n" for line in lines).encode())

    def copy_image(self, image: LabeledImage, folder: str) -> bool:
        """Copy an image into a folder of the export; whether it can be read."""
        if image.content is None:
            self.without_image.append(image.object_id)
            return False
        self.write(f"{folder}/{image.name}", image.content)
        self.counts["images"] += 1
        return True

    def as_json(self) -> Mapping[str, Any]:
        """What came of it, for `--json`."""
        return {
            "folder": str(self.folder),
            "classes": list(self.classes),
            "written": dict(self.counts),
            "left-out": dict(self.left_out.by_reason),
            "without-image": self.without_image,
            "notes": self.notes,
        }


EXTRA = "exports"


def extra(package: str) -> Any:
    """A package of the optional extra ``exports``; raises `JobError`."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise JobError(
            f"{package.partition('.')[0]} is not installed; it comes with the extra {EXTRA}: "
            f"pip install 'groundtruth-consolidation[{EXTRA}]'"
        ) from error
