"""`labeljob replay`: a finished job's answers, consolidated again."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from enum import StrEnum
from types import SimpleNamespace
from typing import Annotated

import typer

from groundtruth.tasks.base import algorithm_of
from groundtruth.worker_history.memory import MemorySkills
from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.history.auxiliary_inputs import with_side_files
from labeljob.history.differences import Change, Differences, named
from labeljob.history.replay import all_at_once, calls_of
from labeljob.history.replay_outcome import STYLES, ReplayOutcome, outcome_folder, replay_job
from labeljob.simulation.truth import TruthError

SHOWN = 20


class Style(StrEnum):
    """Which manifests are written."""

    OBJECT = "object"
    BUILTIN = "builtin"
    BOTH = "both"


Calls = Annotated[
    bool,
    typer.Option(
        "--calls/--all-at-once",
        help="Consolidate call by call as the service did, or all answers together.",
    ),
]
OutputStyle = Annotated[Style, typer.Option(help="Style of the new manifest.")]
KeepSkill = Annotated[
    bool,
    typer.Option(
        "--keep-skill",
        help="With --calls: what a call teaches about its workers counts in the calls after it, "
        "as in a stack that keeps worker skill.",
    ),
]
Quorum = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Share of the votes that a label must exceed (multi-label)."),
]
MinConfidence = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Confidence under which a label is low-confidence."),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER|S3URI",
        help="Where the new manifests go. [default: JOB/replays/ALGORITHM]",
    ),
]


def replay(
    job: given.Job,
    algorithm: given.Algorithm = None,
    task: given.Task = None,
    labels: given.Labels = None,
    attribute: given.Attribute = None,
    output_style: OutputStyle = Style.BOTH,
    calls: Calls = False,
    keep_skill: KeepSkill = False,
    quorum: Quorum = None,
    min_confidence: MinConfidence = None,
    truth: given.TruthFile = None,
    gold: given.Gold = None,
    model_answers: given.ModelAnswers = None,
    confidence_map: given.ConfidenceMapFile = None,
    output: Output = None,
    endpoint_url: given.Endpoint = None,
    as_json: given.AsJson = False,
) -> None:
    """Consolidate a finished job again, and show what would change.

    The job's own files stay as they are. A file that is damaged is named, and all that can be
    read is used.

    Example: labeljob replay birds-job --algorithm builtin --calls --truth true_labels.json
    """
    # The first statement, so that these are the options and nothing else.
    options = SimpleNamespace(**locals())
    with messages.problems_told(TruthError):
        result = _replayed(options)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2, ensure_ascii=False))
    else:
        _report(result)


def _replayed(options: SimpleNamespace) -> ReplayOutcome:
    found = given.opened_by(options, options.job)
    changes = {name: getattr(options, name) for name in ("quorum", "min_confidence")}
    found = given.chosen_algorithm(found, options.algorithm).with_settings(
        **{name: value for name, value in changes.items() if value is not None}
    )
    found, side_files = with_side_files(
        found,
        {
            "gold_labels_s3_uri": options.gold,
            "model_answers_s3_uri": options.model_answers,
            "confidence_map_s3_uri": options.confidence_map,
        },
    )
    name = algorithm_of(found.core, found.settings)
    folder = outcome_folder(found.place, options.output, f"replays/{name}")
    truths = given.truths_of(found, options.truth)
    style = options.output_style
    with messages.console.status("Telling calls apart"):
        calls = calls_of(found) if options.calls else all_at_once(found)
    with given.bar("Consolidating", sum(len(call.object_ids) for call in calls)) as advance:
        return replay_job(
            found,
            calls,
            folder,
            styles=STYLES if style is Style.BOTH else (style.value,),
            truths=truths,
            side_files=side_files,
            skills=MemorySkills() if options.keep_skill else None,
            advance=advance,
        )


def _report(result: ReplayOutcome) -> None:
    job, values = result.job, result.differences.as_json()
    given.tell_damage(job.damage)
    if job.classes_from in ("manifest", "answers"):
        messages.note(
            f"the classes are those of the {job.classes_from}: {', '.join(job.classes)}. "
            "If there are others, or the order matters, give --labels."
        )
    messages.table(
        f"{job.name.rpartition('/')[2]}: {algorithm_of(job.core, job.settings)}, "
        f"{len(result.calls)} call{'' if len(result.calls) == 1 else 's'}",
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
    messages.table(title, ("object", "was", "is", "source"), map(_row, changed[:SHOWN]))


def _row(change: Change) -> tuple[str, str, str, str]:
    after = named(change.after)
    if change.changed_share is not None:
        after = f"{change.changed_share:.2%} of the pixels"
    return (change.object_id, named(change.before), after, change.source)


def _show_figures(result: ReplayOutcome) -> None:
    names: Sequence[str] = list(result.after)
    messages.table(
        "Against the truth",
        ("measure", "the job's", "replayed"),
        [
            (name, _figure(result.before.get(name, math.nan)), _figure(result.after[name]))
            for name in names
        ],
    )


def _figure(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if value >= 2 and value == int(value) else f"{value:.4f}"
