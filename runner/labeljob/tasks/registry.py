"""The job types there are, found by name."""

from __future__ import annotations

from groundtruth.errors import GroundTruthError
from labeljob.tasks.base import JobType
from labeljob.tasks.image_multi_class import ImageMultiClass
from labeljob.tasks.image_multi_class_multi_label import ImageMultiClassMultiLabel
from labeljob.tasks.semantic_segmentation import SemanticSegmentation


class UnknownJobTypeError(GroundTruthError, ValueError):
    """No job type has that name; the text lists those there are."""


JOB_TYPES: dict[str, JobType] = {}
"""Each job type by its name, in the order in which they were registered."""


def register(job_type: JobType) -> None:
    """Add a job type, in the place of one of the same name."""
    JOB_TYPES[job_type.name] = job_type


def find_job_type(name: str) -> JobType:
    """The job type of that name.

    Raises `UnknownJobTypeError` if there is none.

    Examples
    --------
    >>> find_job_type("image-multi-class-multi-label").aws_name
    'ImageMultiClassMultiLabel'
    """
    if name not in JOB_TYPES:
        known = ", ".join(repr(known) for known in JOB_TYPES)
        raise UnknownJobTypeError(f"{name!r} is not one of {known}")
    return JOB_TYPES[name]


for _job_type in (ImageMultiClass(), ImageMultiClassMultiLabel(), SemanticSegmentation()):
    register(_job_type)
