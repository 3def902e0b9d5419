"""A portal: all jobs of one store that people label, and what makes labels of their answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from groundtruth.contract.fields import label_category_file
from groundtruth.errors import GroundTruthError
from groundtruth.storage.folder import FolderStore, remove_parts
from groundtruth.worker_history.store import SKILL_FILE_VARIABLE
from labeljob.jobs.description import (
    PEOPLE,
    JobDescription,
    JobError,
    begin_or_resume,
    check_name,
    load_description,
)
from labeljob.jobs.job_location import open_place
from labeljob.portal import assignments
from labeljob.portal.consolidation import SETTLE, Consolidation
from labeljob.portal.database import DATABASE, PORTAL_FOLDER, Database
from labeljob.portal.portal_job import Function, PortalJob
from labeljob.portal.shared_function import SharedFunction
from labeljob.tasks.base import JobType

_WHAT_IS_LABELED = {"source", "manifest", "manifest_digest"}
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_AFTER_PROBLEM = 30.0


def open_database(store: Path, *, clock: Callable[[], float] = time.time) -> Database:
    """The database of a store's portal, which others may use at the same time."""
    return Database(store / PORTAL_FOLDER / DATABASE, clock=clock)


class Portal:
    """The jobs of a store, open for people; use it as a context manager.

    Inside the ``with`` block a thread makes labels in the background. Raises `JobError` if another
    portal has the store.

    Parameters
    ----------
    store : Path
        The folder of jobs, as `labeljob run` has one; made if it is not there.
    wanted : JobDescription, optional
        A job that `begin` is told next. If it is there, and nobody has answered in it, it may have
        other options than it was begun with.
    settle : float, optional
        Seconds after a data object's last answer in which a worker may still go back to it.
    clock : callable, optional
        Gives the time in UTC seconds.
    """

    def __init__(
        self,
        store: Path,
        *,
        wanted: JobDescription | None = None,
        settle: float = SETTLE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = store.resolve()
        self.place = open_place(str(self.folder), endpoint_url=None)
        (self.folder / PORTAL_FOLDER).mkdir(parents=True, exist_ok=True)
        self.place.jobs.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder / PORTAL_FOLDER / "portal.lock", timeout=0)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise JobError(
                f"another portal is open on {self.folder}; stop that one first, or give another "
                "--output"
            ) from error
        self.database = open_database(self.folder, clock=clock)
        self._settle = settle
        self._clock = clock
        self._functions: dict[str, SharedFunction] = {}
        self._acs: tuple[str, SharedFunction] | None = None
        self._guard = threading.Lock()
        self._jobs: Mapping[str, PortalJob] = {}
        self._consolidations: dict[str, Consolidation] = {}
        self._stopping = False
        self._awake = threading.Event()
        self._thread = threading.Thread(target=self._consolidate, name="consolidation")
        remove_parts(self.place.jobs)
        if wanted is not None:
            self._forget_unanswered(wanted)
        for description in self._list_descriptions():
            self._open(description)

    @property
    def jobs(self) -> Mapping[str, PortalJob]:
        """All jobs by name, the oldest first; another one may come at any time."""
        return self._jobs

    def begin(self, wanted: JobDescription) -> PortalJob:
        """Begin a job, or go on with it; raises `GroundTruthError`.

        That is also raised if it was begun with other options, its manifest cannot be read, or its
        worker page cannot be rendered; then it is not begun.
        """
        check_name(wanted.name)
        with self._guard:
            is_new = load_description(self.place.jobs, wanted.name) is None
            description = begin_or_resume(self.place.jobs, wanted, may_be_fresh=False)
            try:
                self._write_label_file(description)
                self._make_job(description).check_page()
            except GroundTruthError:
                if is_new:
                    self.place.forget(description)
                raise
            return self._jobs.get(description.name) or self._open(description)

    def _forget_unanswered(self, wanted: JobDescription) -> None:
        """Remove a job that is wanted with other options, if that loses nobody's answer."""
        known = load_description(self.place.jobs, wanted.name)
        if known is None or known.crew != PEOPLE:
            return
        different = set(known.differences(wanted))
        if not different or different & _WHAT_IS_LABELED:
            return
        if not assignments.has_answers(self.database, known.name):
            assignments.remove_job(self.database, known.name)
            self.place.forget(known)

    def _write_label_file(self, description: JobDescription) -> None:
        text = json.dumps(label_category_file(list(description.labels)))
        self.place.store.write(
            description.label_file, text.encode(), content_type="application/json", kms_key=None
        )

    def run_due(self) -> None:
        """Make the labels that are due, of all jobs, in this thread."""
        for job in list(self.jobs.values()):
            self._consolidations[job.name].run()

    def wake(self) -> None:
        """Look soon for what is due."""
        self._awake.set()

    def close(self) -> None:
        """End the functions' processes, and let others have the store."""
        self._stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join()
        for function in self._functions.values():
            function.close()
        if self._acs is not None:
            self._acs[1].close()
        self.database.close()
        self._lock.release()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _list_descriptions(self) -> list[JobDescription]:
        names = [path.stem for path in self.place.jobs.glob("*.json") if ".skill" not in path.name]
        known = (load_description(self.place.jobs, name) for name in sorted(names))
        jobs = [description for description in known if description and description.crew == PEOPLE]
        return sorted(jobs, key=lambda description: description.started)

    def _open(self, description: JobDescription) -> PortalJob:
        """Take a job among those of the portal; its rows are made if they are not there."""
        job = self._make_job(description)
        if isinstance(self.place.store, FolderStore):
            self.place.store.path(description.layout.root).mkdir(parents=True, exist_ok=True)
            self.place.store.remove_parts(description.layout.root)
        self._write_label_file(description)
        job.enter()
        self._consolidations[job.name] = Consolidation(
            job,
            database=self.database,
            store=self.place.store,
            acs=self._acs_of(description),
            settle=self._settle,
            clock=self._clock,
        )
        self._jobs = {**self._jobs, job.name: job}
        return job

    def _make_job(self, description: JobDescription) -> PortalJob:
        return PortalJob(
            description,
            place=self.place,
            database=self.database,
            pre=self._pre_of(description.task),
            begin=self.begin,
            wake=self.wake,
        )

    def _pre_of(self, task: JobType) -> Function:
        """The PRE function of a job type, which all its jobs share."""
        name = f"pre_{task.folder}"
        if name not in self._functions:
            log = self.folder / PORTAL_FOLDER / f"{name}.log"
            self._functions[name] = SharedFunction(name, self.place.environment, log=log)
        return self._functions[name]

    def _acs_of(self, description: JobDescription) -> Function:
        """The ACS function for one job: its process is that of the job that had it last."""

        def call(event: Mapping[str, object]) -> object:
            if self._acs is None or self._acs[0] != description.name:
                if self._acs is not None:
                    self._acs[1].close()
                skills = description.skill_file or self.place.skill_file(description.name)
                environment = {**self.place.environment, SKILL_FILE_VARIABLE: str(skills)}
                log = self.place.jobs / f"{description.name.lower()}.log"
                name = f"acs_{description.task.folder}"
                self._acs = (description.name, SharedFunction(name, environment, log=log))
            return self._acs[1](event)

        return call

    def _consolidate(self) -> None:
        """Look for what is due until the portal is closed; what is wrong is told of the job."""
        not_before: dict[str, float] = {}
        while not self._stopping:
            self._awake.wait(_SECONDS_BETWEEN_LOOKS)
            self._awake.clear()
            for job in list(self.jobs.values()):
                if self._stopping or time.monotonic() < not_before.get(job.name, 0.0):
                    continue
                try:
                    self._consolidations[job.name].run()
                    job.problem = ""
                except Exception as error:  # noqa: BLE001  whatever it is, it is told, and tried again
                    job.problem = str(error) or type(error).__name__
                    not_before[job.name] = time.monotonic() + _SECONDS_AFTER_PROBLEM
