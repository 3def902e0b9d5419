"""A class for each pixel of an image."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from labeljob.simulation.canvas import canvas_png, label_colors
from labeljob.simulation.masks import paint, star_shapes
from labeljob.simulation.workers import SimulatedWorker
from labeljob.tasks.base import JobType, Truth

BACKGROUND = "BACKGROUND"
_MOST_IN_CONSOLE = 10
_UNREADABLE = (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError)


class SemanticSegmentation(JobType):
    """A class for each pixel of an image."""

    name = "semantic-segmentation"
    summary = "semantic segmentation"
    page_element = "crowd-semantic-segmentation"
    page_labels = "labels"
    score_name = "mean IoU"
    label_attribute = "mask-ref"
    truth_key = "mask"
    source_suffix = "png"
    classifies = False
    max_labels = 255
    request_title = "Paint what is in an image"
    request_description = "Paint everything in an image that belongs to one of the labels."
    request_keywords = ("image", "segmentation", "painting")
    time_limit = 3600

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
            raise ValueError(f"{file} has a pixel {highest}, but there are {len(labels)} labels")
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
