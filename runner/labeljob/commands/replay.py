"""`labeljob replay`: a finished job's answers, consolidated again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.tasks.base import algorithm_of
from groundtruth.worker_history.counts import MemorySkills
from labeljob import messages
from labeljob.commands import options as shared
from labeljob.commands.options import JobOptions, file_option, output_option, takes_options
from labeljob.commands.reading import (
    check_quorum,
    choose_algorithm,
    open_job,
    print_attribute,
    print_read_errors,
    read_truth,
)
from labeljob.history.auxiliary_inputs import add_auxiliary_inputs
from labeljob.history.differences import Change, Differences, name_described
from labeljob.history.job import JobOnFile
from labeljob.history.replay import (
    STYLES,
    SUMMARY,
    ReplayOutcome,
    choose_outcome_folder,
    list_calls,
    make_single_call,
    replay_job,
)
from labeljob.jobs.description import JobError
from labeljob.metrics.dependence import SCALE, describe_pairs

SHOWN = 20


class Style(StrEnum):
    """Which manifests are written."""

    OBJECT = "object"
    BUILTIN = "builtin"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True)
class ReplayOptions(JobOptions):
    """Options of `labeljob replay`."""

    algorithm: shared.Algorithm = None
    task: shared.Task = None
    labels: shared.Labels = None
    attribute: shared.Attribute = None
    output_style: Annotated[Style, typer.Option(help="Style of the new manifest.")] = Style.BOTH
    calls: Annotated[
        bool,
        typer.Option(
            "--calls/--all-at-once",
            help="Consolidate call by call as the service did, or all answers together (masks by "
            "`weighted` then take two passes: the first judges the workers).",
        ),
    ] = False
    keep_skill: Annotated[
        bool,
        typer.Option(
            "--keep-skill",
            help="With --calls: what a call teaches about its workers counts in the calls after "
            "it, as in a stack that keeps worker skill.",
        ),
    ] = False
    quorum: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share of the votes that a label must exceed (multi-label)."
        ),
    ] = None
    min_confidence: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Confidence under which a label is low-confidence."),
    ] = None
    truth: shared.Truth = None
    gold: Annotated[
        Path | None,
        file_option(
            "Gold labels that workers are judged by. [default: the job's, if it can be read]"
        ),
    ] = None
    model_answers: Annotated[
        Path | None,
        file_option("A model's answers, which count as one more worker's. [default: the job's]"),
    ] = None
    confidence_map: Annotated[
        Path | None,
        file_option("The map that `labeljob calibrate` wrote. [default: the job's]"),
    ] = None
    output: Annotated[
        str | None,
        output_option(
            "Where the new manifests go. [default: JOB/replays/ALGORITHM]", "FOLDER|S3URI"
        ),
    ] = None


@takes_options
def replay(options: ReplayOptions) -> None:
    """Consolidate a finished job again, and show what would change.

    The job's own files stay as they are. A file that is damaged is named, and all that can be
    read is used.

    Example: labeljob replay birds-job --algorithm builtin --calls --truth true_labels.json
    """
    result = _replay(options)
    if options.as_json:
        messages.print_json(result.as_json())
    else:
        _report(result)


def _replay(options: ReplayOptions) -> ReplayOutcome:
    if options.keep_skill and not options.calls:
        raise JobError("--keep-skill goes with --calls: skill is kept from one call to the next")
    job, auxiliary = add_auxiliary_inputs(
        _apply_settings(choose_algorithm(open_job(options), options.algorithm), options),
        {
            "gold_labels_s3_uri": options.gold,
            "model_answers_s3_uri": options.model_answers,
            "confidence_map_s3_uri": options.confidence_map,
        },
    )
    algorithm = algorithm_of(job.core, job.settings)
    folder = choose_outcome_folder(job.place, options.output, f"replays/{algorithm}")
    truths = read_truth(job, options.truth)
    style = options.output_style
    with messages.console.status("Telling calls apart"):
        calls = list_calls(job) if options.calls else make_single_call(job)
    n_objects = sum(len(call.object_ids) for call in calls)
    with messages.show_progress("Consolidating", n_objects) as advance:
        return replay_job(
            job,
            calls,
            folder,
            styles=STYLES if style is Style.BOTH else (style.value,),
            truths=truths,
            auxiliary=auxiliary,
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
            ("labels changed", str(values["labels-changed"])),
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
