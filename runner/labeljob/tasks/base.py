"""What the command asks of a job type.

All that depends on what workers are asked stands in this folder, a file for each job type; no
other module asks which type it is. To use a type, take it from `labeljob.tasks.registry`::

    job_type = find_job_type("image-multi-class")
    job_type.score_name

To ask something new, add an attribute or a method to `JobType`, say what it means, and answer it
in the file of each type; where most types have the same answer, it stands here. To add a type,
write a subclass of `JobType` (or of the type that it is like) and `register` it:
`docs/contributing/new-task.md` walks through it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundtruth.annotations import Answers, RejectedAnswer
from groundtruth.tasks.base import Label, NamesTask, Task
from groundtruth.tasks.registry import find_task
from labeljob.rounds.accuracy_curve import CurveSimulation, simulate_votes
from labeljob.simulation.workers import SimulatedWorker

if TYPE_CHECKING:
    from labeljob.formats.labeled import LabeledImage
    from labeljob.history.job import JobOnFile, ObjectAnnotations
    from labeljob.report.pictures import Layer
    from labeljob.rounds.class_frequencies import GoldGain
    from labeljob.tasks.plain_labels import PlainLines

Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.uint8]
Truth: TypeAlias = str | frozenset[str] | NDArray[np.uint8]
"""A class's name, the set of labels that apply, or a mask of class indices."""


def is_names(values: Any) -> bool:
    """Whether a JSON value is a list of one or more names."""
    return isinstance(values, list) and bool(values) and all(isinstance(v, str) for v in values)


def unknown_label(names: Sequence[str], labels: Sequence[str]) -> str | None:
    """What is wrong with names of which one is not among the labels; None if all are."""
    unknown = [name for name in names if name not in labels]
    return f"{unknown[0]!r} is not a label ({', '.join(labels)})" if unknown else None


def find_label(name: str, labels: Sequence[str]) -> int:
    """Index of a label; raises `ValueError` if it is not among the labels."""
    if name not in labels:
        raise ValueError(f"the truth {name!r} is not one of the labels ({', '.join(labels)})")
    return labels.index(name)


class LabelParts(NamedTuple):
    """What most readers ask of a label, without the rest."""

    task: str  # the job type, by its schema name
    style: str  # how the label is written
    class_ids: tuple[int, ...]  # index of each class
    names: tuple[str, ...]  # its name
    confidence: float | None  # in [0, 1]: the lowest of the classes' that is known


GUESSING = 0.25
"""Share of the crew's usual agreement beyond chance below which a worker seems to guess."""


