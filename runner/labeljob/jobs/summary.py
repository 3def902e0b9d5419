"""What came out of a job, counted."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from groundtruth.tasks.base import NO_USABLE_ANSWER, NOT_PROCESSED
from labeljob.jobs.manifest_lines import ManifestLine
from labeljob.jobs.run import JobRun
from labeljob.tasks.base import Truth

WITHOUT_LABEL = (NO_USABLE_ANSWER, NOT_PROCESSED)


@dataclass(kw_only=True)
class Summary:
    """Counts over the data objects of a job.

    Attributes
    ----------
    objects : int
        Lines of the manifest.
    unasked : int
        Those that no worker was asked about.
    statuses, rejected : Counter
        Labels by status, answers that did not count by reason.
    confidences : list of float
        Of all labels, each in [0, 1].
    scores : list of float
        Agreement with the truth in [0, 1]: 1 or 0 for a class, the Jaccard index of label sets,
        the mean intersection over union of the classes of a mask.
    """

    objects: int = 0
    unasked: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    confidences: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    @property
    def mean_confidence(self) -> float:
        """Mean over the labels; 0 without any."""
        return float(np.mean(self.confidences)) if self.confidences else 0.0

    @property
    def mean_score(self) -> float:
        """Mean agreement with the truth; 0 without any label."""
        return float(np.mean(self.scores)) if self.scores else 0.0


def summarize(run: JobRun) -> Summary:
    """Count what a finished run wrote."""
    summary = Summary()
    for batch in run.batches():
        contents = run.consolidated(batch)
        for line in batch.lines:
            summary.objects += 1
            content = contents.get(line.object_id)
            if content is None:
                summary.unasked += 1
            else:
                _count(summary, run, line, content)
    return summary


def _count(summary: Summary, run: JobRun, line: ManifestLine, content: Mapping[str, Any]) -> None:
    attribute = run.description.attribute
    value = content.get(attribute)
    if isinstance(value, dict):
        summary.statuses[value["status"]] += 1
        for item in value["answers"]["set-aside"]:
            summary.rejected[item["reason"]] += 1
    else:
        summary.statuses["labeled" if attribute in content else "no-usable-answer"] += 1
    metadata = content.get(f"{attribute}-metadata", {})
    confidences = _confidences(value if isinstance(value, dict) else metadata)
    if attribute in content and confidences:
        summary.confidences.append(float(np.mean(confidences)))
    score = _score(run, value, metadata, run.truth_of(line))
    if score is not None:
        summary.scores.append(score)


def _confidences(value: Mapping[str, Any]) -> list[float]:
    if "confidence" in value:
        return [] if value.get("status") in WITHOUT_LABEL else [value["confidence"]]
    if "confidence-map" in value:
        return list(value["confidence-map"].values())
    return [entry["confidence"] for entry in value.get("internal-color-map", {}).values()]


def _score(run: JobRun, value: Any, metadata: Mapping[str, Any], truth: Truth) -> float | None:
    """Agreement of one label with the truth; None if there is no label."""
    if isinstance(truth, np.ndarray):
        uri = value.get("mask-ref") if isinstance(value, dict) else value
        return None if uri is None else _mean_iou(_mask(run, uri), truth)
    source = value if isinstance(value, dict) else metadata
    if isinstance(truth, str):
        name = source.get("class-name")
        return None if name is None else float(name == truth)
    names = set(source.get("class-map", {}).values())
    return len(names & truth) / len(names | truth) if names else None


def _mask(run: JobRun, uri: str) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(run.store.read(uri)), formats=("PNG",)) as image:
        return np.array(image)


def _mean_iou(mask: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    present = np.union1d(np.unique(mask), np.unique(truth))
    return float(
        np.mean(
            [
                ((mask == at) & (truth == at)).sum() / ((mask == at) | (truth == at)).sum()
                for at in present
            ]
        )
    )
