"""The answers of several rounds as those of one job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from groundtruth.compat import batched
from groundtruth.contract.acs import Annotation, DataObject
from groundtruth.errors import StorageError
from labeljob.columns.pooled import pool_answers
from labeljob.history.job import JobOnFile, ToldClasses, order_classes
from labeljob.history.job_files import (
    AnsweredObject,
    AnswerFiles,
    AnswerTime,
    DamageList,
    OutputLine,
)
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace

AHEAD = 64
"""Data objects whose answers are read at once."""

_NEVER = datetime.min.replace(tzinfo=UTC)

Places: TypeAlias = Sequence[tuple[int, str]]
"""Number of the round, and id of the data object in it."""


@dataclass(frozen=True, kw_only=True)
class PooledPlace(JobPlace):
    """The folders of several jobs; the first one's name is that of all."""

    rounds: tuple[JobPlace, ...] = ()

    def read(self, uri: str) -> bytes:
        """Content of an object of any round, the last round asked first."""
        own = [place for place in self.rounds if uri.startswith(f"{place.root}/")]
        problem = StorageError("is in no round", uri=uri, reason="not-found")
        for place in own or self.rounds[::-1]:
            try:
                return place.read(uri)
            except StorageError as error:
                problem = error
        raise problem


class PooledAnswers(AnswerFiles):
    """The answers of several rounds to the same data objects, in the order they were given.

    Of a worker who answered one data object in two rounds both answers are there, the later one
    last; reading them sets the earlier one aside.
    """

    def __init__(
        self, jobs: Sequence[JobOnFile], objects: Sequence[Places], damage: DamageList
    ) -> None:
        super().__init__(jobs[0].place, {}, (), damage)
        self._jobs = jobs
        self._objects = objects
        self._pooled_damage = damage

    def object_ids(self) -> list[str]:
        """The data objects that have answers in any round."""
        if self.columns is not None:
            return self.columns.object_ids
        answered = [set(job.object_ids()) for job in self._jobs]
        return [
            str(number)
            for number, places in enumerate(self._objects)
            if any(object_id in answered[at] for at, object_id in places)
        ]

    def read(self, object_ids: Sequence[str]) -> Iterator[AnsweredObject]:
        """The answers to data objects of all rounds, in that order."""
        for some in batched(object_ids, AHEAD):
            wanted: dict[int, list[str]] = {}
            for object_id in some:
                for at, own_id in self._objects[int(object_id)]:
                    wanted.setdefault(at, []).append(own_id)
            answered = {
                (at, item.object.object_id): item
                for at, own_ids in wanted.items()
                for item in self._jobs[at].files.read(own_ids)
            }
            for object_id in some:
                yield self._together(object_id, answered)

    def _together(
        self, object_id: str, answered: Mapping[tuple[int, str], AnsweredObject]
    ) -> AnsweredObject:
        """The answers to one data object, in time order where all have a time."""
        answers: list[tuple[datetime, Annotation, AnswerTime]] = []
        for at, own_id in self._objects[int(object_id)]:
            if item := answered.get((at, own_id)):
                for annotation in item.object.annotations:
                    answer_time = item.answer_times.get(annotation.worker_id, AnswerTime())
                    moment = answer_time.submitted or _NEVER
                    answers.append((moment, self._whole(annotation, at), answer_time))
        if all(moment > _NEVER for moment, _, _ in answers):
            answers.sort(key=lambda entry: entry[0])
        annotations = tuple(annotation for _, annotation, _ in answers)
        return AnsweredObject(
            DataObject(object_id=object_id, source=None, annotations=annotations),
            {annotation.worker_id: answer_time for _, annotation, answer_time in answers},
        )

    def _whole(self, annotation: Annotation, at: int) -> Annotation:
        """The answer with its content, which only its own round can read."""
        if annotation.content is not None or annotation.uri is None:
            return annotation
        place = self._jobs[at].place
        try:
            return replace(annotation, content=place.read(annotation.uri).decode("utf-8"))
        except (StorageError, UnicodeDecodeError) as error:
            self._pooled_damage.add(f"{place.name}: {place.shown(annotation.uri)}", str(error))
            return replace(annotation, uri=None)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Several rounds as one job."""

    job: JobOnFile
    rounds: tuple[JobOnFile, ...]
    in_rounds: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        """What was pooled, for `--json`."""
        return {
            "rounds": [
                {"job": job.name, "objects": len(job.lines), "answered": len(job.object_ids())}
                for job in self.rounds
            ],
            "objects": len(self.in_rounds),
            "objects-in-several-rounds": sum(count > 1 for count in self.in_rounds),
        }


def pool(jobs: Sequence[JobOnFile]) -> Pool:
    """Put rounds together: what has the same source is the same data object."""
    first = jobs[0]
    if other := next((job for job in jobs if job.task != first.task), None):
        raise JobError(
            f"{other.place.name} is of {other.task}, and {first.place.name} of {first.task}; only "
            "rounds of one job type are pooled"
        )
    damage = DamageList()
    for job in jobs:
        for item in job.damage.damages:
            damage.add(f"{job.place.name}: {item.file}", item.problem)
    objects = _objects(jobs, damage)
    by_id = [{line.object_id: line for line in job.lines} for job in jobs]
    lines = tuple(_line(number, jobs, by_id, places) for number, places in enumerate(objects))
    place = PooledPlace(
        root=first.place.root,
        store=first.place.store,
        is_copy=first.place.is_copy,
        rounds=tuple(job.place for job in jobs),
    )
    fields = " ".join(dict.fromkeys(filter(None, (job.settings.answer_field for job in jobs))))
    files = PooledAnswers(jobs, objects, damage)
    columns = [job.columns for job in jobs if job.columns is not None]
    if len(columns) == len(jobs):
        files.columns = pool_answers(columns, _list_new_ids(objects, len(jobs)))
    job = replace(
        first,
        settings=replace(first.settings, answer_field=fields),
        place=place,
        classes=_classes(jobs),
        lines=lines,
        files=files,
        damage=damage,
    )
    in_rounds = tuple(len({at for at, _ in places}) for places in objects)
    return Pool(job=job, rounds=tuple(jobs), in_rounds=in_rounds)


def _objects(jobs: Sequence[JobOnFile], damage: DamageList) -> list[list[tuple[int, str]]]:
    """Where each data object is; one without a source stands alone, which is noted."""
    places: dict[tuple[str, ...], list[tuple[int, str]]] = {}
    for at, job in enumerate(jobs):
        for line in job.lines:
            if line.source:
                places.setdefault((line.source,), []).append((at, line.object_id))
            else:
                where = f"{job.place.name}: data object {line.object_id}"
                damage.add(where, "has no source-ref and is pooled with nothing")
                places[str(at), line.object_id] = [(at, line.object_id)]
    return list(places.values())


def _list_new_ids(objects: Sequence[Places], n_rounds: int) -> list[dict[str, str]]:
    """The pooled id of each round's data objects."""
    new_ids: list[dict[str, str]] = [{} for _ in range(n_rounds)]
    for number, places in enumerate(objects):
        for at, object_id in places:
            new_ids[at][object_id] = str(number)
    return new_ids


