"""One label for each image."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from groundtruth.annotations import Answers, RejectedAnswer
from groundtruth.tasks.base import Label, NamesTask
from labeljob.metrics.names import score_names
from labeljob.rounds.accuracy_curve import CurveSimulation, simulate_classes
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
from labeljob.tasks.plain_labels import PlainLines, plain_class_lines, read_plain_class

if TYPE_CHECKING:
    from labeljob.formats.labeled import LabeledImage
    from labeljob.rounds.class_frequencies import GoldGain

_SHOWN_BY_CLASSIFIER = 10

_ANOTHER = "wrong: it is "


class ImageMultiClass(JobType):
    """One label for each image."""

    name = "image-multi-class"
    summary = "one label per image"
    page_element = "crowd-image-classifier"
    page_twin = "crowd-classifier"
    score_name = "accuracy"
    label_attribute = "label"
    truth_key = "label"
    request_title = "Choose the label of an image"
    request_description = "Look at an image and choose the one label that fits it best."
    request_keywords = ("image", "classification", "label")
    step_seconds = 0.25e-6
    time_limit = 300
    single_choice = True
    export_problems: ClassVar[Mapping[str, str]] = {
        name: problem for name, problem in JobType.export_problems.items() if name != "imagefolder"
    }
    agreement_note = "It estimates the worker’s accuracy as far as the others are right together."  # noqa: RUF001

    @property
    def names_task(self) -> NamesTask[Any]:
        """Its part in the library."""
        return cast("NamesTask[Any]", self.library)

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
        return self.submit(_choose_class(worker, truth, labels, rng), labels)

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

    def to_choices(
        self, answers: Answers[Any], classes: Sequence[str], rejected: list[RejectedAnswer]
    ) -> dict[str, Ints]:
        """The class that each worker chose."""
        pairs = zip(answers.workers, answers.answers, strict=True)
        return {worker: np.array([index], dtype=np.int64) for worker, index in pairs}

    def truth_choices(self, truth: Truth, classes: Sequence[str]) -> Ints:
        """The index of the true class."""
        return np.array([classes.index(str(truth))])

    def truth_names(self, truth: Truth) -> list[str]:
        """The true class."""
        return [str(truth)]

    def word_mistake(self, label: str) -> str:
        """That another label is right."""
        return f"{_ANOTHER}{label}"

    def correct(self, mistake: str) -> str | None:
        """The other label."""
        return mistake.removeprefix(_ANOTHER) if mistake.startswith(_ANOTHER) else None

    def name_truth(self, names: Sequence[str]) -> Truth:
        """The one name; raises ValueError if there are more."""
        if len(names) > 1:
            raise ValueError(f"has {len(names)} labels, and the job has one")
        return str(names[0])

    def similarity(self, first: Ints, second: Ints) -> float:
        """1 for the same class, 0 for another."""
        return float(first[0] == second[0])

    def agree(self, own: Ints, others: Ints) -> float:
        """Whether it is the class most others chose; of several the share of one of them."""
        votes = others[0]
        return float(votes[own[0]] == votes.max()) / int((votes == votes.max()).sum())

    def chance_agreement(self, votes: Sequence[Ints]) -> float:
        """How often two answers of the job are the same class."""
        total = sum(table[0] for table in votes)
        return float(((total / np.sum(total)) ** 2).sum())

    def simulate_curve(
        self, choices: Sequence[Ints], n_classes: int, true: Sequence[Ints] | None
    ) -> CurveSimulation:
        """Labels by majority, with more answers than there are drawn from an urn."""
        return simulate_classes(choices, n_classes, true)

    def is_two_class(self, classes: Collection[str]) -> bool:
        """Whether there are two classes."""
        return len(classes) == 2

    def estimate_gold_gain(
        self,
        workers: Sequence[Sequence[str]],
        choices: Sequence[Ints],
        n_classes: int,
        true: Sequence[Ints | None],
        rng: np.random.Generator,
    ) -> GoldGain | None:
        """By consolidation with known objects and without."""
        from labeljob.rounds.class_frequencies import estimate_gold_gain  # which needs this module

        truths = np.array([-1 if known is None else int(known[0]) for known in true])
        return estimate_gold_gain(workers, choices, n_classes, truths, rng)

    def read_plain_label(self, value: Any, metadata: Mapping[str, Any]) -> LabelParts | None:
        """The label, if it is written as usual."""
        return read_plain_class(value, metadata)

    def plain_lines(self, attribute: str) -> Sequence[PlainLines]:
        """What reads lines with labels in either style."""
        return plain_class_lines(attribute)

    def dataset_columns(self, datasets: Any, one: Any) -> dict[str, Any]:
        """One class."""
        return {"label": one}

    def dataset_row(self, image: LabeledImage) -> dict[str, Any]:
        """The class's index."""
        return {"label": image.indices[0]}

    def score_labels(
        self,
        labels: Mapping[str, Label],
        truths: Mapping[str, Truth],
        classes: Sequence[str],
        read_mask: Callable[[Label], Mask | None],
    ) -> dict[str, float]:
        """Accuracy and F1."""
        named = {key: {label.classes[0].name} for key, label in labels.items() if label.classes}
        said = [named.get(key, set()) for key in truths]
        scores = score_names([{str(truth)} for truth in truths.values()], said, classes)
        return {name: scores[name] for name in ("accuracy", "macro-f1")}


def _choose_class(
    worker: SimulatedWorker, truth: str, labels: Sequence[str], rng: np.random.Generator
) -> str:
    """Choose one class; raises `ValueError` if the true one is not among the labels.

    A spammer chooses any class; a confuser faced with one of its pair chooses one of the two;
    everybody else is right as often as `worker.skill.accuracy` says.
    """
    true_index = find_label(truth, labels)
    pair = worker.confused_classes(labels)
    if worker.kind == "spammer":
        return labels[int(rng.integers(len(labels)))]
    if pair is not None and true_index in pair:
        other = pair[1] if true_index == pair[0] else pair[0]
        return labels[other if rng.random() < worker.skill.confusion else true_index]
    if len(labels) == 1 or rng.random() < worker.skill.accuracy:
        return truth
    wrong = int(rng.integers(len(labels) - 1))
    return labels[wrong + (wrong >= true_index)]
