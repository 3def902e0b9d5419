"""What each worker said of each data object, as numbers that can be counted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from groundtruth.annotations import AnswerReader, Entry, RejectedAnswer
from groundtruth.contract.acs import Annotation
from groundtruth.contract.fields import embedded_json
from groundtruth.errors import ContractError
from labeljob.history.job import JobOnFile
from labeljob.history.job_files import AnswerTime
from labeljob.jobs.job_location import ReadOnly
from labeljob.output_files import escape_halves
from labeljob.tasks.base import Ints

_COMMENT = re.compile(r"comment|remark|feedback|\bnotes?\b|crowd-text-?area", re.IGNORECASE)
"""Names of what workers write beside an answer: AWS's ``workerComment``, and those of forms."""


@dataclass(frozen=True, kw_only=True)
class ObjectAnnotations:
    """The usable answers to one data object; no worker is there twice.

    `choices` has shape (n_workers, n_units) and holds what each said: of a single label the class;
    of several 1 for each class that was chosen, else 0; of a mask the class at each point of a
    grid, 0 for the background. `comments` are by worker, of answers that do not count too.
    """

    object_id: str
    source: str
    workers: tuple[str, ...]
    choices: Ints
    rejected: tuple[RejectedAnswer, ...]
    answer_times: Mapping[str, AnswerTime]
    comments: Mapping[str, str] = field(default_factory=dict)


def read_annotations(
    job: JobOnFile, *, advance: Callable[[], object] = lambda: None
) -> Iterator[ObjectAnnotations]:
    """The answers of a job, one data object at a time; `advance` is called for each."""
    waiting: list[tuple[str, Mapping[str, AnswerTime], dict[str, str]]] = []

    def entries() -> Iterator[Entry]:
        for item in job.answered(job.object_ids()):
            source = item.object.source
            uri = source.get("s3Uri") if isinstance(source, Mapping) else None
            comments = read_comments(item.object.annotations)
            waiting.append((uri if isinstance(uri, str) else "", item.answer_times, comments))
            advance()
            yield Entry(item.object)

    reader = AnswerReader(ReadOnly(job.place))
    decoded = reader.read(entries(), lambda content: job.core.decode(content, job.choices))
    for index, answers in enumerate(decoded):
        source, answer_times, comments = waiting[index]
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
            comments=comments,
        )


def read_comments(annotations: Iterable[Annotation]) -> dict[str, str]:
    """What workers wrote beside their answers to one data object, by worker.

    A worker's several comments are lines. Answers that are nowhere but in S3 are not asked.
    """
    comments: dict[str, dict[str, None]] = defaultdict(dict)
    for item in annotations:
        for text in _comments_in(item.content):
            comments[item.worker_id][escape_halves(text)] = None
    return {worker: "\n".join(texts) for worker, texts in comments.items()}


def _comments_in(content: Any) -> Iterator[str]:
    """The texts beside the value of a form's input, or within it, that are named as comments."""
    try:
        while isinstance(content, str | bytes):
            content = embedded_json(content, path="answer")
    except ContractError:
        return
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    for name, value in content.items() if isinstance(content, dict) else ():
        inner = value.items() if isinstance(value, dict) else ()
        for own, found in ((name, value), *inner):
            if _COMMENT.search(own):
                texts = found if isinstance(found, list) else [found]
                yield from (one.strip() for one in texts if isinstance(one, str) and one.strip())
