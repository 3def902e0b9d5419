"""Where an export goes, and what came of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from labeljob.formats.labeled import LabeledImage, LeftOut
from labeljob.jobs.description import JobError
from labeljob.tasks.base import JobType

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(kw_only=True)
class Target:
    """The folder of an export.

    Attributes
    ----------
    folder : Path
        Where the files come in the end; must be empty or not there.
    draft : Path
        Where they are written.
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
    splits : tuple of str
        The parts that the images are divided into; empty if they are not.
    per_split : Counter of str
        How many images are in each part.
    prefix : str or None
        What a labeling tool has before each image's name; None if it was not said.
    origin : mapping of str to str
        Of a job that was imported, what its tool calls things; see `ForeignImages.origin`.
    """

    folder: Path
    draft: Path
    task: JobType
    classes: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)
    without_image: list[str] = field(default_factory=list)
    splits: tuple[str, ...] = ()
    per_split: Counter[str] = field(default_factory=Counter)
    prefix: str | None = None
    origin: Mapping[str, str] = field(default_factory=dict)

    def write(self, name: str, body: bytes) -> None:
        """Write a file of the export; raises `OSError`."""
        path = self.draft / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file of the export; raises `OSError`."""
        self.write(name, json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace"))

    def write_xml(self, name: str, root: ET.Element) -> None:
        """Write an XML file, with escapes of what XML cannot hold; raises `OSError`."""
        ET.indent(root)
        text = ET.tostring(root, encoding="unicode")
        escaped = _NOT_XML.sub(lambda found: ascii(found[0])[1:-1], text)
        self.write_lines(name, [escaped])

    def write_lines(self, name: str, lines: list[str]) -> None:
        """Write a text file of the export; raises `OSError`."""
        self.write(name, "".join(f"{line}\n" for line in lines).encode())

    def copy_image(self, image: LabeledImage, folder: str, name: str | None = None) -> bool:
        """Copy an image into a folder of the export; whether it can be read.

        `name` is its path there. [default: the image's own name]
        """
        if image.content is None:
            self.without_image.append(image.object_id)
            return False
        self.write(f"{folder}/{name or image.name}", image.content)
        self.counts["images"] += 1
        return True

    def require_images(self) -> None:
        """Raise `JobError` if not one image was copied, for formats that are nothing without."""
        if not self.counts["images"]:
            raise JobError("not one image can be read; give --images with copies of them")

    def as_json(self) -> Mapping[str, Any]:
        """What came of it, for `--json`."""
        return {
            "folder": str(self.folder),
            "classes": list(self.classes),
            **({"split": dict(self.per_split)} if self.splits else {}),
            "written": dict(self.counts),
            "left-out": dict(self.left_out.by_reason),
            "without-image": self.without_image,
            "notes": self.notes,
        }
