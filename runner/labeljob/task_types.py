"""The three job types, by the names the command line gives them."""

from __future__ import annotations

from enum import StrEnum


class TaskType(StrEnum):
    """What workers are asked to do with an image."""

    IMAGE_MULTI_CLASS = "image-multi-class"
    IMAGE_MULTI_CLASS_MULTI_LABEL = "image-multi-class-multi-label"
    SEMANTIC_SEGMENTATION = "semantic-segmentation"

    @property
    def aws_name(self) -> str:
        """The name AWS uses: the end of the Lambda functions' names.

        Examples
        --------
        >>> TaskType("image-multi-class-multi-label").aws_name
        'ImageMultiClassMultiLabel'
        """
        return "".join(word.capitalize() for word in self.value.split("-"))

    @property
    def classifies(self) -> bool:
        """Whether an image gets labels as a whole, rather than each of its pixels."""
        return self is not TaskType.SEMANTIC_SEGMENTATION
