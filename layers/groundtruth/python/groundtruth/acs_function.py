"""What the annotation-consolidation functions share: what they open, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from groundtruth.consolidation import Outcome, consolidate_batch
from groundtruth.job_context import JobContexts
from groundtruth.labeling_jobs import open_jobs
from groundtruth.settings import Settings
from groundtruth.skills.opening import open_skills
from groundtruth.stores import open_store
from groundtruth.task import Task


class AcsFunction[Answer]:
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
