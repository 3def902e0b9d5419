"""Annotations of another tool as workers' pages would have submitted them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from labeljob.crowd.canvas import canvas_png, label_colors
from labeljob.exchange.imports.foreign import ForeignAnswer, ImportProblem
from labeljob.task_types import TaskType

type Content = dict[str, Any]


class PageAnswers:
    """The answers to one image.

    Parameters
    ----------
    task : TaskType
        The job type.
    classes : tuple of str
        In label order.
    source : str
        The image, for messages.

    Attributes
    ----------
    skipped : list of str
        What is not among the answers: where, and why.
    empty : int
        Answers that say nothing.
    """

    def __init__(self, task: TaskType, classes: tuple[str, ...], source: str) -> None:
        self._task = task
        self._classes = classes
        self._source = source
        self.skipped: list[str] = []
        self.empty = 0

    def of(self, given: Sequence[ForeignAnswer]) -> Iterator[tuple[ForeignAnswer, Content]]:
        """The answers, each with what the page of the job type submits."""
        sizes = [answer.size for answer in given if answer.size]
        for answer in given:
            if self._task.classifies:
                content = self._choice(answer)
            else:
                content = self._mask(answer, answer.size or next(iter(sizes), None))
            if content is not None:
                yield answer, content

    def _skip(self, answer: ForeignAnswer, problem: str) -> None:
        self.skipped.append(f"{self._source}, {answer.worker}: {problem}")

    def _choice(self, answer: ForeignAnswer) -> Content | None:
        if answer.regions:
            self._skip(answer, f"{len(answer.regions)} regions; the job is of whole images")
        if len(answer.choices) > 1 and self._task is TaskType.IMAGE_MULTI_CLASS:
            self._skip(answer, f"chose {', '.join(answer.choices)}; the job has one label an image")
            return None
        self.empty += not answer.choices
        if self._task is TaskType.IMAGE_MULTI_CLASS:
            return {"crowd-image-classifier": {"label": "".join(answer.choices)}}
        return {"crowd-image-classifier-multi-select": {"labels": list(answer.choices)}}

    def _mask(self, answer: ForeignAnswer, size: tuple[int, int] | None) -> Content | None:
        if answer.choices:
            self._skip(answer, f"{', '.join(answer.choices)}, of the whole image")
        if size is None:
            self._skip(answer, "nothing is painted, and nothing tells the size of the image")
            return None
        mask = np.zeros(size, dtype=np.uint8)
        for region in answer.regions:
            if region.label not in self._classes:
                self._skip(answer, f"{region.label!r} is no label of the job")
                return None
            try:
                pixels = region.drawn()
            except ImportProblem as error:
                self.skipped.append(str(error))
                return None
            if pixels.shape != size:
                self._skip(answer, f"regions of {pixels.shape} and {size} pixels in one image")
                return None
            mask[pixels] = self._classes.index(region.label) + 1
        self.empty += not answer.regions
        colors = label_colors(self._classes)
        image = base64.b64encode(canvas_png(mask, list(colors.values()))).decode("ascii")
        return {
            "crowd-semantic-segmentation": {
                "inputImageProperties": {"height": size[0], "width": size[1]},
                "labelMappings": {name: {"color": color} for name, color in colors.items()},
                "labeledImage": {"pngImageData": image},
            }
        }
