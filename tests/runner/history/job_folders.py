"""Job folders on disk, as `aws s3 sync` leaves them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CLASSES = ("cat", "dog", "eel")
ATTRIBUTE = "animal"
STARTED = "2026-03-02T10:00:"


def chosen(name: str) -> dict[str, Any]:
    """A worker's answer to the single-label page."""
    return {"crowd-image-classifier": {"label": name}}


def ticked(*names: str) -> dict[str, Any]:
    """A worker's answer to the multi-label page."""
    return {"crowd-image-classifier-multi-select": {"labels": list(names)}}


def response(answers: Mapping[str, Any], seconds: float = 10.0) -> dict[str, Any]:
    """A worker-response file."""
    return {
        "answers": [
            {
                "acceptanceTime": f"{STARTED}00.000Z",
                "answerContent": content,
                "submissionTime": f"{STARTED}{min(59, int(seconds)):02}.000Z",
                "timeSpentInSeconds": seconds,
                "workerId": worker,
            }
            for worker, content in answers.items()
        ]
    }


def write(path: Path, value: Any) -> Path:
    """Write JSON, or a text as it is, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def response_path(folder: Path, object_id: str, name: str = "2026-03-02_10:00:30") -> Path:
    """Where the answers to a data object are."""
    return folder / f"annotations/worker-response/iteration-1/{object_id}/{name}.json"


def request_path(folder: Path, name: str = "2026-03-02_10:01:00") -> Path:
    """Where the payload of a call is."""
    top = "annotations/consolidated-annotation/consolidation-request"
    return folder / f"{top}/iteration-1/{name}.json"


def request(objects: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A consolidation-request file."""
    return [
        {
            "datasetObjectId": object_id,
            "dataObject": {"s3Uri": f"s3://images/{object_id}.jpg"},
            "annotations": [
                {"workerId": worker, "annotationData": {"content": json.dumps(content)}}
                for worker, content in answers.items()
            ],
        }
        for object_id, answers in objects.items()
    ]


def builtin_line(at: int, name: str, confidence: float = 0.95, second: int = 0) -> dict[str, Any]:
    """A line of a built-in single-label job's output manifest."""
    return {
        "source-ref": f"s3://images/{at}.jpg",
        ATTRIBUTE: CLASSES.index(name),
        f"{ATTRIBUTE}-metadata": {
            "confidence": confidence,
            "job-name": "labeling-job/zoo",
            "class-name": name,
            "human-annotated": "yes",
            "creation-date": f"{STARTED}{second:02}.000000",
            "type": "groundtruth/image-classification",
        },
    }


def write_manifest(folder: Path, lines: Sequence[Any]) -> Path:
    """Write the job's output manifest; a text is a line as it is."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return write(folder / "manifests/output/output.manifest", "\n".join(texts) + "\n")


def make_job(folder: Path, votes: Mapping[str, Mapping[str, str]], labels: Sequence[str]) -> Path:
    """A built-in single-label job: who said what of each data object, and its labels."""
    for object_id, said in votes.items():
        answers = {worker: chosen(name) for worker, name in said.items()}
        write(response_path(folder, object_id), response(answers))
    write_manifest(folder, [builtin_line(at, name) for at, name in enumerate(labels)])
    return folder


def make_multi_label_job(
    folder: Path, votes: Mapping[str, Mapping[str, Sequence[str]]], labels: Sequence[Sequence[str]]
) -> Path:
    """A built-in job of several labels: who ticked what of each data object, and its labels."""
    for object_id, said in votes.items():
        answers = {worker: ticked(*names) for worker, names in said.items()}
        write(response_path(folder, object_id), response(answers))
    lines = []
    for at, names in enumerate(labels):
        ids = [CLASSES.index(name) for name in names]
        metadata = {
            "job-name": "labeling-job/zoo",
            "class-map": {str(index): CLASSES[index] for index in ids},
            "human-annotated": "yes",
            "creation-date": f"{STARTED}00.000000",
            "confidence-map": {str(index): _share(votes[str(at)], index) for index in ids},
            "type": "groundtruth/image-classification-multilabel",
        }
        lines.append(
            {
                "source-ref": f"s3://images/{at}.jpg",
                ATTRIBUTE: ids,
                f"{ATTRIBUTE}-metadata": metadata,
            }
        )
    write_manifest(folder, lines)
    return folder


def _share(said: Mapping[str, Sequence[str]], index: int) -> float:
    share = sum(CLASSES[index] in names for names in said.values()) / len(said)
    return round(0.9 * share + 0.05, 2)
