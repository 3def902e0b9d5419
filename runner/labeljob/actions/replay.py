"""`labeljob replay`: a finished job's answers, consolidated again."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

from groundtruth.compat import process_cpu_count
from groundtruth.sharding.plan import Plan
from groundtruth.tasks.base import algorithm_of
from groundtruth.worker_history.counts import MemorySkills
from labeljob import messages
from labeljob.actions.reading import (
    check_quorum,
    choose_algorithm,
    open_job_at,
    print_attribute,
    print_read_errors,
    read_truth,
)
from labeljob.commands.options import (
    EngineName,
)
from labeljob.commands.replay import ReplayOptions, Style
from labeljob.engines.aws import open_machine, run_plan_on_aws
from labeljob.engines.cost import (
    ASSUMED,
    AT_ONCE,
    PRICED_AT,
    REGION,
    Estimate,
    estimate,
)
from labeljob.engines.driver import Outcome, Progress, run_plan
from labeljob.engines.executors import Engine, open_engine
from labeljob.history.auxiliary_inputs import add_auxiliary_inputs
from labeljob.history.differences import Change, Differences, name_described
from labeljob.history.job import JobOnFile
from labeljob.history.masks_on_aws import MasksOnAws
from labeljob.history.replay import (
    STYLES,
    SUMMARY,
    ReplayOutcome,
    choose_outcome_folder,
    list_calls,
    make_single_call,
    replay_job,
)
from labeljob.history.whole_job import (
    WholeJob,
    check_alike,
    has_steps,
    measure_work,
    replay_whole,
)
from labeljob.history.whole_masks import replay_masks
from labeljob.history.work_folder import WorkFolder, choose_work_folder, find_stack_folder
from labeljob.jobs.description import JobError
from labeljob.metrics.dependence import SCALE, describe_pairs

SHOWN = 20


def replay(options: ReplayOptions) -> None:
    """Do what `labeljob replay` does."""
    if options.dry_run:
        _show_estimate(_estimate(options), options)
        return
    results = _replay(options)
    if options.as_json:
        values = [result.as_json() for result in results]
        messages.print_json(values[0] if len(values) == 1 else values)
    for result in () if options.as_json else results:
        _report(result)


def _replay(options: ReplayOptions) -> list[ReplayOutcome]:
    if options.keep_skill and not options.calls:
        raise JobError("--keep-skill goes with --calls: skill is kept from one call to the next")
    with _open_own_engine(options) as engine:
        jobs = [_open_job(job, options, engine) for job in options.jobs]
        if _goes_by_shards(jobs, options):
            return _replay_whole(jobs, options, engine)
        if _goes_by_objects(jobs, options):
            return [_replay_masks(jobs[0], options, engine)]
        return [_replay_calls(jobs[0], options)]


def _open_own_engine(options: ReplayOptions) -> AbstractContextManager[Engine]:
    """Processes of this machine.

    Columns are read, shards made and labels written here, whatever consolidates the shards.
    """
    return open_engine(workers=None if options.address else options.workers)


def _goes_by_shards(jobs: list[WholeJob], options: ReplayOptions) -> bool:
    """Whether jobs are replayed shard by shard; raises `JobError` if they are not and must be."""
    if not options.calls and all(has_steps(whole.job) for whole in jobs):
        check_alike([whole.job for whole in jobs])
        return True
    if _goes_by_objects(jobs, options):
        return False
    if len(jobs) > 1 or options.on is not EngineName.PROCESSES:
        job = jobs[0].job
        raise JobError(
            "several jobs together, and --on, are for all answers at once, without --calls, "
            f"and for algorithms that go shard by shard; {job.task} by "
            f"{algorithm_of(job.core, job.settings)} does not"
        )
    return False


def _goes_by_objects(jobs: list[WholeJob], options: ReplayOptions) -> bool:
    """Whether a job is replayed a few data objects at a time: one of masks."""
    is_masks = jobs[0].job.task.names_task is None
    return is_masks and len(jobs) == 1 and not options.calls


def _estimate(options: ReplayOptions) -> Estimate:
    with _open_own_engine(options) as engine:
        jobs = [_open_job(job, options, engine) for job in options.jobs]
    n_workers = options.workers or process_cpu_count() or 1
    on_aws = options.on is EngineName.AWS
    by_shards = _goes_by_shards(jobs, options) or _goes_by_objects(jobs, options)
    work = measure_work([whole.job for whole in jobs], AT_ONCE if on_aws else n_workers, by_shards)
    return estimate(work, on_aws=on_aws, n_workers=n_workers)


def _show_estimate(found: Estimate, options: ReplayOptions) -> None:
    if options.as_json:
        messages.print_json(found.as_json())
        return
    messages.table("Dry run", ("", "typical", "at most"), found.rows())
    if found.bills:
        messages.note(f"list prices of {REGION}, {PRICED_AT}")
    messages.note(ASSUMED)


def _open_job(name: str, options: ReplayOptions, engine: Engine) -> WholeJob:
    job, auxiliary = add_auxiliary_inputs(
        _apply_settings(
            choose_algorithm(open_job_at(name, options, engine=engine), options.algorithm), options
        ),
        {
            "gold_labels_s3_uri": options.gold,
            "model_answers_s3_uri": options.model_answers,
            "confidence_map_s3_uri": options.confidence_map,
        },
    )
    output = options.output
    if output is not None and len(options.jobs) > 1:
        output = f"{output.rstrip('/')}/{job.place.name}"
    algorithm = algorithm_of(job.core, job.settings)
    return WholeJob(
        job=job,
        folder=choose_outcome_folder(job.place, output, f"replays/{algorithm}"),
        auxiliary=auxiliary,
        truths=read_truth(job, options.truth),
    )


def _choose_styles(options: ReplayOptions) -> tuple[str, ...]:
    style = options.output_style
    return STYLES if style is Style.BOTH else (style.value,)


def _replay_whole(
    wholes: list[WholeJob], options: ReplayOptions, engine: Engine
) -> list[ReplayOutcome]:
    """All answers together, shard by shard."""
    n_workers = options.workers or process_cpu_count() or 1
    machine = None
    if options.on is EngineName.AWS:
        machine = open_machine(_require_stack(options))
        n_workers = machine.at_once

    def run(plan: Plan, work: WorkFolder) -> Outcome:
        n_objects = sum(shard.n_objects for shard in plan.shards)
        uri = work.uri_of(plan)
        with messages.show_progress("Consolidating", n_objects) as advance:
            report = _Reporter(advance)
            if machine is not None:
                return run_plan_on_aws(plan, uri, work.store, machine, report=report)
            with _open_engine(options, engine) as chosen:
                return run_plan(plan, uri, work.store, chosen, report=report)

    output, name = wholes[0].folder, wholes[0].job.place.name
    work = choose_work_folder(output, is_shared=options.address is not None)
    if machine is not None:
        work = find_stack_folder(machine.folder, output, name)
    return replay_whole(
        wholes,
        work,
        engine,
        run,
        n_workers=n_workers,
        styles=_choose_styles(options),
        show_progress=messages.show_progress,
    )


def _open_engine(options: ReplayOptions, engine: Engine) -> AbstractContextManager[Engine]:
    """Where shards are consolidated; `engine` are the processes there are already."""
    if options.on is EngineName.AWS or (
        options.on is EngineName.PROCESSES and options.address is None
    ):
        return nullcontext(engine)
    return open_engine(options.on.value, workers=options.workers, address=options.address)


def _require_stack(options: ReplayOptions) -> str:
    """The stack of --on aws; raises `JobError` without one, or with processes of this machine."""
    if not options.address:
        raise JobError("--on aws needs the stack's name: --address STACK")
    return options.address


class _Reporter:
    """Moves a bar on by the data objects of each step."""

    def __init__(self, advance: messages.Advance) -> None:
        self._advance, self._step, self._done = advance, -1, 0

    def __call__(self, progress: Progress) -> None:
        if progress.number != self._step:
            self._step, self._done = progress.number, 0
        if progress.objects > self._done:
            self._advance(progress.objects - self._done)
            self._done = progress.objects


def _replay_masks(whole: WholeJob, options: ReplayOptions, engine: Engine) -> ReplayOutcome:
    """All answers together, a few data objects at a time."""
    (call,) = make_single_call(whole.job)
    elsewhere = None
    if options.on is EngineName.AWS:
        machine = open_machine(_require_stack(options))
        there = find_stack_folder(machine.folder, whole.folder, whole.job.place.name)
        elsewhere = MasksOnAws(machine=machine, work=there)
    is_shared = options.address is not None and elsewhere is None
    with (
        messages.show_progress("Consolidating", len(call.object_ids)) as advance,
        _open_engine(options, engine) as chosen,
    ):
        return replay_masks(
            whole.job,
            call,
            whole.folder,
            choose_work_folder(whole.folder, is_shared=is_shared),
            chosen,
            elsewhere=elsewhere,
            styles=_choose_styles(options),
            truths=whole.truths,
            report=_Reporter(advance),
        )


def _replay_calls(whole: WholeJob, options: ReplayOptions) -> ReplayOutcome:
    """One call after another, or all answers together in memory."""
    job = whole.job
    with messages.console.status("Telling calls apart"):
        calls = list_calls(job) if options.calls else make_single_call(job)
    n_objects = sum(len(call.object_ids) for call in calls)
    with messages.show_progress("Consolidating", n_objects) as advance:
        return replay_job(
            job,
            calls,
            whole.folder,
            styles=_choose_styles(options),
            truths=whole.truths,
            auxiliary=whole.auxiliary,
            skills=MemorySkills() if options.keep_skill else None,
            advance=advance,
        )


def _apply_settings(job: JobOnFile, options: ReplayOptions) -> JobOnFile:
    check_quorum(job.task, options.quorum)
    settings = {"quorum": options.quorum, "min_confidence": options.min_confidence}
    return job.with_settings(
        **{name: value for name, value in settings.items() if value is not None}
    )


def _report(result: ReplayOutcome) -> None:
    job, values = result.job, result.differences.figures()
    print_read_errors(job.damage)
    print_attribute(job)
    if job.classes_from in ("manifest", "answers"):
        messages.note(
            f"the classes are those of the {job.classes_from}: {', '.join(job.classes)}. "
            "If there are others, or the order matters, give --labels."
        )
    messages.table(
        f"{job.place.spell(job.name)}: {algorithm_of(job.core, job.settings)}, "
        f"{messages.format_count(len(result.calls), 'call')}",
        ("measure", "value"),
        [
            ("data objects", str(values["objects"])),
            (
                ("new labels", str(values["labels-new"]))
                if values["labels-new"]
                else ("labels changed", str(values["labels-changed"]))
            ),
            ("confidences changed", str(values["confidences-changed"])),
            ("mean change of the confidence", f"{values['confidence-change-mean']:+.4f}"),
            ("largest change of a confidence", f"{values['confidence-change-max']:.4f}"),
        ],
    )
    if result.differences.relabeled:
        _show_changes(result.differences)
    if result.after:
        _show_figures(result)
    if result.passes > 1:
        messages.note(
            "the answers were read twice: first to judge the workers by all of them, then to "
            "consolidate; --calls reads them once"
        )
    if found := result.dependence:
        span = ""
        if found.varies:
            span = (
                f" on average, {found.lowest:.2f} to {found.highest:.2f}, and "
                f"{found.best_known:.2f} with the most pairs"
            )
        messages.note(
            f"dependence of errors {found.value:.2f}{span} ({SCALE}), found from "
            f"{'up to ' if found.varies else ''}{describe_pairs(found)}"
        )
    if result.comments:
        messages.note(
            "workers wrote comments on "
            f"{messages.format_count(len(result.comments), 'data object')}, see "
            f"{result.folder.shown(SUMMARY)}"
        )
    for name, problem in list(result.failures.items())[:SHOWN]:
        messages.warning(
            f"shard {name} failed, and labels of its data objects stay as they are: {problem}"
        )
    for name in result.manifests:
        messages.done(f"new manifest  {result.folder.shown(name)}")


def _show_changes(differences: Differences) -> None:
    messages.table(
        "Changed, by the class they had",
        ("class", "objects", "changed", "now"),
        [
            (
                name,
                str(row["objects"]),
                str(row["changed"]),
                ", ".join(f"{other} {count}" for other, count in row["to"].items()),
            )
            for name, row in differences.by_class().items()
            if row["changed"]
        ],
    )
    changed = differences.relabeled
    title = "Objects with another label"
    if len(changed) > SHOWN:
        title += f", {SHOWN} of {len(changed)}; --json has all"
    messages.table(title, ("object", "was", "is", "source"), map(_format_change, changed[:SHOWN]))


def _format_change(change: Change) -> tuple[str, str, str, str]:
    after = name_described(change.after)
    if change.changed_share is not None:
        after = f"{change.changed_share:.2%} of the pixels"
    return (change.object_id, name_described(change.before), after, change.source)


def _show_figures(result: ReplayOutcome) -> None:
    messages.table(
        "Against the truth",
        ("measure", "the job's", "replayed"),
        [
            (
                name,
                _format_figure(result.before.get(name, math.nan)),
                _format_figure(result.after[name]),
            )
            for name in result.after
        ],
    )


def _format_figure(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if value >= 2 and value == int(value) else f"{value:.4f}"
