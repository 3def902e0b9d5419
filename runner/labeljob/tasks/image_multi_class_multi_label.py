"""Every label that applies to an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np

from groundtruth.annotations import Answers, RejectedAnswer
from groundtruth.tasks.base import Label, NamesTask
from labeljob.metrics.names import score_names
from labeljob.simulation.workers import SimulatedWorker
from labeljob.tasks.base import (
    Ints,
    JobType,
    LabelParts,
    Mask,
    Truth,
    find_label,
    is_names,
    unknown_label,
)
from labeljob.tasks.plain_labels import PlainLines, plain_classes_lines, read_plain_classes

_QUOTA = 50


class ImageMultiClassMultiLabel(JobType):
    """Every label that applies to an image."""

    name = "image-multi-class-multi-label"
    summary = "several labels per image"
    page_element = "crowd-image-classifier-multi-select"
    page_twin = "crowd-classifier-multi-select"
    score_name = "mean Jaccard index"
    label_attribute = "labels"
    truth_key = "labels"
    request_title = "Choose all labels of an image"
    request_description = "Look at an image and choose every label of something you can see in it."
    request_keywords = ("image", "classification", "multiple labels")
    step_seconds = 0.7e-6  # with 8 labels
    time_limit = 600
    has_quorum = True
    units_are_alike = False
    copying_by_chance = 0.2
    agreement_note = "It is the Jaccard index: labels in common by labels in either."
    coefficient_note = " Both are means over the labels, each taken as a question of its own."

    @property
    def names_task(self) -> NamesTask[Any]:
        """Its part in the library."""
        return cast("NamesTask[Any]", self.library)

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
        return self.submit(_choose_labels(worker, truth, labels, rng), labels)

    def submit(self, said: Any, labels: Sequence[str]) -> dict[str, Any]:
        """Labels as crowd-image-classifier-multi-select submits them."""
        return {self.page_element: {"labels": list(said)}}

    def fits(self, *, most_choices: int, has_regions: bool) -> bool:
        """Whether somebody gave an image several labels."""
        return most_choices > 1 and not has_regions

    def name_choices(self, choices: Ints, classes: Sequence[str]) -> list[str]:
        """Names of the labels that were ticked."""
        return [classes[index] for index in np.flatnonzero(choices).tolist()]

    def choose_only(self, index: int, labels: Sequence[str], truth: Truth) -> Truth:
        """The label of that index alone."""
        return frozenset({labels[index]})

    def contradict(self, truth: Truth, labels: Sequence[str]) -> Truth:
        """The labels that do not apply."""
        return frozenset(labels) - frozenset(truth) or truth

    def n_values(self, n_classes: int) -> int:
        """Chosen or not."""
        return 2

    def to_choices(
        self, answers: Answers[Any], classes: Sequence[str], rejected: list[RejectedAnswer]
    ) -> dict[str, Ints]:
        """For each worker 1 for each class that was ticked, else 0."""
        choices = {}
        for worker, indices in zip(answers.workers, answers.answers, strict=True):
            choices[worker] = np.zeros(len(classes), dtype=np.int64)
            choices[worker][list(indices)] = 1
        return choices

    def truth_choices(self, truth: Truth, classes: Sequence[str]) -> Ints:
        """1 for each class that applies, else 0."""
        return np.array([name in truth for name in classes], dtype=np.int64)

    def truth_names(self, truth: Truth) -> list[str]:
        """The labels that apply, in sorted order."""
        return sorted(map(str, truth))

    def similarity(self, first: Ints, second: Ints) -> float:
        """The Jaccard index: labels in common by labels in either.

        Examples
        --------
        >>> ImageMultiClassMultiLabel().similarity(np.array([1, 1, 0]), np.array([1, 0, 0]))
        0.5
        """
        one, other = set(np.flatnonzero(first).tolist()), set(np.flatnonzero(second).tolist())
        return len(one & other) / len(one | other) if one | other else 1.0

    def majority(self, votes: Ints) -> Ints:
        """The labels that more than half of the workers chose, else the one most often chosen.

        Examples
        --------
        >>> ImageMultiClassMultiLabel().majority(np.array([[1, 1], [1, 1], [2, 0]]))
        array([1, 0, 0])
        """
        chosen = votes[:, 1] > votes[:, 0]
        if not chosen.any():
            chosen[votes[:, 1].argmax()] = True
        return chosen.astype(np.int64)

    def confuse(self, true: Ints, said: Ints, n_classes: int) -> Iterator[tuple[int, int, float]]:
        """Labels that were found, and missed ones spread over those that were said instead."""
        for label in np.flatnonzero(said & true).tolist():
            yield label, label, 1.0
        missed = np.flatnonzero(true > said).tolist()
        extra = np.flatnonzero(said > true).tolist()
        for missing, instead in product(missed, extra):
            yield missing, instead, 1.0 / max(len(missed), len(extra))

    def agreement_questions(
        self, votes: Sequence[Ints], n_classes: int
    ) -> tuple[list[Ints], list[Ints], list[int]]:
        """Each label is a question of its own."""
        stack = np.stack(votes)
        questions = [stack[:, index] for index in range(n_classes)]
        return questions, questions, [int(question[:, 1].sum()) for question in questions]

    def read_plain_label(self, value: Any, metadata: Mapping[str, Any]) -> LabelParts | None:
        """The label, if it is written as usual."""
        return read_plain_classes(value, metadata)

    def plain_lines(self, attribute: str) -> Sequence[PlainLines]:
        """What reads lines with labels in either style."""
        return plain_classes_lines(attribute)

    def score_labels(
        self,
        labels: Mapping[str, Label],
        truths: Mapping[str, Truth],
        classes: Sequence[str],
        read_mask: Callable[[Label], Mask | None],
    ) -> dict[str, float]:
        """Accuracy of the whole sets, F1 of both kinds, and the mean Jaccard index."""
        named = {key: {item.name for item in label.classes} for key, label in labels.items()}
        said = [named.get(key, set()) for key in truths]
        return score_names([set(truth) for truth in truths.values()], said, classes)


def _choose_labels(
    worker: SimulatedWorker, truth: frozenset[str], labels: Sequence[str], rng: np.random.Generator
) -> list[str]:
    """Tick every label that the worker thinks applies, at least one; raises `ValueError`.

    Each label is a question of its own, answered rightly as often as `worker.skill.accuracy`
    says. A worker who would tick nothing ticks what was nearest to being ticked, since the page
    asks for at least one.
    """
    applies = np.zeros(len(labels), dtype=np.bool_)
    for name in truth:
        applies[find_label(name, labels)] = True
    pair = worker.confused_classes(labels)
    if pair is not None and rng.random() < worker.skill.confusion:
        applies[list(pair)] = applies[list(pair[::-1])]
    accuracy = worker.skill.accuracy
    chance = np.where(applies, accuracy, 1.0 - accuracy)
    if worker.kind == "spammer":
        chance[:] = 0.5
    lead = chance - rng.random(len(labels))
    ticked = [name for name, by in zip(labels, lead, strict=True) if by > 0.0]
    return ticked or [labels[int(np.argmax(lead))]]
