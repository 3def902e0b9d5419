"""`labeljob report`: one page about a finished job."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from groundtruth.finishing.outcomes import METADATA
from groundtruth.tasks.base import Label
from groundtruth.tasks.registry import decode_label
from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.history.annotations import ObjectAnnotations, read_annotations
from labeljob.history.auxiliary_inputs import with_side_files
from labeljob.history.explanation import NothingKept
from labeljob.history.job import JobOnFile
from labeljob.history.replay import all_at_once, replay
from labeljob.output_files import write_text
from labeljob.simulation.truth import TruthError
from labeljob.tasks.base import Truth

Output = Annotated[
    Path, typer.Option("--output", "-o", help="The page to write; - for standard output.")
]
Below = Annotated[
    float,
    typer.Option(min=0, max=1, help="Confidence under which an object is to be labeled again."),
]
Gallery = Annotated[
    int, typer.Option(min=0, max=200, help="How many of the most disputed objects are shown.")
]


def report(
    job: given.Job,
    output: Output = Path("report.html"),
    algorithm: given.Algorithm = None,
    task: given.Task = None,
    labels: given.Labels = None,
    attribute: given.Attribute = None,
    truth: given.TruthFile = None,
    below: Below = 0.8,
    gallery: Gallery = 12,
    images: given.Images = None,
    endpoint_url: given.Endpoint = None,
    as_json: given.AsJson = False,
) -> None:
    """Write a page about a finished job: agreement, workers, disputed objects, what to do next.

    The page is one file that needs no network. Labels are those of the job's manifest, or with
    --algorithm those that a replay makes. With --json the figures are printed too.

    Example: labeljob report birds-job --truth true_labels.json -o report.html
    """
    with messages.problems_told(TruthError):
        found = given.opened(
            job,
            task=task,
            labels=labels,
            attribute=attribute,
            endpoint_url=endpoint_url,
            images=images,
        )
        truths = given.truths_of(found, truth)
        with given.bar("Reading answers", len(found.object_ids())) as advance:
            objects = list(read_annotations(found, advance=advance))
        made, by = _labels(found, algorithm)
        figures = _write(found, objects, made, by, truths, below, gallery, output, shlex.quote(job))
    if as_json:
        typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))
    given.tell_damage(found.damage)
    messages.done(f"report  {output}")


def _labels(job: JobOnFile, algorithm: str | None) -> tuple[dict[str, Label], str]:
    """The labels of the manifest, or of a replay, and what made them."""
    if algorithm is None:
        found = {line.object_id: line.label(job.attribute) for line in job.lines}
        kept = {key: one for key, one in found.items() if one is not None and one.classes}
        if kept:
            names = {label.algorithm[0] for label in kept.values() if label.algorithm}
            return kept, " and ".join(sorted(names)) or "the built-in function"
    job, known = with_side_files(given.chosen_algorithm(job, algorithm))
    calls = all_at_once(job)
    replayed = {}
    with given.bar("Consolidating", len(calls[0].object_ids)) as advance:
        store = NothingKept(job.place)
        replaying = replay(
            job, calls, store=store, masks_uri="masks", side_files=known, advance=advance
        )
        for item in replaying:
            content = item.content(job, "object")
            label = decode_label(content[job.attribute], content[f"{job.attribute}{METADATA}"])
            if label is not None and label.classes:
                replayed[item.object_id] = label
    return replayed, f"{job.settings.consolidation_algorithm}, all answers replayed at once"


def _write(
    job: JobOnFile,
    objects: Sequence[ObjectAnnotations],
    labels: Mapping[str, Label],
    algorithm: str,
    truths: Mapping[str, Truth] | None,
    below: float,
    gallery: int,
    output: Path,
    command: str,
) -> dict[str, Any]:
    """Write the page; the figures on it."""
    from labeljob.history.job import job_mask
    from labeljob.metrics.scores import score_labels
    from labeljob.report.contents import contents_of  # these load Matplotlib
    from labeljob.report.page import draw_disputed_examples, render

    scores = (
        score_labels(job.task, labels, truths, job.classes, lambda one: job_mask(job, one.mask_uri))
        if truths
        else {}
    )
    with messages.console.status("Comparing workers"):
        contents = contents_of(
            job, objects, labels, algorithm=algorithm, below=below, truths=truths, figures=scores
        )
    with given.bar("Drawing disputed objects", min(gallery, len(contents.disputes))) as advance:
        examples = draw_disputed_examples(contents, gallery, truths=truths, advance=advance)
    write_text(output, render(contents, examples, command=command))
    return contents.as_json()
