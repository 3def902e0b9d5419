"""What each worker said of each data object, as numbers that can be counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from groundtruth.annotations import AnswerReader, Entry, RejectedAnswer
from labeljob.history.job import JobOnFile
from labeljob.history.job_files import AnswerTime
from labeljob.jobs.job_location import ReadOnly
from labeljob.tasks.base import Ints


@dataclass(frozen=True, kw_only=True)
class ObjectAnnotations:
    """The usable answers to one data object; no worker is there twice.

    `choices` has shape (n_workers, n_units) and holds what each said: of a single label the class;
    of several 1 for each class that was chosen, else 0; of a mask the class at each point of a
    grid, 0 for the background.
    """

    object_id: str
    source: str
    workers: tuple[str, ...]
    choices: Ints
    rejected: tuple[RejectedAnswer, ...]
    answer_times: Mapping[str, AnswerTime]


def read_annotations(
    job: JobOnFile, *, advance: Callable[[], object] = lambda: None
) -> Iterator[ObjectAnnotations]:
    """The answers of a job, one data object at a time; `advance` is called for each."""
    waiting: list[tuple[str, Mapping[str, AnswerTime]]] = []

    def entries() -> Iterator[Entry]:
        for item in job.answered(job.object_ids()):
            source = item.object.source
            uri = source.get("s3Uri") if isinstance(source, Mapping) else None
            waiting.append((uri if isinstance(uri, str) else "", item.answer_times))
            advance()
            yield Entry(item.object)

    reader = AnswerReader(ReadOnly(job.place))
    decoded = reader.read(entries(), lambda content: job.core.decode(content, job.choices))
    for index, answers in enumerate(decoded):
        source, answer_times = waiting[index]
        rejected = list(answers.rejected)
        choices = job.task.to_choices(answers, job.choices, rejected)
        n_units = len(next(iter(choices.values()), ()))
        yield ObjectAnnotations(
            object_id=answers.object_id,
            source=source,
            workers=tuple(choices),
            choices=np.array(list(choices.values()), np.int64).reshape(len(choices), n_units),
            rejected=tuple(rejected),
            answer_times=answer_times,
        )
