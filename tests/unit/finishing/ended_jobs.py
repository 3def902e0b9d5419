"""A labeling job that is over, in a folder laid out like S3."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from groundtruth.finishing.job import EndedJob, FinishedJob, finish_job
from groundtruth.finishing.manifest import compact_json
from groundtruth.storage.folder import FolderStore

ROOT = "s3://example-groundtruth-bucket/labels/Wetland-Birds-01"
OUTPUT = f"{ROOT}/manifests/output"
RESPONSES = f"{ROOT}/annotations/consolidated-annotation/consolidation-response"
ATTRIBUTE = "species"
METADATA = f"{ATTRIBUTE}-metadata"
JOB_NAME = "labeling-job/wetland-birds-01"


def custom(**changes: Any) -> dict[str, Any]:
    """Metadata that the service writes over those of a custom job."""
    return {
        "type": "groundtruth/custom",
        "job-name": "Wetland-Birds-01",
        "human-annotated": "yes",
        "creation-date": "2026-03-02T10:15:31.412000",
        **changes,
    }


def builtin(name: str = "Heron", confidence: float = 0.9, **changes: Any) -> dict[str, Any]:
    """Metadata of a single label as the built-in function writes them."""
    return {
        "confidence": confidence,
        "job-name": JOB_NAME,
        "class-name": name,
        "human-annotated": "yes",
        "creation-date": "2026-03-02T10:15:31.412000",
        "type": "groundtruth/image-classification",
        **changes,
    }


def chosen(
    class_id: int | None = 0, name: str | None = "Heron", confidence: float = 0.9, **more: Any
) -> dict[str, Any]:
    """A single label in the `object` style."""
    return {"class-id": class_id, "class-name": name, "confidence": confidence, **more}


def reference(at: int) -> str:
    return f"s3://example-groundtruth-bucket/images/{at}.jpg"


def line(at: int, value: Any = None, metadata: Any = None, **more: Any) -> dict[str, Any]:
    """A data object of the manifest, labeled if it has a value."""
    if value is not None:
        more |= {ATTRIBUTE: value, METADATA: metadata or custom()}
    return {"source-ref": reference(at), **more}


class Job:
    """A job's files, to be written and read one by one."""

    def __init__(self, folder: Path, *, root: str = ROOT) -> None:
        self.store = FolderStore(folder)
        self.root = root
        self.responses = f"{root}/annotations/consolidated-annotation/consolidation-response"

    def write(self, uri: str, body: str | bytes) -> str:
        content = body.encode() if isinstance(body, str) else body
        self.store.write(uri, content, content_type="", kms_key=None)
        return uri

    def output(self, *lines: Any) -> str:
        """Write the service's manifest; a line that is no text becomes JSON."""
        texts = [line if isinstance(line, str) else compact_json(line) for line in lines]
        return self.write(
            f"{self.root}/manifests/output/output.manifest", "".join(f"{text}\n" for text in texts)
        )

    def response(
        self,
        contents: Mapping[Any, Any],
        *,
        iteration: int = 1,
        time: str = "2026-03-02_10:15:31",
    ) -> None:
        """Write one response: content by data object."""
        items = [
            {"datasetObjectId": str(at), "consolidatedAnnotation": {"content": content}}
            for at, content in contents.items()
        ]
        self.write(f"{self.responses}/iteration-{iteration}/{time}.json", json.dumps(items))

    def finish(self, **options: Any) -> FinishedJob:
        attribute = options.pop("attribute", ATTRIBUTE)
        job = EndedJob(root=self.root, attribute=attribute, **options)
        return finish_job(job, store=self.store)

    def text(self, name: str) -> str:
        return self.store.read(f"{self.root}/manifests/output/{name}").decode()

    def finished(self) -> list[Any]:
        return decoded(self.text("finished.manifest").splitlines())

    def requeued(self) -> list[str]:
        return self.text("requeue.manifest").splitlines()

    def summary(self) -> dict[str, Any]:
        return dict(json.loads(self.text("summary.json")))

    def written(self) -> dict[str, bytes]:
        names = ("finished.manifest", "requeue.manifest", "summary.json")
        return {name: self.text(name).encode() for name in names}


def decoded(lines: Iterable[str]) -> list[Any]:
    return [json.loads(line) for line in lines]
