"""What the Lambda functions are called with: their own examples, and batches of full size.

A case's objects lie in a folder laid out like S3; a function reads them there, or from an S3 that
was given them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.environment import ROOT
from groundtruth.jobs import job_name
from groundtruth.storage.folder import FolderStore
from labeljob.emulator import EmbeddedAws
from labeljob.emulator.invocation import LABEL_CATEGORIES
from labeljob.jobs.job_location import JOBS_FOLDER

EXAMPLES = ROOT / "events"
JOB_TYPES = ("image_multi_class", "image_multi_class_multi_label", "semantic_segmentation")
FUNCTIONS = tuple(f"{kind}_{job_type}" for kind in ("pre", "acs") for job_type in JOB_TYPES)
BATCH_OBJECTS, BATCH_WORKERS = 50, 9
BATCH = f"{BATCH_OBJECTS} x {BATCH_WORKERS}"
MASK_SIZE = "640x480"
_LABELS = {"semantic_segmentation": 5}
_JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One function with one event."""

    function: str  # name of its folder under ``functions/``
    name: str  # ``"example"``, or the size of the batch
    event: Any  # what the function is called with
    folder: Path  # the objects it reads, and descriptions of the labeling jobs
    n_objects: int  # how many data objects the event is of

    @property
    def jobs(self) -> Mapping[str, Mapping[str, Any]]:
        """The labeling jobs that can be described, by name."""
        files = (self.folder / JOBS_FOLDER).glob("*.json")
        return {file.stem: json.loads(file.read_bytes()) for file in files}

    def upload(self, aws: EmbeddedAws) -> None:
        """Put the objects into an S3."""
        for uri, file in self._objects():
            aws.put(uri, file.read_bytes())

    def _objects(self) -> Iterator[tuple[str, Path]]:
        for file in sorted(self.folder.rglob("*")):
            inside = file.relative_to(self.folder)
            if file.is_file() and len(inside.parts) > 1 and inside.parts[0] != JOBS_FOLDER:
                yield f"s3://{inside.as_posix()}", file


def example_case(function: str, folder: Path) -> Case:
    """The function's own example under ``events/``, written into an empty folder."""
    event = json.loads((EXAMPLES / function / "event.json").read_bytes())
    payload = EXAMPLES / function / "payload.json"
    described = {"LabelAttributeName": event.get("labelAttributeName", "label"), "Tags": []}
    if payload.is_file():
        uri, body = event["payload"]["s3Uri"], payload.read_bytes()
        n_objects = len(json.loads(body))
    else:
        uri, body = LABEL_CATEGORIES, (EXAMPLES / function / "label_categories.json").read_bytes()
        described["LabelCategoryConfigS3Uri"] = uri
        n_objects = 1
    FolderStore(folder).write(uri, body, content_type=_JSON, kms_key=None)
    name = job_name(event["labelingJobArn"]).lower()
    (folder / JOBS_FOLDER).mkdir()
    (folder / JOBS_FOLDER / f"{name}.json").write_text(json.dumps(described), encoding="utf-8")
    return Case(function=function, name="example", event=event, folder=folder, n_objects=n_objects)


def batch_case(function: str, folder: Path, *, seed: int, mask_size: str = MASK_SIZE) -> Case:
    """A full batch of an ACS function, made by `labeljob synthesize` in a new folder."""
    job_type = function.removeprefix("acs_")
    labels = ",".join(f"class-{number}" for number in range(_LABELS.get(job_type, 10)))
    options = {
        "--task": job_type.replace("_", "-"),
        "--labels": labels,
        "--workers": str(BATCH_WORKERS),
        "--per-object": str(BATCH_WORKERS),
        "--objects": str(BATCH_OBJECTS),
        "--batch-size": str(BATCH_OBJECTS),
        "--image-size": mask_size,
        "--seed": str(seed),
        "--output": str(folder),
    }
    command = [str(Path(sys.executable).with_name("labeljob")), "synthesize", "--no-tree"]
    given = [part for option in options.items() for part in option]
    subprocess.run([*command, *given], check=True, stdout=subprocess.DEVNULL)
    (line,) = (folder / "events" / "acs.jsonl").read_text(encoding="utf-8").splitlines()
    return Case(
        function=function,
        name=BATCH,
        event=json.loads(line),
        folder=folder,
        n_objects=BATCH_OBJECTS,
    )
