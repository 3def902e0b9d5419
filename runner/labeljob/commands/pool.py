"""`labeljob pool`: the answers of several rounds, consolidated together."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from groundtruth.tasks.base import algorithm_of
from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.history.replay import all_at_once
from labeljob.history.replay_outcome import ReplayOutcome, outcome_folder, replay_job
from labeljob.jobs.description import JobError
from labeljob.rounds.pooling import Pool, pool
from labeljob.simulation.truth import TruthError

Jobs = Annotated[
    list[str],
    typer.Argument(
        metavar="JOB...",
        help="The rounds' folders, or those folders in S3; the first round first.",
        show_default=False,
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="FOLDER|S3URI", help="Where the manifests go.", show_default=False
    ),
]


def pool_command(
    jobs: Jobs,
    output: Output,
    algorithm: given.Algorithm = None,
    task: given.Task = None,
    labels: given.Labels = None,
    attribute: given.Attribute = None,
    truth: given.TruthFile = None,
    endpoint_url: given.Endpoint = None,
    as_json: given.AsJson = False,
) -> None:
    """Consolidate the answers of several rounds together, and show what that changes.

    What has the same source-ref is the same data object. A worker who answered it in two rounds
    counts with the later answer. Manifests in both styles are written; the jobs' own files stay
    as they are. Changes are told against the last label that each data object has.

    Example: labeljob pool birds-job birds-job-2 -o pooled --algorithm calibrated
    """
    # The first statement, so that these are the options and nothing else.
    options = SimpleNamespace(**locals())
    with messages.problems_told(TruthError):
        pooled, result = _pooled(options)
    if as_json:
        values = {**result.as_json(), "pool": pooled.as_json()}
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        _report(pooled, result)


def _pooled(options: SimpleNamespace) -> tuple[Pool, ReplayOutcome]:
    if len(options.jobs) < 2:
        raise JobError("give two jobs or more; a single one is for labeljob replay")
    rounds = [given.opened_by(options, job) for job in options.jobs]
    folders = [outcome_folder(job.place, options.output, "") for job in rounds]
    pooled = pool(rounds)
    job = given.chosen_algorithm(pooled.job, options.algorithm)
    truths = given.truths_of(job, options.truth)
    calls = all_at_once(job)
    with given.bar("Consolidating", len(calls[0].object_ids)) as advance:
        return pooled, replay_job(job, calls, folders[0], truths=truths, advance=advance)


def _report(pooled: Pool, result: ReplayOutcome) -> None:
    given.tell_damage(result.job.damage)
    differences: Any = result.differences.as_json()
    rounds = ", ".join(f"{job.place.name} ({len(job.object_ids())})" for job in pooled.rounds)
    name = algorithm_of(result.job.core, result.job.settings)
    messages.table(
        f"Pooled: {len(pooled.rounds)} rounds, {name}",
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
        (measure, *(_figure(figures.get(measure)) for figures in (result.before, result.after)))
        for measure in result.after
    ]
    if rows:
        messages.table("Against the truth", ("measure", "last labels", "pooled"), rows)
    for manifest in result.manifests:
        messages.done(f"new manifest  {result.folder.shown(manifest)}")


def _figure(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.4f}"
