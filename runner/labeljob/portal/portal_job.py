"""One labeling job of a portal: its data objects, its worker page, and what its owner does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from groundtruth.errors import GroundTruthError, StorageError
from groundtruth.settings import Settings
from labeljob.application import find_template
from labeljob.jobs.description import (
    JobDescription,
    JobError,
    check_name,
    load_description,
    now,
)
from labeljob.jobs.function_answers import wants_workers
from labeljob.jobs.ground_truth_messages import pre_event
from labeljob.jobs.job_location import JobPlace, Place
from labeljob.jobs.manifest_lines import ManifestLine, read_lines
from labeljob.output_files import write_text
from labeljob.portal import assignments
from labeljob.portal.database import Database
from labeljob.rounds.requeue import make_next_name, requeue
from labeljob.tasks.base import JobType

if TYPE_CHECKING:
    from labeljob.jobs.worker_pages import WorkerPage
    from labeljob.rounds.earlier_labels import EarlierLabels, PlannedRound


def make_title(task: JobType, name: str) -> str:
    """What workers read of a job that has no title of its own.

    Examples
    --------
    >>> from labeljob.tasks.registry import find_job_type
    >>> make_title(find_job_type("image-multi-class"), "photos")
    'Choose the label of an image: photos'
    """
    return f"{task.request_title}: {name}"


Function: TypeAlias = Callable[[Mapping[str, Any]], Any]


class PortalJob:
    """A labeling job that people work on; several threads may use one at once.

    Attributes
    ----------
    description : JobDescription
        What the job is.
    problem : str
        Why its labels cannot be made now, for its owner; empty if nothing is wrong.
    """

    def __init__(
        self,
        description: JobDescription,
        *,
        place: Place,
        database: Database,
        pre: Function,
        begin: Callable[[JobDescription], PortalJob],
        wake: Callable[[], None],
    ) -> None:
        self.description = description
        self.problem = ""
        self._place = place
        self._database = database
        self._pre = pre
        self._begin = begin
        self._wake = wake

    @property
    def name(self) -> str:
        """The job's name, by which the database knows it."""
        return self.description.name

    @cached_property
    def lines(self) -> Sequence[ManifestLine]:
        """The input manifest; a data object's id is the number of its line."""
        path = Path(self.description.manifest)
        lines = read_lines(path, self.description.task.source_key)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != self.description.manifest_digest:
            raise JobError(
                f"{path} is not as it was when job {self.name} was begun, and answers know its "
                "lines by their numbers; put back what was there, or begin another job"
            )
        return lines

    @cached_property
    def page(self) -> WorkerPage:
        """The worker page's template; raises `PageError` if it cannot be read or parsed."""
        from labeljob.jobs.worker_pages import read_template

        return read_template(self.template)

    @property
    def template(self) -> Path:
        """The file of the worker page."""
        given = self.description.template
        return Path(given) if given else find_template(self.description.task.folder)

    @property
    def settings(self) -> Settings:
        """The settings of this job, as its tags give them."""
        return Settings().for_job(self.description.tags)[0]

    @cached_property
    def location(self) -> JobPlace:
        """The job's folder, as the commands about finished jobs read it."""
        images = self.description.images
        return JobPlace(
            root=self.description.layout.root,
            store=self._place.store,
            is_copy=False,
            images=Path(images) if images else None,
            description=self.description,
        )

    @property
    def folder(self) -> str:
        """The job's folder as a person finds it."""
        return self._place.shown(self.description.layout.root)

    @property
    def output_manifest(self) -> str | None:
        """The job's result as a person finds it; None until it is written."""
        uri = self.description.layout.output_manifest
        return self._place.shown(uri) if uri in self._place.store.list(uri) else None

    def state(self) -> assignments.JobState:
        """``"running"``, ``"paused"``, or ``"finished"``: no more answers are taken."""
        return assignments.get_job_state(self._database, self.name) or "running"

    def find_line(self, object_id: str) -> ManifestLine | None:
        """The manifest's line of a data object; None if there is no such object."""
        known = object_id.isascii() and object_id.isdecimal() and len(object_id) <= len("100000")
        number = int(object_id) if known else len(self.lines)
        return self.lines[number] if number < len(self.lines) else None

    def task_input(self, object_id: str) -> dict[str, Any] | None:
        """What the PRE function makes of a data object; asked once, and then kept.

        None if no human is needed: the data object is then excluded, and leases on it are gone.
        Raises `GroundTruthError` if there is no such object or the function fails.
        """
        row = self._database.find_row(
            "SELECT state, task_input FROM objects WHERE job = ? AND object_id = ?",
            (self.name, object_id),
        )
        line = self.find_line(object_id)
        if row is None or line is None:
            raise JobError(f"job {self.name} has no data object {object_id!r}")
        if row[0] == "excluded":
            return None
        if row[1] is not None:
            kept: dict[str, Any] = json.loads(row[1])
            return kept
        made = self.ask_pre(line)
        if made is None:
            assignments.exclude(self._database, self.name, object_id)
            return None
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE objects SET task_input = ? WHERE job = ? AND object_id = ?",
                (json.dumps(made), self.name, object_id),
            )
        return made

    def ask_pre(self, line: ManifestLine) -> dict[str, Any] | None:
        """What the PRE function makes of a line; None if no human is needed.

        Raises `GroundTruthError` if the function fails.
        """
        task = self._pre(pre_event(self.description, line.values))
        if not wants_workers(task):
            return None
        made: dict[str, Any] = task["taskInput"]
        return made

    def render(self, object_id: str, grant: Callable[[str], str]) -> str:
        """The worker page of a data object, as HTML.

        `grant` is told each URI that the page asks for by `grant_read_access`, and gives the
        address to put there. Raises `GroundTruthError`, also if no human is needed.
        """
        task_input = self.task_input(object_id)
        if task_input is None:
            raise JobError(f"nobody is asked about data object {object_id} of job {self.name}")
        return self.page.render(task_input, grant_read_access=grant)

    def read_file(self, uri: str) -> bytes:
        """An image or other file that a data object names; raises `StorageError`.

        Whoever calls this has to know that the data object names it.
        """
        return self.location.read(uri)

    def enter(self) -> None:
        """Make the job's rows, unless they are there."""
        if assignments.get_job_state(self._database, self.name) is None:
            assignments.add_job(
                self._database,
                self.name,
                [line.object_id for line in self.lines],
                wanted=self.description.per_object,
            )

    def check_page(self) -> None:
        """Raise `GroundTruthError` unless the manifest and a worker page can be read.

        That is the page of the first data object that needs a human. Of a finished job, whose
        page nobody sees any more, nothing is asked.
        """
        self._render_first()

    def _render_first(self) -> str:
        """The page that `check_page` looks at; empty if there is none."""
        if self.state() == "finished":
            return ""
        for line in self.lines:
            if (task_input := self.ask_pre(line)) is not None:
                return self.page.render(task_input, grant_read_access=lambda uri: uri)
        return ""

    def find_problem(self) -> str:
        """What `check_page` finds, as a text; empty if nothing is wrong."""
        try:
            self.check_page()
        except GroundTruthError as error:
            return str(error)
        return ""

    def find_unread_answers(self) -> str:
        """Why no answer of the page will count; empty if nothing is wrong."""
        from labeljob.jobs.page_inputs import explain_unread

        described = self.description
        html = self._render_first()
        field = self.settings.answer_field
        return html and explain_unread(html, described.task, described.labels, field)

    def find_image_problem(self) -> str:
        """Why the first data object's image cannot be read; empty if nothing is wrong."""
        line = self.lines[0]
        try:
            if line.source_key == "source-ref":
                self.read_file(line.source_ref)
        except StorageError as error:
            return f"{self.description.manifest}, line 1: {error}"
        return ""

    def pause(self) -> None:
        """Hand out no more tasks until `resume`; answers under way are still taken."""
        assignments.set_job_state(self._database, self.name, "paused")

    def resume(self) -> None:
        """Hand out tasks again."""
        assignments.set_job_state(self._database, self.name, "running")

    def finish(self) -> None:
        """Take no more answers, and make labels of those there are.

        It comes back at once; the labels are made in the background.
        """
        assignments.set_job_state(self._database, self.name, "finished")
        self._wake()

    def requeue(self, below: float, *, workers: int | None = None) -> PortalJob:
        """Begin a job with the data objects of this finished one that need another round.

        These have no label, or one with less confidence than `below`. `workers` are for each data
        object; as many as before if left out. Doing it twice gives the same job. Raises
        `GroundTruthError` if the job is not finished, or nothing is to be labeled again.
        """
        if self.output_manifest is None:
            raise JobError(f"job {self.name} has no output manifest yet; wait until it has ended")
        result = requeue(self.location, below=below)
        if not result.requeued:
            raise JobError(
                f"job {self.name} has a label with a confidence of at least {below} for every data "
                "object; there is nothing to label again"
            )
        digest = hashlib.sha256(result.manifest).hexdigest()
        name = self._find_name(make_next_name(self.name), digest)
        manifest = Path(self.description.manifest).with_name(f"{name}.manifest")
        write_text(manifest, result.manifest.decode("utf-8"))
        per_object = workers or self.description.per_object
        has_own_title = self.description.title != make_title(self.description.task, self.name)
        assignments.copy_members(self._database, self.name, to=name)
        return self._begin(
            replace(
                self.description,
                name=name,
                manifest=str(manifest),
                manifest_digest=digest,
                source="",
                title=self.description.title
                if has_own_title
                else make_title(self.description.task, name),
                per_object=per_object,
                max_workers=self.description.max_workers
                and max(self.description.max_workers, per_object),
                started=now(),
            )
        )

    def ask_about_labels(
        self, plan: Callable[[EarlierLabels, Sequence[str]], PlannedRound]
    ) -> PortalJob:
        """Begin a job in which people see the labels of this finished one.

        `plan` says which, such as `plan_verification`. Doing it twice gives the same job. Raises
        `GroundTruthError` if the job is not finished, or has no such labels.
        """
        from labeljob.rounds.earlier_labels import EARLIER_TAG, read_earlier_labels

        if self.output_manifest is None:
            raise JobError(f"job {self.name} has no output manifest yet; wait until it has ended")
        earlier = read_earlier_labels(Path(self.output_manifest), self.description.attribute)
        planned = plan(earlier, self.description.labels)
        folder = Path(self.description.manifest).parent.resolve()
        text = earlier.make_manifest(folder, labeled_only=planned.labeled_only)
        digest = hashlib.sha256(text.encode()).hexdigest()
        name = self._find_name(planned.name, digest)
        check_name(name)
        manifest = folder / f"{name}.manifest"
        write_text(manifest, text)
        assignments.copy_members(self._database, self.name, to=name)
        return self._begin(
            replace(
                self.description,
                name=name,
                task=planned.task,
                labels=planned.labels,
                attribute=planned.attribute,
                manifest=str(manifest),
                manifest_digest=digest,
                source="",
                template=str(planned.template or ""),
                tags={EARLIER_TAG: earlier.attribute},
                title=f"{planned.title}: {name}",
                task_description=planned.description,
                max_workers=0,
                started=now(),
            )
        )

    def _find_name(self, name: str, manifest_digest: str) -> str:
        """The first name from `name` on that no job has, or the one that has this manifest."""
        while known := load_description(self._place.jobs, name):
            if known.manifest_digest == manifest_digest:
                break
            name = make_next_name(name)
        return name
