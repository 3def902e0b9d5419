"""Finished jobs made by the crowd alone, so that the pictures need no `labeljob run`."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from labeljob.demo.material import DemoJob, lay_out
from labeljob.simulation import workers as profiles
from labeljob.simulation import workers as simulated
from labeljob.simulation.masks import label_colors
from labeljob.simulation.truth import read_truth
from labeljob.tasks.registry import find_job_type
from tests.runner.painted_masks import answer_mask

SEED = 20


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands for S3, with the demonstration laid out in it."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def jobs(store: Path) -> dict[str, DemoJob]:
    """The demonstration's jobs by task."""
    return {job.task: job for job in lay_out(store)}


@pytest.fixture(scope="session")
def finish(store: Path) -> Callable[[DemoJob], Path]:
    """Answer and label every data object of a job, once, and say in which folder."""

    def run(job: DemoJob) -> Path:
        folder = store / "groundtruth-demo" / "labels" / job.name
        if folder.is_dir():
            return folder
        labels = [entry["label"] for entry in json.loads(job.labels.read_text())["labels"]]
        task = find_job_type(job.task)
        truth = read_truth(job.truth, task, labels)
        workers = profiles.create_workers(job.crew, seed=SEED)
        lines = []
        for object_id, source_ref in enumerate(truth):
            asked: dict[str, Any] = {"object_id": str(object_id), "labels": labels}
            contents = [
                simulated.answer(worker, task, truth=truth[source_ref], seed=SEED, **asked)
                for worker in workers
            ]
            _write_answers(folder, str(object_id), [w.worker_id for w in workers], contents)
            label = _LABELERS[job.task](contents, labels, folder / f"{object_id}.png", store)
            lines.append(json.dumps({"source-ref": source_ref, job.label_attribute_name: label}))
        manifest = folder / "manifests" / "output" / "output.manifest"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text("\n".join(lines) + "\n")
        return folder

    return run


def _write_answers(
    folder: Path, object_id: str, workers: Sequence[str], contents: Sequence[dict[str, Any]]
) -> None:
    path = folder / "annotations" / "worker-response" / "iteration-1" / object_id
    path.mkdir(parents=True, exist_ok=True)
    answers = [
        {"workerId": worker, "answerContent": content}
        for worker, content in zip(workers, contents, strict=True)
    ]
    (path / "2026-01-01_00:00:00.json").write_text(json.dumps({"answers": answers}))


def _one_class(
    contents: Sequence[dict[str, Any]], labels: Sequence[str], _mask: Path, _store: Path
) -> dict[str, Any]:
    votes = Counter(content["crowd-image-classifier"]["label"] for content in contents)
    (name, count), *others = votes.most_common()
    tie = bool(others) and others[0][1] == count
    return {
        "class-id": labels.index(name),
        "class-name": name,
        "confidence": count / len(contents),
        "status": "tie" if tie else "consensus",
        "votes": votes,
    }


def _several_labels(
    contents: Sequence[dict[str, Any]], labels: Sequence[str], _mask: Path, _store: Path
) -> dict[str, Any]:
    ticked = [content["crowd-image-classifier-multi-select"]["labels"] for content in contents]
    votes = Counter(name for names in ticked for name in names)
    chosen = [name for name, count in votes.most_common() if count > len(contents) / 2]
    places = {str(labels.index(name)): name for name in chosen}
    return {
        "class-ids": [int(place) for place in places],
        "class-map": places,
        "confidence-map": {p: votes[name] / len(contents) for p, name in places.items()},
        "status": "consensus" if chosen else "low-confidence",
        "votes": votes,
    }


def _mask(
    contents: Sequence[dict[str, Any]], labels: Sequence[str], path: Path, store: Path
) -> dict[str, Any]:
    masks = [answer_mask(content, labels) for content in contents]
    votes = np.stack([sum(mask == place for mask in masks) for place in range(len(labels) + 1)])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(votes.argmax(axis=0).astype(np.uint8)).save(path)
    colors = ["#ffffff", *label_colors(labels).values()]
    return {
        "mask-ref": f"s3://{path.relative_to(store).as_posix()}",
        "internal-color-map": {
            str(place): {"class-name": name, "hex-color": color, "confidence": 0.9}
            for place, (name, color) in enumerate(zip(["BACKGROUND", *labels], colors, strict=True))
        },
        "confidence": 0.9,
        "status": "consensus",
    }


_LABELERS = {
    "image-multi-class": _one_class,
    "image-multi-class-multi-label": _several_labels,
    "semantic-segmentation": _mask,
}
