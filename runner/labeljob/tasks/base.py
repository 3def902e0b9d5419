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
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from groundtruth.tasks.base import Task
from groundtruth.tasks.registry import find_task
from labeljob.simulation.workers import SimulatedWorker

type Truth = str | frozenset[str] | NDArray[np.uint8]
"""A class's name, the set of labels that apply, or a mask of class indices."""


class JobType(ABC):
    """What workers are asked, as the command knows it.

    Attributes
    ----------
    name : str
        The name on the command line: words with hyphens.
    summary : str
        What is asked, in a few words.
    page_element : str
        The element of the worker page whose answers the functions read.
    page_labels : str
        The element's attribute that holds the labels.
    score_name : str
        What an answer or a label is measured by against the truth.
    label_attribute : str
        The label attribute name of a job that gives none.
    truth_key : str
        The key of a truth in a line of a truth file.
    source_suffix : str
        That of the data objects of a synthetic job.
    classifies : bool
        Whether a data object gets labels as a whole, rather than each of its pixels.
    single_choice : bool
        Whether an answer is one label, rather than several.
    max_labels : int or None
        As many labels as an answer has room for.
    request_title, request_description, request_keywords : str, str, tuple of str
        What workers read of a job before they take a task.
    time_limit : int
        Seconds that a worker has for a task.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    page_element: ClassVar[str]
    page_labels: ClassVar[str] = "categories"
    score_name: ClassVar[str]
    label_attribute: ClassVar[str]
    truth_key: ClassVar[str]
    source_suffix: ClassVar[str] = "jpg"
    classifies: ClassVar[bool] = True
    single_choice: ClassVar[bool] = False
    max_labels: ClassVar[int | None] = None
    request_title: ClassVar[str]
    request_description: ClassVar[str]
    request_keywords: ClassVar[tuple[str, ...]]
    time_limit: ClassVar[int]

    # Only until no module compares types any more.
    IMAGE_MULTI_CLASS: ClassVar[JobType]
    IMAGE_MULTI_CLASS_MULTI_LABEL: ClassVar[JobType]
    SEMANTIC_SEGMENTATION: ClassVar[JobType]

    @property
    def value(self) -> str:
        """The name."""
        return self.name

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
    def aws_name(self) -> str:
        """The name AWS uses: the end of the Lambda functions' names."""
        return self.library.aws_name

    @property
    def several_choices(self) -> bool:
        """Whether an answer to a data object as a whole may be several labels."""
        return self.classifies and not self.single_choice

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

        Parameters
        ----------
        value : JSON value
            What the line has under `truth_key`; None if it has nothing.
        labels : sequence of str
            All classes, in label order.
        folder : Path
            That of the truth file.

        Raises
        ------
        ValueError
            If it states none; the text says what it states.
        """

    def read_truth_file(self, file: Path, labels: Sequence[str]) -> Truth:
        """The truth in a file that `parse_truth` named; raises ValueError if there is none."""
        raise ValueError(f"{file} cannot be read")

    @abstractmethod
    def invent_truth(
        self, labels: Sequence[str], shape: tuple[int, int] | None, rng: np.random.Generator
    ) -> Truth:
        """A random truth.

        Parameters
        ----------
        labels : sequence of str
            All classes, at least one.
        shape : tuple of int, optional
            Rows and columns of the image; given if the type labels pixels.
        rng : numpy.random.Generator
            Decides.
        """

    @abstractmethod
    def answer(
        self,
        worker: SimulatedWorker,
        truth: Truth,
        labels: Sequence[str],
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """A worker's whole answer, decoded, in the shape that the page submits.

        Raises
        ------
        ValueError
            If the truth does not fit the type and the labels.
        """

    @abstractmethod
    def submit(self, said: Any, labels: Sequence[str]) -> dict[str, Any]:
        """What the page submits, decoded.

        Parameters
        ----------
        said : str, sequence of str, or ndarray of uint8 of shape (rows, columns)
            The answer: a label, labels, or a mask of class indices + 1.
        labels : sequence of str
            All classes, in label order.
        """

    @abstractmethod
    def fits(self, *, most_choices: int, has_regions: bool) -> bool:
        """Whether annotations of another tool may be answers to what is asked.

        Parameters
        ----------
        most_choices : int
            How many labels one person gave one image at most.
        has_regions : bool
            Whether there are labels of parts of images.
        """

    def name_choices(self, choices: NDArray[np.int64], classes: Sequence[str]) -> list[str]:
        """Names of the classes in one answer.

        Parameters
        ----------
        choices : ndarray of int
            The answer in numbers: a class, a 0 or 1 for each class, or a class for each pixel.
        classes : sequence of str
            All classes, of pixels the background first.
        """
        return [classes[index] for index in np.unique(choices).tolist()]

    def chance(self, n_classes: int) -> float:
        """How often somebody who guesses recognises a class, or whether a label applies."""
        return 0.5

    @abstractmethod
    def choose_only(self, index: int, labels: Sequence[str], truth: Truth) -> Truth:
        """One class and nothing else, in the shape of the truth."""

    @abstractmethod
    def contradict(self, truth: Truth, labels: Sequence[str]) -> Truth:
        """What somebody says who knows the truth and says another."""
