"""`labeljob pool`: the answers of several rounds, consolidated together."""

from __future__ import annotations

from typing import Any

from groundtruth.sharding.plan import Plan
from groundtruth.tasks.base import algorithm_of
from labeljob import messages
from labeljob.actions.reading import (
    choose_algorithm,
    open_job_at,
    print_read_errors,
    read_truth,
)
from labeljob.commands.pool import PoolOptions
from labeljob.engines.driver import Outcome, run_plan
from labeljob.engines.executors import open_engine
from labeljob.history.auxiliary_inputs import AuxiliaryInputs
from labeljob.history.replay import (
    ReplayOutcome,
    choose_outcome_folder,
    make_single_call,
    replay_job,
)
from labeljob.history.whole_job import WholeJob, has_steps, replay_whole
from labeljob.history.work_folder import WorkFolder, choose_work_folder
from labeljob.jobs.description import JobError
from labeljob.rounds.pooling import Pool, pool


def pool_rounds(options: PoolOptions) -> None:
    """Do what `labeljob pool` does."""
    pooled, result = _pool(options)
    if options.as_json:
        messages.print_json({**result.as_json(), "pool": pooled.as_json()})
    else:
        _report(pooled, result)


def _pool(options: PoolOptions) -> tuple[Pool, ReplayOutcome]:
    if len(options.jobs) < 2:
        raise JobError("give two jobs or more; a single one is for labeljob replay")
    rounds = [open_job_at(job, options) for job in options.jobs]
    folders = [choose_outcome_folder(job.place, options.output, "") for job in rounds]
    pooled = pool(rounds)
    job = choose_algorithm(pooled.job, options.algorithm)
    truths = read_truth(job, options.truth)
    if has_steps(job):
        return pooled, _replay_whole(
            WholeJob(job=job, folder=folders[0], auxiliary=AuxiliaryInputs(), truths=truths)
        )
    calls = make_single_call(job)
    with messages.show_progress("Consolidating", len(calls[0].object_ids)) as advance:
        return pooled, replay_job(job, calls, folders[0], truths=truths, advance=advance)


def _replay_whole(whole: WholeJob) -> ReplayOutcome:
    """Consolidate the pooled answers shard by shard."""
    with open_engine() as engine:

        def run(plan: Plan, work: WorkFolder) -> Outcome:
            with messages.console.status("Consolidating"):
                return run_plan(plan, work.uri_of(plan), work.store, engine)

        (outcome,) = replay_whole(
            [whole],
            choose_work_folder(whole.folder),
            engine,
            run,
            n_workers=engine.at_once,
            show_progress=messages.show_progress,
        )
        return outcome


def _report(pooled: Pool, result: ReplayOutcome) -> None:
    print_read_errors(result.job.damage)
    differences: Any = result.differences.as_json()
    rounds = ", ".join(f"{job.place.name} ({len(job.object_ids())})" for job in pooled.rounds)
    name = algorithm_of(result.job.core, result.job.settings)
    messages.table(
        f"Pooled: {messages.format_count(len(pooled.rounds), 'round')}, {name}",
        ("measure", "value"),
        [
            ("rounds (data objects with answers)", rounds),
            ("data objects", str(len(pooled.in_rounds))),
            ("in several rounds", str(sum(count > 1 for count in pooled.in_rounds))),
            ("labels changed", str(differences["labels-changed"])),
            ("confidences changed", str(differences["confidences-changed"])),
        ],
    )
    rows = [
        (
            measure,
            *(_format_figure(figures.get(measure)) for figures in (result.before, result.after)),
        )
        for measure in result.after
    ]
    if rows:
        messages.table("Against the truth", ("measure", "last labels", "pooled"), rows)
    for manifest in result.manifests:
        messages.done(f"new manifest  {result.folder.shown(manifest)}")


def _format_figure(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.4f}"
