"""Annotations of jobs with one label, without files."""

from collections.abc import Mapping

import numpy as np

from labeljob.history.job import ObjectAnnotations
from labeljob.history.job_files import AnswerTime


def annotate(
    object_id: str, votes: Mapping[str, int], seconds: Mapping[str, float] | None = None
) -> ObjectAnnotations:
    """Who chose which class."""
    times = seconds or {}
    return ObjectAnnotations(
        object_id=object_id,
        source="",
        workers=tuple(votes),
        choices=np.array([[chosen] for chosen in votes.values()]),
        rejected=(),
        answer_times={name: AnswerTime(None, times.get(name)) for name in votes},
    )
