"""A confidence map fitted on a finished job's labels whose truth is known."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from groundtruth.aggregation.classification.calibration_maps import (
    ConfidenceMap,
    cross_validated,
    fit_isotonic,
    fit_logistic,
)
from groundtruth.auxiliary_inputs import confidence_map_content
from groundtruth.contract.acs import CONSOLIDATED_FOLDER
from groundtruth.finishing.outcomes import METADATA, ResponseIndex
from groundtruth.tasks.base import BUILTIN, Label
from groundtruth.tasks.registry import decode_label
from labeljob.history.job import JobOnFile
from labeljob.jobs.description import JobError
from labeljob.metrics.scores import ScoredConfidences, measure_confidences, score_confidences
from labeljob.tasks.base import Truth

FEWEST_OBJECTS = 50
"""With fewer known objects a map learns their chances, not the job's."""

FOLDS = 10
FIGURES = ("ece", "ece-equal-mass", "brier", "log-loss")
"""Measures shown before and after; the smaller, the better."""


class MapKind(StrEnum):
    """Which kind of map."""

    LOGISTIC = "logistic"
    ISOTONIC = "isotonic"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A map, and what it is worth; `mapped` is by maps that were fitted on the other folds."""

    job: str
    algorithm: str
    settings: str
    kind: MapKind
    known: ScoredConfidences
    mapped: list[float]
    fitted: ConfidenceMap

    @cached_property
    def before(self) -> dict[str, float]:
        """Figures of the confidences as they are."""
        return _figures(self.known.confidences, self.known.right)

    @cached_property
    def after(self) -> dict[str, float]:
        """Figures of the confidences put right, each by a map that did not see it."""
        return _figures(self.mapped, self.known.right)

    @property
    def helps(self) -> bool:
        """Whether both the calibration error and the log loss are lower with the map."""
        return all(self.after[name] < self.before[name] for name in ("ece", "log-loss"))

    def content(self) -> dict[str, Any]:
        """The map's file: what the function reads, and where it comes from."""
        return confidence_map_content(self.fitted) | {
            "fitted-on": {
                "job": self.job,
                "algorithm": self.algorithm,
                "settings": self.settings,
                "objects": len(self.known.right),
                "right": int(sum(self.known.right)),
            },
            "cross-validated": {
                "folds": min(FOLDS, len(self.known.right)),
                "before": self.before,
                "after": self.after,
                "helps": self.helps,
            },
        }

    def as_bytes(self) -> bytes:
        """The map's file as it is stored."""
        return (json.dumps(self.content(), indent=2, ensure_ascii=False) + "\n").encode()


def _figures(confidences: list[float], right: list[float]) -> dict[str, float]:
    figures = measure_confidences(confidences, right)
    return {name: round(figures[name], 6) for name in FIGURES}


def calibrate_job(
    job: JobOnFile,
    truths: Mapping[str, Truth],
    kind: MapKind,
    *,
    force: bool = False,
    seed: int = 0,
) -> Calibration:
    """Fit a confidence map on a job's labels whose truth is known.

    Raises `JobError` if the job has several labels or masks, its labels tell no confidence that a
    map can be fitted to, or fewer than `FEWEST_OBJECTS` (with `force`, 2) have a known truth.
    """
    if not job.task.single_choice:
        raise JobError(
            f"{job.place.name} is a job of {job.task}: a confidence map is for jobs with one label "
            "for each data object (image-multi-class), and the other job types do not apply any"
        )
    labels = {key: label for key, label in _labels(job).items() if key in truths and label.classes}
    algorithm, settings = _made_by(job, labels)
    known = score_confidences(job.task, labels, truths)
    fewest = 2 if force else FEWEST_OBJECTS
    if len(known.right) < fewest:
        hint = "" if force else "; with --force it is fitted all the same"
        raise JobError(
            f"a confidence map takes {fewest} or more labeled data objects whose truth is known, "
            f"and the job has {len(known.right)}{hint}"
        )
    fit = fit_isotonic if kind is MapKind.ISOTONIC else fit_logistic
    confidences, right = np.array(known.confidences), np.array(known.right) > 0
    rng, n_folds = np.random.default_rng(seed), min(FOLDS, right.size)
    mapped = cross_validated(fit, confidences, right, n_folds=n_folds, rng=rng)
    return Calibration(
        job=job.name.rpartition("/")[2],
        algorithm=algorithm,
        settings=settings,
        kind=kind,
        known=known,
        mapped=mapped.tolist(),
        fitted=fit(confidences, right),
    )


def _labels(job: JobOnFile) -> dict[str, Label]:
    """The labels as the function answered them, else as the manifest has them."""
    labels = {line.object_id: line.label(job.attribute) for line in job.lines}
    prefix = f"{job.place.root}/annotations/{CONSOLIDATED_FOLDER}/consolidation-response/"
    with (
        tempfile.TemporaryDirectory() as folder,
        ResponseIndex(Path(folder) / "responses.sqlite") as index,
    ):
        index.read(prefix, job.attribute, job.place.store)
        for object_id in job.object_ids():
            if (response := index.get(object_id)) is not None:
                content = response.content
                value, metadata = (content.get(f"{job.attribute}{end}") for end in ("", METADATA))
                labels[object_id] = decode_label(value, metadata) or labels.get(object_id)
    return {object_id: label for object_id, label in labels.items() if label is not None}


def _made_by(job: JobOnFile, labels: Mapping[str, Label]) -> tuple[str, str]:
    """Algorithm and settings' hash of the labels."""
    if labels and all(label.style == BUILTIN for label in labels.values()):
        raise JobError(
            "the labels are in the builtin style, which does not tell how they came about; "
            "a confidence map is fitted on a job with the output style object"
        )
    makers = sorted({label.algorithm for label in labels.values() if label.algorithm})
    if len(makers) > 1:
        listed = ", ".join(f"{name} ({settings})" for name, settings in makers)
        raise JobError(f"the labels were made in several ways, one map does not fit: {listed}")
    name, settings = makers[0] if makers else ("", "")
    if name == "builtin":
        raise JobError("the algorithm builtin keeps AWS's own confidences: no map is applied to it")
    if uri := job.settings.confidence_map_s3_uri:
        raise JobError(f"the confidences were put right already, by {uri}: run the job without it")
    return name, settings
