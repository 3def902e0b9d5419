"""One label for each image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labeljob.simulation.choices import choose_class, is_names, unknown_label
from labeljob.simulation.workers import SimulatedWorker
from labeljob.tasks.base import JobType, Truth

_SHOWN_BY_CLASSIFIER = 10


class ImageMultiClass(JobType):
    """One label for each image."""

    name = "image-multi-class"
    summary = "one label per image"
    page_element = "crowd-image-classifier"
    score_name = "accuracy"
    label_attribute = "label"
    truth_key = "label"
    request_title = "Choose the label of an image"
    request_description = "Look at an image and choose the one label that fits it best."
    request_keywords = ("image", "classification", "label")
    time_limit = 300
    single_choice = True

    def label_count_warning(self, n_labels: int) -> str | None:
        """What may surprise with so many labels; None if nothing does."""
        if n_labels <= _SHOWN_BY_CLASSIFIER:
            return None
        return (
            f"there are {n_labels} labels; AWS documents {_SHOWN_BY_CLASSIFIER} as the most that "
            "crowd-image-classifier shows (30 for jobs made in the console)"
        )

    def parse_truth(self, value: Any, labels: Sequence[str], folder: Path) -> Truth:
        """The class that a line of a truth file names."""
        if not is_names([value]):
            raise ValueError(f'"label" is not a name: {value!r}')
        if problem := unknown_label([value], labels):
            raise ValueError(problem)
        return str(value)

    def invent_truth(
        self, labels: Sequence[str], shape: tuple[int, int] | None, rng: np.random.Generator
    ) -> Truth:
        """A random class."""
        return labels[int(rng.integers(len(labels)))]

    def answer(
        self,
        worker: SimulatedWorker,
        truth: Truth,
        labels: Sequence[str],
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """The class that the worker chooses, as crowd-image-classifier submits it."""
        if not isinstance(truth, str):
            raise ValueError(f"a truth of type {type(truth).__name__} does not fit {self}")
        return self.submit(choose_class(worker, truth, labels, rng), labels)

    def submit(self, said: Any, labels: Sequence[str]) -> dict[str, Any]:
        """A label as crowd-image-classifier submits it."""
        return {self.page_element: {"label": said}}

    def fits(self, *, most_choices: int, has_regions: bool) -> bool:
        """Whether nobody gave an image two labels."""
        return most_choices == 1 and not has_regions

    def chance(self, n_classes: int) -> float:
        """How often somebody who guesses recognises a class."""
        return 1.0 / n_classes

    def choose_only(self, index: int, labels: Sequence[str], truth: Truth) -> Truth:
        """The class of that index."""
        return labels[index]

    def contradict(self, truth: Truth, labels: Sequence[str]) -> Truth:
        """The class after the true one."""
        return labels[(labels.index(str(truth)) + 1) % len(labels)]
