"""A class for each pixel of an image."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from groundtruth.annotations import Answers, RejectedAnswer
from groundtruth.errors import StorageError, UnusableAnswer
from groundtruth.masks.reader import majority_size, read_mask
from groundtruth.masks.runs import RunMask
from groundtruth.tasks.base import Label
from groundtruth.tasks.segmentation.answers import MaskAnswer, colors_by_index
from labeljob.metrics.scores import mean_iou
from labeljob.rounds.accuracy_curve import count_votes
from labeljob.simulation.masks import canvas_png, label_colors, paint, star_shapes
from labeljob.simulation.workers import SimulatedWorker
from labeljob.tasks.base import Ints, JobType, Mask, Truth

if TYPE_CHECKING:
    from labeljob.formats.labeled import LabeledImage
    from labeljob.history.job import JobOnFile, ObjectAnnotations
    from labeljob.report.pictures import Layer

BACKGROUND = "BACKGROUND"
_MOST_IN_CONSOLE = 10
_UNREADABLE = (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError)

GRID = 96
"""Rows and columns of the points at which masks are compared."""

AGREEMENT_POINTS = 400
"""Points of a mask that coefficients of agreement are computed of: enough for two digits."""


class SemanticSegmentation(JobType):
    """A class for each pixel of an image."""

    name = "semantic-segmentation"
    summary = "semantic segmentation"
    page_element = "crowd-semantic-segmentation"
    page_labels = "labels"
    score_name = "mean IoU"
    expected_quality = ("IoU expected of the masks", "The IoU expected of the masks is {}")
    usual_goal = 0.8
    label_attribute = "mask-ref"
    truth_key = "mask"
    source_suffix = "png"
    label_is_mask = True
    export_problems: ClassVar[Mapping[str, str]] = {
        "imagefolder": JobType.export_problems["imagefolder"]
    }
    empty_answer_note = "count as background all over"
    max_answer_bytes = 30_000_000
    max_labels = 255
    request_title = "Paint what is in an image"
    request_description = "Paint everything in an image that belongs to one of the labels."
    request_keywords = ("image", "segmentation", "painting")
    step_seconds = 5e-3  # of 2 megapixels
    time_limit = 3600
    takes_auxiliary_inputs = False
    independent_objects = True
    has_lead = False
    copying_by_chance = 0.6
    agreement_note = (
        "It is the intersection over union of each class, averaged, on a grid of points."
    )
    coefficient_note = " Both take points of the images for objects."

    def label_count_problem(self, n_labels: int) -> str | None:
        """What is wrong with so many labels, at least one; None if nothing is."""
        if n_labels > self.max_labels:
            return f"there are {n_labels} labels; a mask image holds {self.max_labels} at most"
        return None

    def label_count_warning(self, n_labels: int) -> str | None:
        """What may surprise with so many labels; None if nothing does."""
        if not _MOST_IN_CONSOLE < n_labels <= self.max_labels:
            return None
        return (
            f"there are {n_labels} labels; jobs made in the console take {_MOST_IN_CONSOLE}, those "
            "made by CreateLabelingJob more"
        )

    def label_name_warnings(self, names: Sequence[str]) -> Iterable[str]:
        """What may surprise about the labels' names."""
        if BACKGROUND in names:
            yield f"{BACKGROUND} is what Ground Truth calls the unpainted part of a mask"

    def parse_truth(self, value: Any, labels: Sequence[str], folder: Path) -> Path:
        """The mask file that a line of a truth file names."""
        if not isinstance(value, str) or not (folder / value).is_file():
            raise ValueError(f'"mask" names no file: {value!r}')
        return folder / value

    def read_truth_file(self, file: Path, labels: Sequence[str]) -> Truth:
        """The mask in a file; raises ValueError if it is none."""
        try:
            with Image.open(file) as image:
                mode = image.mode
                mask: NDArray[np.uint8] = np.array(image)
        except _UNREADABLE as error:
            raise ValueError(f"{file} cannot be read ({error})") from error
        if mode not in {"P", "L"}:
            raise ValueError(f"{file} is in mode {mode}, not P or L")
        if mask.size and int(mask.max()) > len(labels):
            highest = int(mask.max())
            raise ValueError(
                f"{file} has a pixel {highest}, and the job's labels go to {len(labels)}"
            )
        return mask

    def invent_truth(
        self, labels: Sequence[str], shape: tuple[int, int] | None, rng: np.random.Generator
    ) -> Truth:
        """Three to six random star-shaped regions."""
        if shape is None:
            raise ValueError("the image's shape is needed to invent a mask")
        return star_shapes(shape, len(labels), int(rng.integers(3, 7)), rng)

    def answer(
        self,
        worker: SimulatedWorker,
        truth: Truth,
        labels: Sequence[str],
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """The mask that the worker paints, as crowd-semantic-segmentation submits it."""
        if not isinstance(truth, np.ndarray):
            raise ValueError(f"a truth of type {type(truth).__name__} does not fit {self}")
        if truth.ndim != 2 or truth.size == 0 or int(truth.max()) > len(labels):
            raise ValueError("a true mask has rows, columns and values up to the number of labels")
        mask = paint(worker, truth, len(labels), worker.confused_classes(labels), rng)
        return self.submit(mask, labels)

    def submit(self, said: Any, labels: Sequence[str]) -> dict[str, Any]:
        """A mask as crowd-semantic-segmentation submits it."""
        colors = label_colors(labels)
        image = base64.b64encode(canvas_png(said, list(colors.values()))).decode("ascii")
        return {
            self.page_element: {
                "inputImageProperties": {"height": said.shape[0], "width": said.shape[1]},
                "labelMappings": {name: {"color": color} for name, color in colors.items()},
                "labeledImage": {"pngImageData": image},
            }
        }

    def fits(self, *, most_choices: int, has_regions: bool) -> bool:
        """Whether parts of images have labels."""
        return has_regions

    def name_choices(self, choices: NDArray[np.int64], classes: Sequence[str]) -> list[str]:
        """Names of the classes that were painted."""
        return [classes[index] for index in np.unique(choices).tolist() if index]

    def choose_only(self, index: int, labels: Sequence[str], truth: Truth) -> Truth:
        """A mask of that class all over."""
        return np.full_like(np.asarray(truth), index + 1)

    def contradict(self, truth: Truth, labels: Sequence[str]) -> Truth:
        """A mask of next classes."""
        mask = np.asarray(truth)
        moved = mask % len(labels) + 1
        return np.where(mask > 0, moved if len(labels) > 1 else 0, 0).astype(np.uint8)

    def unit_classes(self, classes: Sequence[str]) -> tuple[str, ...]:
        """The background first."""
        return (BACKGROUND, *classes)

    def to_choices(
        self, answers: Answers[Any], classes: Sequence[str], rejected: list[RejectedAnswer]
    ) -> dict[str, Ints]:
        """For each worker the class at the centres of the grid's cells."""
        choices = {}
        for worker, mask in read_masks(answers, classes, rejected):
            runs = np.searchsorted(mask.starts, grid_points(mask.shape), side="right") - 1
            choices[worker] = mask.classes[runs].astype(np.int64)
        return choices

    def truth_choices(self, truth: Truth, classes: Sequence[str]) -> Ints:
        """The class at the centres of the grid's cells."""
        mask = np.asarray(truth)
        return mask.ravel()[grid_points(mask.shape)].astype(np.int64)

    def truth_names(self, truth: Truth) -> list[str]:
        """None: a mask is no matter of names."""
        return []

    def name_label(self, label: Label, read: Callable[[str], bytes]) -> list[str]:
        """The classes that the mask has anywhere; the background alone if nothing is painted."""
        names = {item.class_id: item.name for item in label.classes}
        if label.mask_uri is None:
            return []
        try:
            with Image.open(io.BytesIO(read(label.mask_uri))) as image:
                painted = [index for index, count in enumerate(image.histogram()[:256]) if count]
        except (StorageError, *_UNREADABLE):
            return list(names.values())
        return [names[index] for index in painted if index and index in names] or [BACKGROUND]

    def describe_answer(self, choices: Ints, classes: Sequence[str]) -> str:
        """The classes, and how much of the image each covers."""
        shares = [(float((choices == index).mean()), name) for index, name in enumerate(classes)]
        return ", ".join(f"{name} {share:.0%}" for share, name in shares if share > 0)

    def similarity(self, first: Ints, second: Ints) -> float:
        """Intersection over union, averaged over the classes that either has.

        Examples
        --------
        >>> SemanticSegmentation().similarity(np.array([0, 1]), np.array([1, 1]))
        0.25
        """
        if first.shape != second.shape:
            raise ValueError("masks of different sizes cannot be compared")
        size = int(max(first.max(initial=0), second.max(initial=0))) + 1
        both = np.bincount(first[first == second], minlength=size)
        either = np.bincount(first, minlength=size) + np.bincount(second, minlength=size) - both
        present = either > 0
        return float((both[present] / either[present]).mean()) if present.any() else 1.0

    def explain_low_agreement(
        self, agreement: float, upper: float, usual: float, chance: float
    ) -> str | None:
        """Why a worker's masks are poor: under half of what is usual, surely below it."""
        if agreement >= usual / 2 or upper >= usual:
            return None
        return (
            f"mean IoU with the others {agreement:.2f} (at most {upper:.2f}, with 97.5 % "
            f"probability), the median worker {usual:.2f}"
        )

    def agreement_questions(
        self, votes: Sequence[Ints], n_classes: int
    ) -> tuple[list[Ints], list[Ints], list[int]]:
        """Some points of each mask, each an object."""
        return super().agreement_questions([_thin(table) for table in votes], n_classes)

    def dataset_columns(self, datasets: Any, one: Any) -> dict[str, Any]:
        """A mask and its classes."""
        return {"mask": datasets.Image(), "classes": datasets.List(one)}

    def dataset_row(self, image: LabeledImage) -> dict[str, Any]:
        """The mask as a PNG."""
        if image.mask is None:
            raise ValueError(f"{image.name} has no mask")
        file = io.BytesIO()
        Image.fromarray(image.mask).save(file, "PNG")
        mask = {"bytes": file.getvalue(), "path": f"{image.stem}.png"}
        return {"mask": mask, "classes": sorted(image.indices)}

    def score_labels(
        self,
        labels: Mapping[str, Label],
        truths: Mapping[str, Truth],
        classes: Sequence[str],
        read_mask: Callable[[Label], Mask | None],
    ) -> dict[str, float]:
        """Mean intersection over union, and how far the classes' confidences are from it."""
        overlaps: list[float] = []
        pixels: list[float] = []
        errors: list[float] = []
        for object_id in (key for key in truths if key in labels):
            mask, truth = read_mask(labels[object_id]), truths[object_id]
            if mask is None or not isinstance(truth, np.ndarray) or mask.shape != truth.shape:
                continue
            overlaps.append(mean_iou(mask, truth))
            pixels.append(float((mask == truth).mean()))
            errors += _confidence_errors(labels[object_id], mask, truth)
        means = [float(np.mean(values)) if values else nan for values in (overlaps, pixels, errors)]
        return {
            "objects": float(len(overlaps)),
            "mean-iou": means[0],
            "pixel-accuracy": means[1],
            "confidence-iou-error": means[2],
        }

    def name_votes(self, choices: Ints, classes: Sequence[str]) -> list[str]:
        """None: workers paint, and do not vote on the whole."""
        return []

    def name_shown(self, label: Label | None, choices: Ints, classes: Sequence[str]) -> list[str]:
        """The classes that most workers see somewhere; a label's mask is not read for it."""
        if label is None or not len(choices):
            return []
        votes = count_votes(choices, self.n_values(len(classes)))
        return self.name_choices(self.majority(votes), classes)

    def draw_layers(
        self,
        job: JobOnFile,
        annotations: ObjectAnnotations,
        label: Label | None,
        names: Mapping[str, str],
        longest: int,
    ) -> list[Layer]:
        """What came of it, where the workers differ, and what each painted."""
        from labeljob.report.pictures import draw_masks  # here, since pictures read masks with this

        return draw_masks(job, annotations.object_id, label, names, longest)


def read_masks(
    answers: Answers[MaskAnswer], classes: Sequence[str], rejected: list[RejectedAnswer]
) -> Iterator[tuple[str, RunMask]]:
    """The masks of one data object, all of one size; what cannot be read is rejected.

    `classes` are the job's, without BACKGROUND; `rejected` is added to.
    """
    shape = majority_size(answer.size for answer in answers.answers if answer.size is not None)
    for worker, answer in zip(answers.workers, answers.answers, strict=True):
        colors, names = colors_by_index(answer, classes)
        try:
            mask, _ = read_mask(answer.png, colors=colors, shape=shape, name_of=names)
        except UnusableAnswer as error:
            rejected.append(RejectedAnswer(worker, error.reason, error.detail))
            continue
        shape = shape or mask.shape
        if int(mask.classes.max()) > len(classes):
            problem = "it has a label not the job's"
            rejected.append(RejectedAnswer(worker, "unknown-label", problem))
        else:
            yield worker, mask


def grid_points(shape: Sequence[int]) -> Ints:
    """Pixels at the centres of the grid's cells, numbered row by row; of a small mask all.

    Examples
    --------
    >>> grid_points((2, 3)).tolist(), grid_points((1, 2 * GRID)).tolist()[:3]
    ([0, 1, 2, 3, 4, 5], [1, 3, 5])
    """
    cells = [min(GRID, size) for size in shape]
    rows, columns = (
        (2 * np.arange(count, dtype=np.int64) + 1) * size // (2 * count)
        for count, size in zip(cells, shape, strict=True)
    )
    return (rows[:, None] * shape[1] + columns).ravel()


def _thin(table: Ints) -> Ints:
    """The rows of evenly spread points."""
    if table.shape[0] <= AGREEMENT_POINTS:
        return table
    return table[np.linspace(0, table.shape[0] - 1, AGREEMENT_POINTS).astype(np.int64)]


def _confidence_errors(label: Label, mask: Mask, truth: Mask) -> Iterator[float]:
    """Distance of each class's confidence from its true intersection over union."""
    for item in label.classes:
        said, true = mask == item.class_id, truth == item.class_id
        if said.any() and item.confidence is not None:
            iou = np.count_nonzero(said & true) / np.count_nonzero(said | true)
            yield abs(item.confidence - iou)