class JobType(ABC):
    """What workers are asked, as the command knows it."""

    name: ClassVar[str]  # the name on the command line: words with hyphens
    summary: ClassVar[str]  # what is asked, in a few words
    page_element: ClassVar[str]  # the element of the worker page whose answers the functions read
    # the element for content of any kind that answers in the same form; empty if there is none
    page_twin: ClassVar[str] = ""
    page_labels: ClassVar[str] = "categories"  # the element's attribute that holds the labels
    score_name: ClassVar[str]  # what an answer or a label is measured by against the truth
    # what the mean confidence of labels says of them, as a heading and as a sentence, and how high
    # it is to be
    expected_quality: ClassVar[tuple[str, str]] = (
        "Labels likely right",
        "{} of the labels are expected to be right",
    )
    usual_goal: ClassVar[float] = 0.95
    label_attribute: ClassVar[str]  # the label attribute name of a job that gives none
    truth_key: ClassVar[str]  # the key of a truth in a line of a truth file
    source_suffix: ClassVar[str] = "jpg"  # that of the data objects of a synthetic job
    # whether a label is a mask in a file of its own, rather than names
    label_is_mask: ClassVar[bool] = False
    single_choice: ClassVar[bool] = False  # whether an answer is one label, rather than several
    # why labels do not go to a format of `labeljob export`, by the format's name
    export_problems: ClassVar[Mapping[str, str]] = {
        "imagefolder": "imagefolder is for jobs with a single label",
        "voc": "voc is for masks; labels of whole images go to coco or imagefolder",
        "yolo": "yolo is for masks; YOLO's classification reads the folders that imagefolder "
        "writes",
    }
    # what becomes of answers that say nothing: the end of a sentence about them
    empty_answer_note: ClassVar[str] = "are set aside"
    max_answer_bytes: ClassVar[int] = 1_000_000  # of one worker's answer as JSON
    # CPU seconds of an answer in one step of a replay by shards, measured on one core
    step_seconds: ClassVar[float]
    max_labels: ClassVar[int | None] = None  # as many labels as an answer has room for
    # whether the functions take gold labels, a model's answers and a confidence map
    takes_auxiliary_inputs: ClassVar[bool] = True
    # whether a label depends on the answers to its own data object alone, and on who gave them
    independent_objects: ClassVar[bool] = False
    # whether a share of the votes decides on each label of an answer
    has_quorum: ClassVar[bool] = False
    # whether votes tell how far a label leads, so that workers can be added where it is little
    has_lead: ClassVar[bool] = True
    # whether all units of an answer are the same question, so that one confusion matrix a worker
    # describes them; where not, each unit is a question of its own
    units_are_alike: ClassVar[bool] = True
    # share of equal answers that looks copied between honest workers, in [0, 1): objects, and
    # borders in masks, are not equally difficult
    copying_by_chance: ClassVar[float] = 0.1
    # agreement_note, coefficient_note: in the report: what the agreement of a worker means, and
    # what alpha and kappa are about
    agreement_note: ClassVar[str]
    coefficient_note: ClassVar[str] = ""
    # request_title, request_description, request_keywords: what workers read of a job before they
    # take a task
    request_title: ClassVar[str]
    request_description: ClassVar[str]
    request_keywords: ClassVar[tuple[str, ...]]
    time_limit: ClassVar[int]  # seconds that a worker has for a task

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        """A type is sent to another process by its name."""
        from labeljob.tasks.registry import find_job_type

        return find_job_type, (self.name,)

    @property
    def library(self) -> Task[Any]:
        """The type's part in the library, which has the same name."""
        return find_task(self.name)

    @property
    def names_task(self) -> NamesTask[Any] | None:
        """The type's part in the library if its answers are names of classes, which columns hold.

        None if they are more than that, and are read from their files whenever they are needed.
        """
        return None

    @property
    def aws_name(self) -> str:
        """The name AWS uses: the end of the Lambda functions' names."""
        return self.library.aws_name

    @property
    def page_elements(self) -> tuple[str, ...]:
        """The elements whose answers the functions read, the job type's own first."""
        return tuple(dict.fromkeys(filter(None, (self.page_element, self.page_twin))))

    @property
    def folder(self) -> str:
        """The name in file names: of the functions' folders and of the worker page."""
        return self.name.replace("-", "_")

    @property
    def algorithms(self) -> Sequence[str]:
        """Names of the algorithms; the first one is the default."""
        return self.library.algorithms

    @property
    def source_key(self) -> str:
        """The key of a manifest line that names the data object, or holds it."""
        return "source" if self.library.inline_source else "source-ref"

    # Labels, before a job begins.

    def label_count_problem(self, n_labels: int) -> str | None:
        """What is wrong with so many labels, at least one; None if nothing is."""
        if n_labels == 1:
            return "there is one label; classification needs at least 2, such as cat and other"
        return None

    def label_count_warning(self, n_labels: int) -> str | None:
        """What may surprise with so many labels; None if nothing does."""
        return None

    def label_name_warnings(self, names: Sequence[str]) -> Iterable[str]:
        """What may surprise about the labels' names."""
        return ()

    # Truths and simulated answers.

    @abstractmethod
    def parse_truth(self, value: Any, labels: Sequence[str], folder: Path) -> Truth | Path:
        """The truth that a line of a truth file states, or the file that it is read from.

        `value` is what the line has under `truth_key`, None if it has nothing; `folder` is that of
        the truth file. Raises `ValueError`, whose text says what the line states, if it states
        none.
        """

    def read_truth_file(self, file: Path, labels: Sequence[str]) -> Truth:
        """The truth in a file that `parse_truth` named; raises ValueError if there is none."""
        raise ValueError(f"{file} cannot be read")

    @abstractmethod
    def invent_truth(
        self, labels: Sequence[str], shape: tuple[int, int] | None, rng: np.random.Generator
    ) -> Truth:
        """A random truth; `shape`, the rows and columns, is given if the type labels pixels."""

    @abstractmethod
    def answer(
        self,
        worker: SimulatedWorker,
        truth: Truth,
        labels: Sequence[str],
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """A worker's whole answer, decoded, in the shape that the page submits.

        Raises `ValueError` if the truth does not fit the type and the labels.
        """

    @abstractmethod
    def submit(self, said: Any, labels: Sequence[str]) -> dict[str, Any]:
        """What the page submits, decoded: a label, labels, or a mask of class indices + 1."""

    @abstractmethod
    def fits(self, *, most_choices: int, has_regions: bool) -> bool:
        """Whether annotations of another tool may be answers to what is asked.

        `most_choices` is how many labels one person gave one image at most; `has_regions` whether
        there are labels of parts of images.
        """

    def name_choices(self, choices: Ints, classes: Sequence[str]) -> list[str]:
        """Names of the classes in one answer; of pixels, `classes` has the background first."""
        return [classes[index] for index in np.unique(choices).tolist()]

    def name_votes(self, choices: Ints, classes: Sequence[str]) -> list[str]:
        """Names of what one answer votes for, as a reader counts votes; empty if for nothing."""
        return self.name_choices(choices, classes)

    def name_shown(self, label: Label | None, choices: Ints, classes: Sequence[str]) -> list[str]:
        """Names of the classes that a label shows; `choices` are the answers, one a row."""
        return [item.name for item in label.classes] if label else []

    def chance(self, n_classes: int) -> float:
        """How often somebody who guesses recognises a class, or whether a label applies."""
        return 0.5

    @abstractmethod
    def choose_only(self, index: int, labels: Sequence[str], truth: Truth) -> Truth:
        """One class and nothing else, in the shape of the truth."""

    @abstractmethod
    def contradict(self, truth: Truth, labels: Sequence[str]) -> Truth:
        """What somebody says who knows the truth and says another."""

    # Answers and labels of a finished job. An answer is an array of choices, a number for each
    # of its units: the class; 0 or 1 for each class; or the class at each point of a grid.

    def unit_classes(self, classes: Sequence[str]) -> tuple[str, ...]:
        """What a unit of an answer can be, of all that a worker may have chosen."""
        return tuple(classes)

    def n_values(self, n_classes: int) -> int:
        """How many values a unit has, of `n_classes` that it can be."""
        return n_classes

    @abstractmethod
    def to_choices(
        self, answers: Answers[Any], classes: Sequence[str], rejected: list[RejectedAnswer]
    ) -> dict[str, Ints]:
        """Each worker's answer to a data object as choices; `rejected` is added to.

        `classes` are all that a worker may have chosen, in label order.
        """

    @abstractmethod
    def truth_choices(self, truth: Truth, classes: Sequence[str]) -> Ints:
        """A truth as choices; `classes` are those of `unit_classes`."""

    @abstractmethod
    def truth_names(self, truth: Truth) -> list[str]:
        """The classes of a truth; empty if it is no matter of names."""

    def name_truth(self, names: Sequence[str]) -> Truth:
        """The truth of one or more names; raises ValueError if they are none."""
        return frozenset(map(str, names))

    def name_label(self, label: Label, read: Callable[[str], bytes]) -> list[str]:
        """Names of the classes that a label gives its data object.

        `read` gives the content of a file by its URI; it may raise `StorageError`.
        """
        return [item.name for item in label.classes]

    def read_plain_label(self, value: Any, metadata: Mapping[str, Any]) -> LabelParts | None:
        """The label in a value and its metadata, if it is of this type and written as usual.

        None leaves it to `groundtruth.tasks.registry.decode_label`, which tells the same of it and
        takes ten times as long.
        """
        return None

    def plain_lines(self, attribute: str) -> Sequence[PlainLines]:
        """What reads manifest lines with nothing but a label of this type, written as usual."""
        return ()

    # Verification: people say of labels whether they are right.

    def word_mistake(self, label: str) -> str:
        """What somebody chooses who finds a label of a data object wrong: `label` is not as it is.

        It is missing, or should not be there.
        """
        return f"wrong: {label}"

    def correct(self, mistake: str) -> str | None:
        """The right label that a mistake names; None if it names none."""
        return None

    def describe_answer(self, choices: Ints, classes: Sequence[str]) -> str:
        """An answer in words."""
        return ", ".join(self.name_choices(choices, classes))

    @abstractmethod
    def similarity(self, first: Ints, second: Ints) -> float:
        """How alike two answers are, in [0, 1]; raises ValueError if they cannot be compared."""

    def agree(self, own: Ints, others: Ints) -> float:
        """How well an answer, shape (n_units,), agrees with those of the others, in [0, 1].

        `others`, shape (n_units, n_values), is how many of them chose each value.
        """
        return self.similarity(own, others.argmax(axis=1))

    def majority(self, votes: Ints) -> Ints:
        """The label that most workers chose, of votes of shape (n_units, n_values)."""
        return np.asarray(votes.argmax(axis=1))

    def confuse(self, true: Ints, said: Ints, n_classes: int) -> Iterator[tuple[int, int, float]]:
        """True class, class said, and a weight; all weights of an answer sum to 1."""
        pairs, times = np.unique(true * n_classes + said, return_counts=True)
        for pair, count in zip(pairs.tolist(), times.tolist(), strict=True):
            yield *divmod(pair, n_classes), count / said.size

    def chance_agreement(self, votes: Sequence[Ints]) -> float:
        """Agreement that chance gives, as far as it counts, in [0, 1].

        `votes` is for each data object how many chose each value, shape (n_units, n_values).
        """
        return 0.0

    def explain_low_agreement(
        self, agreement: float, upper: float, usual: float, chance: float
    ) -> str | None:
        """Why a worker's agreement is that of somebody who guesses; None if it is not.

        `upper` is the upper end of the agreement's interval, `usual` the median of all workers, and
        `chance` what chance gives.
        """
        if upper >= chance + GUESSING * (usual - chance):
            return None
        return (
            f"agrees with the others in {agreement:.0%} (at most {upper:.0%}, with 97.5 % "
            f"probability), as guesses do in {chance:.0%}"
        )

    def agreement_questions(
        self, votes: Sequence[Ints], n_classes: int
    ) -> tuple[list[Ints], list[Ints], list[int]]:
        """What coefficients of agreement are computed of.

        `votes` is for each data object how many chose each value, shape (n_units, n_values).
        Returns votes whose coefficients are averaged; for each class the votes against it and for
        it, shape (n, 2); and how often each class was chosen.
        """
        stack = np.concatenate(votes)
        totals = stack.sum(axis=1)
        by_class = [
            np.stack((totals - stack[:, index], stack[:, index]), axis=1)
            for index in range(n_classes)
        ]
        return [stack], by_class, stack.sum(axis=0).tolist()

    def simulate_curve(
        self, choices: Sequence[Ints], n_classes: int, true: Sequence[Ints] | None
    ) -> CurveSimulation:
        """A function from an order of the answers to how labels by majority grow better.

        `choices` are the answers to each data object, one at least, shape (n_workers, n_units);
        `true` the right labels as choices, None to take what all answers give.
        """
        return simulate_votes(
            choices,
            true,
            n_values=self.n_values(n_classes),
            majority=self.majority,
            similarity=self.similarity,
            has_lead=self.has_lead,
        )

    def is_two_class(self, classes: Collection[str]) -> bool:
        """Whether a label is one of two classes: known objects then tell how frequent each is."""
        return False

    def estimate_gold_gain(
        self,
        workers: Sequence[Sequence[str]],
        choices: Sequence[Ints],
        n_classes: int,
        true: Sequence[Ints | None],
        rng: np.random.Generator,
    ) -> GoldGain | None:
        """What known objects that tell how frequent classes are would do; None if nothing.

        `workers` and `choices` are who answered what, by data object; `true` the true choices, None
        where they are not known.
        """
        return None

    def dataset_columns(self, datasets: Any, one: Any) -> dict[str, Any]:
        """The label's columns in a Hugging Face dataset; `one` is the feature of one class."""
        value = datasets.Value("float64")
        return {"labels": datasets.List(one), "confidences": datasets.List(value)}

    def dataset_row(self, image: LabeledImage) -> dict[str, Any]:
        """What an image has in `dataset_columns`."""
        confidences = [item.confidence for item in image.label.classes]
        return {"labels": list(image.indices), "confidences": confidences}

    @abstractmethod
    def score_labels(
        self,
        labels: Mapping[str, Label],
        truths: Mapping[str, Truth],
        classes: Sequence[str],
        read_mask: Callable[[Label], Mask | None],
    ) -> dict[str, float]:
        """Measures of a job's labels against the truth, besides those of the confidences.

        Labels and truths are by the data objects' ids: an object with a truth and without a label
        is wrong. `read_mask` gives the class of each pixel of a label's mask; None if it cannot be
        read.
        """

    def draw_layers(
        self,
        job: JobOnFile,
        annotations: ObjectAnnotations,
        label: Label | None,
        names: Mapping[str, str],
        longest: int,
    ) -> Sequence[Layer]:
        """What the report lays over the image of a data object; nothing if there is nothing.

        `names` are short names of the workers; `longest` is how many pixels a side has at most.
        """
        return ()
