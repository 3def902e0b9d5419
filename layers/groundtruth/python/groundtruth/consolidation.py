"""The path of an annotation-consolidation request: event, payload, answers, labels, response."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from groundtruth.annotations import AnswerReader, Answers, Deadline, Entry, merge_entries
from groundtruth.contract.acs import (
    CONSOLIDATED_FOLDER,
    AcsRequest,
    acs_response_item,
    parse_payload,
)
from groundtruth.contract.fields import embedded_json, is_label_name
from groundtruth.errors import ContractError, SettingsError
from groundtruth.jobs import JobContext, JobContexts, open_jobs
from groundtruth.settings import Settings
from groundtruth.storage.s3 import ObjectStore, open_store, role_is_allowed
from groundtruth.tasks.base import ConsolidationContext, Label, Task, algorithm_of, format_label
from groundtruth.worker_history.store import BatchSkills, SkillKey, SkillStore, open_skills

Answer = TypeVar("Answer")

_TIME_IN_KEY = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[_T ](\d{2})[:_-](\d{2})[:_-](\d{2})(?:\.(\d{1,6}))?"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The response, and what is worth measuring of a batch."""

    response: list[dict[str, Any]]  # what the function returns
    labels: tuple[Label, ...]  # the labels in it, in order
    job_name: str  # ``labeling-job/<name>``
    notes: tuple[str, ...]  # what was not found or not understood about the job and its side files
    skill_note: str = ""  # why worker skill was not read or not kept; empty if it was


def consolidate_batch(
    event: Any,
    *,
    task: Task[Answer],
    store: ObjectStore,
    jobs: JobContexts,
    skills: SkillStore | None = None,
    deadline: Callable[[], float] | None = None,
) -> Outcome:
    """Answer one annotation-consolidation event.

    Parameters
    ----------
    event : object
        The event as Ground Truth sends it.
    task : Task
        The job type.
    store : ObjectStore
        Where the payload is, and answers and masks are.
    jobs : JobContexts
        Where the job's classes and settings are looked up.
    skills : SkillStore, optional
        Where worker skill is kept from batch to batch. One that fails fails no batch.
    deadline : callable, optional
        How many seconds are left for the batch. Data objects for which they do not suffice get
        the status ``not-processed``.

    Returns
    -------
    Outcome
        With a response that holds every data object of the payload once, in its order.

    Raises
    ------
    ContractError
        If the event or the payload cannot be understood.
    StorageError
        If the payload cannot be read or a mask cannot be written, or an answer cannot be read
        now but could be later.
    JobLookupError, SettingsError
        If the job cannot be described now, or is set to what this task does not have.
    """
    time_left = Deadline(deadline)
    request = AcsRequest.from_event(event)
    job = jobs.of(
        request.labeling_job_arn,
        event_classes=request.label_categories,
        algorithms=task.algorithms,
    )
    _check_algorithm(task, job.settings)
    store = _permitted(store, request, job.settings)
    body = store.read(request.payload_uri)
    entries = merge_entries(parse_payload(embedded_json(body, path="payload")))
    reader = AnswerReader(store, time_left)
    named = job.classes or _classes_seen(entries, reader, task, job.settings)
    classes = task.all_classes(named, job.settings)
    key = SkillKey(task.schema_name, classes, job.settings.skill_half_life_days)
    kept = _batch_skills(request, skills, key, body, store)
    batch = _batch(request, job, jobs, entries, kept, store)
    answers = reader.read(entries, lambda content: task.decode(content, classes, job.settings))
    labels = tuple(task.consolidate(_teaching_all_or_nothing(answers, kept), batch))
    response = [
        acs_response_item(
            entry.object.object_id, format_label(label, request.label_attribute_name, task, batch)
        )
        for entry, label in zip(entries, labels, strict=True)
    ]
    return Outcome(
        response=response,
        labels=labels,
        job_name=request.job_name,
        notes=(*job.notes, *_notes_on_side_files(batch, entries)),
        skill_note=batch.skills.note,
    )


def _batch_skills(
    request: AcsRequest, skills: SkillStore | None, key: SkillKey, body: bytes, store: ObjectStore
) -> BatchSkills:
    """What this batch has to do with the skill of its workers."""
    return BatchSkills(
        store=skills,
        key=key,
        batch_id=hashlib.sha256(body).hexdigest(),
        job=request.labeling_job_arn,
        made_at=_made_at(request.payload_uri, store),
    )


def _batch(
    request: AcsRequest,
    job: JobContext,
    jobs: JobContexts,
    entries: Sequence[Entry],
    skills: BatchSkills,
    store: ObjectStore,
) -> ConsolidationContext:
    """What the task needs to know besides the answers."""
    settings = job.settings
    return ConsolidationContext(
        classes=skills.key.classes,
        classes_known=job.classes is not None,
        settings=settings,
        job_name=request.job_name,
        made_at=skills.made_at,
        masks_uri=f"{request.annotations_uri}/{CONSOLIDATED_FOLDER}/output",
        store=store,
        kms_key=request.kms_key_id or settings.kms_key_arn or None,
        workers=_workers(entries),
        skills=skills,
        gold=jobs.auxiliary_labels(settings.gold_labels_s3_uri),
        model=jobs.auxiliary_labels(settings.model_answers_s3_uri),
        confidence_map=jobs.confidence_map(settings.confidence_map_s3_uri),
    )