def _line(
    number: int,
    jobs: Sequence[JobOnFile],
    by_id: Sequence[Mapping[str, OutputLine]],
    places: Places,
) -> OutputLine:
    """All that the rounds' lines say, and the last label, under the first round's attribute."""
    own = jobs[0].attribute
    values: dict[str, Any] = {}
    for at, object_id in places:
        named = jobs[at].attribute
        content = dict(by_id[at][object_id].values)
        label = {
            own: content.pop(named, None),
            f"{own}-metadata": content.pop(f"{named}-metadata", {}),
        }
        values |= content
        if label[own] is not None:
            values |= label
    return OutputLine(str(number), "", values)


def _classes(jobs: Sequence[JobOnFile]) -> tuple[str, ...]:
    """The classes of all rounds: those written down, else all that labels and answers tell.

    Raises `JobError` if the labels or the answers of a round are of other classes.
    """
    all_told = [
        ToldClasses(job.lines, job.attribute, job.files, job.place, job.core, job.settings)
        for job in jobs
    ]
    written = next((job for job in jobs if job.classes_from in ("given", "job")), None)
    classes = written.classes if written else order_classes(all_told[::-1])[0]  # the first counts
    first = written or jobs[0]
    for job, told in zip(jobs, all_told, strict=True):
        if job.classes_from in ("given", "job"):
            problem = "" if job.classes == classes else "another label category file"
        else:
            problem = told.find_contradiction(job.core.all_classes(classes, first.settings))
        if not problem and not set(job.classes) & set(first.classes):
            problem = "no class in common"
        if problem:
            raise JobError(
                f"the classes of {job.place.name} ({', '.join(job.classes)}) are not those of "
                f"{first.place.name} ({', '.join(first.classes)}): {problem}; "
                "only rounds with the same question are pooled"
            )
    return classes
