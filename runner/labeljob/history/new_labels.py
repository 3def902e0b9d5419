"""The labels of a whole job consolidated again, for a command that keeps none of its files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from groundtruth.finishing.outcomes import metadata_of
from groundtruth.sharding.plan import Plan
from groundtruth.storage.folder import FolderStore
from groundtruth.tasks.base import OBJECT, Label
from groundtruth.tasks.registry import decode_label
from labeljob.columns.parquet_answers import TableLines
from labeljob.engines.driver import Outcome, run_plan
from labeljob.engines.executors import Engine
from labeljob.history.auxiliary_inputs import AuxiliaryInputs
from labeljob.history.job import JobOnFile
from labeljob.history.replay import MASKS, OutcomeFolder
from labeljob.history.shards import find_sources
from labeljob.history.whole_job import OpenProgress, WholeJob, replay_whole
from labeljob.history.work_folder import WorkFolder
from labeljob.jobs.description import JobError


def make_new_labels(
    job: JobOnFile,
    auxiliary: AuxiliaryInputs,
    engine: Engine,
    *,
    show_progress: OpenProgress,
) -> Iterator[tuple[str, Label]]:
    """Consolidate a job again shard by shard, one that `has_steps`.

    Parameters
    ----------
    job : JobOnFile
        The job, with the settings that count.
    auxiliary : AuxiliaryInputs
        Its side files.
    engine : Engine
        Processes of this machine.
    show_progress : callable
        Opens a bar.

    Yields
    ------
    tuple of (str, Label)
        Each data object that has answers, by its id, and its new label.

    Raises
    ------
    GroundTruthError
        If the job cannot be read, or a shard failed.
    """
    if job.columns is None:
        raise ValueError(f"the answers of {job.task} are no names")
    objects = job.columns.objects.select(["id", "source"])
    lines = TableLines(objects.set_column(1, "source", find_sources(job, job.columns)))

    def run(plan: Plan, work: WorkFolder) -> Outcome:
        return run_plan(plan, work.uri_of(plan), work.store, engine)

    with tempfile.TemporaryDirectory(prefix="labeljob-") as name:
        store = FolderStore(Path(name))
        folder = OutcomeFolder(store, "s3://new/labels", MASKS)
        (outcome,) = replay_whole(
            [WholeJob(job=replace(job, lines=lines), folder=folder, auxiliary=auxiliary)],
            WorkFolder(store=store, root="s3://new/work"),
            engine,
            run,
            n_workers=engine.at_once,
            styles=(OBJECT,),
            tolerated_failures=0.0,
            show_progress=show_progress,
        )
        if outcome.failures:
            raise JobError("; ".join(outcome.failures.values()))
        (manifest,) = outcome.manifests
        with store.path(f"{folder.root}/{manifest}").open("rb") as texts:
            for line, text in zip(lines, texts, strict=True):
                values = json.loads(text)
                label = decode_label(values.get(job.attribute), metadata_of(values, job.attribute))
                if label is not None:
                    yield line.object_id, label