def _check_algorithm(task: Task[Any], settings: Settings) -> None:
    if algorithm_of(task, settings) not in task.algorithms:
        raise SettingsError(
            f"CONSOLIDATION_ALGORITHM={settings.consolidation_algorithm!r} is not one of "
            f"{', '.join(task.algorithms)}, which {task.schema_name} has"
        )


def _permitted(store: ObjectStore, request: AcsRequest, settings: Settings) -> ObjectStore:
    """The store, reached with the event's role where that is wanted and allowed."""
    if not settings.assume_job_role:
        return store
    if request.role_arn is None:
        raise ContractError("is missing, and ASSUME_JOB_ROLE says to assume it", path="roleArn")
    if not role_is_allowed(request.role_arn, settings.job_role_arn_pattern):
        raise SettingsError(
            f"the event's role {request.role_arn} does not match "
            f"JOB_ROLE_ARN_PATTERN={settings.job_role_arn_pattern!r}, so it is not assumed"
        )
    return store.acting_as(request.role_arn)


def _classes_seen(
    entries: Sequence[Entry], reader: AnswerReader, task: Task[Answer], settings: Settings
) -> tuple[str, ...]:
    """The classes that the workers used, in sorted order: where no place names them."""

    def names_in(content: Any) -> frozenset[str]:
        return frozenset(task.class_names(content, settings))

    names: set[str] = set()
    for answers in reader.read(entries, names_in):
        names.update(*answers.answers)
    # A name with half of a surrogate pair was replaced in part, and no job has it as a class.
    return tuple(sorted(name for name in names if is_label_name(name) and "\ufffd" not in name))


def _teaching_all_or_nothing(
    answers: Iterable[Answers[Answer]], skills: BatchSkills
) -> Iterator[Answers[Answer]]:
    """The answers; a batch of which an object is not processed teaches nothing."""
    for item in answers:
        skills.complete &= item.processed
        yield item


def _notes_on_side_files(batch: ConsolidationContext, entries: Sequence[Entry]) -> Iterator[str]:
    """A sentence for each side file that names labels the job does not have."""
    for uri, side in (
        (batch.settings.gold_labels_s3_uri, batch.gold),
        (batch.settings.model_answers_s3_uri, batch.model),
    ):
        known = (side.of(item.object.object_id, item.object.source_uri) for item in entries)
        unknown = sum(not set(names or ()) <= set(batch.classes) for names in known)
        if unknown:
            yield f"{uri} names labels that the job does not have for {unknown} of the data objects"


def _workers(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Everybody whose answer is in the payload, in sorted order."""
    names = {item.worker_id for entry in entries for item in entry.object.annotations}
    return tuple(sorted(names - {""}))


def _made_at(payload_uri: str, store: ObjectStore) -> datetime:
    """The time in the payload's name, else the time it was written."""
    match = _TIME_IN_KEY.search(payload_uri.rpartition("/")[2])
    if match is not None:
        *parts, fraction = match.groups(default="")
        numbers = [int(part) for part in parts]
        try:
            return datetime(*numbers, int(fraction.ljust(6, "0")), tzinfo=UTC)  # type: ignore[misc,arg-type]
        except ValueError:
            pass  # no date after all: 2026-13-41
    return store.modified(payload_uri)


class AcsFunction(Generic[Answer]):
    """A function that turns answers into labels; it keeps what it opened from batch to batch.

    Parameters
    ----------
    task : Task
        The job type.
    environ : mapping of str to str
        The function's environment.

    Raises
    ------
    SettingsError
        If a variable of the environment is not as it has to be.
    """

    def __init__(self, task: Task[Answer], environ: Mapping[str, str]) -> None:
        self._task = task
        self._store = open_store(environ)
        self._settings = Settings.from_environ(environ)
        self._jobs = JobContexts(self._settings, open_jobs(environ), self._store)
        self._skills = open_skills(environ, table_name=self._settings.skill_table_name)

    @property
    def stack_name(self) -> str:
        """The stack that the function belongs to; empty if it was told none."""
        return self._settings.stack_name

    def consolidate(self, event: Any, *, seconds_left: Callable[[], float]) -> Outcome:
        """Turn the answers to a batch of data objects into labels.

        Parameters
        ----------
        event : object
            The event as Ground Truth sends it.
        seconds_left : callable
            How many seconds are left for the batch.

        Raises
        ------
        GroundTruthError
            As `consolidate_batch` does.
        """
        return consolidate_batch(
            event,
            task=self._task,
            store=self._store,
            jobs=self._jobs,
            skills=self._skills,
            deadline=seconds_left,
        )
