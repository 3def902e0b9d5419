"""Every label that applies to an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeljob.simulation.choices import choose_labels, is_names, unknown_label
from labeljob.simulation.workers import SimulatedWorker
from labeljob.tasks.base import JobType, Truth

_QUOTA = 50


class ImageMultiClassMultiLabel(JobType):
    """Every label that applies to an image."""

    name = "image-multi-class-multi-label"
    summary = "several labels per image"
    page_element = "crowd-image-classifier-multi-select"
    score_name = "mean Jaccard index"
    label_attribute = "labels"
    truth_key = "labels"
    request_title = "Choose all labels of an image"
    request_description = "Look at an image and choose every label of something you can see in it."
    request_keywords = ("image", "classification", "multiple labels")
    time_limit = 600

    def label_count_warning(self, n_labels: int) -> str | None:
        """What may surprise with so many labels; None if nothing does."""
        if n_labels <= _QUOTA:
            return None
        return f"there are {n_labels} labels; Ground Truth's quota for this job type is {_QUOTA}"

    def parse_truth(self, value: Any, labels: Sequence[str], folder: Path) -> Truth:
        """The labels that a line of a truth file lists."""
        if not is_names(value):
            raise ValueError(f'"labels" is not a list of one or more names: {value!r}')
        if problem := unknown_label(value, labels):
            raise ValueError(problem)
        return frozenset(value)

    def invent_truth(
        self, labels: Sequence[str], shape: tuple[int, int] | None, rng: np.random.Generator
    ) -> Truth:
        """One to three random labels."""
        count = int(rng.integers(1, min(3, len(labels)) + 1))
        return frozenset(labels[index] for index in rng.permutation(len(labels))[:count])

    def answer(
        self,
        worker: SimulatedWorker,
        truth: Truth,
        labels: Sequence[str],
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """The labels that the worker ticks, as crowd-image-classifier-multi-select submits them."""
        if not isinstance(truth, frozenset):
            raise ValueError(f"a truth of type {type(truth).__name__} does not fit {self}")
        return self.submit(choose_labels(worker, truth, labels, rng), labels)

    def submit(self, said: Any, labels: Sequence[str]) -> dict[str, Any]:
        """Labels as crowd-image-classifier-multi-select submits them."""
        return {self.page_element: {"labels": list(said)}}

    def fits(self, *, most_choices: int, has_regions: bool) -> bool:
        """Whether somebody gave an image several labels."""
        return most_choices > 1 and not has_regions

    def name_choices(self, choices: NDArray[np.int64], classes: Sequence[str]) -> list[str]:
        """Names of the labels that were ticked."""
        return [classes[index] for index in np.flatnonzero(choices).tolist()]

    def choose_only(self, index: int, labels: Sequence[str], truth: Truth) -> Truth:
        """The label of that index alone."""
        return frozenset({labels[index]})

    def contradict(self, truth: Truth, labels: Sequence[str]) -> Truth:
        """The labels that do not apply."""
        return frozenset(labels) - frozenset(truth) or truth
