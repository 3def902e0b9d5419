"""`labeljob calibrate`: a confidence map from the labels whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.settings import TAG_PREFIX
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import S3Store
from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.history.truth_files import read_truths
from labeljob.jobs.job_location import JobPlace
from labeljob.metrics.confidence_maps import FIGURES, Calibration, MapKind, calibrate_job
from labeljob.output_files import write_text
from labeljob.simulation.truth import TruthError

MAP_FILE = "calibration/confidence-map.json"
TAG = f"{TAG_PREFIX}confidence-map-s3-uri"

TruthFile = Annotated[
    Path,
    typer.Option(
        "--truth",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="True labels, or gold: JSON Lines with source-ref and label.",
        show_default=False,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|S3URI",
        help=f"The map's file. [default: JOB/{MAP_FILE}]",
    ),
]
Kind = Annotated[
    MapKind,
    typer.Option(help="logistic (two numbers) or isotonic (steps; for some hundred objects)."),
]
Force = Annotated[bool, typer.Option("--force", help="Fit it on fewer than 50 objects too.")]


def calibrate(
    job: given.Job,
    truth: TruthFile,
    output: Output = None,
    kind: Kind = MapKind.LOGISTIC,
    force: Force = False,
    labels: given.Labels = None,
    attribute: given.Attribute = None,
    endpoint_url: given.Endpoint = None,
    as_json: given.AsJson = False,
) -> None:
    """Fit a confidence map on a finished job's labels whose truth is known.

    For jobs with one label for each data object. The map's effect is shown on objects it was not
    fitted on (ten folds). The jobs that have the printed tag apply it.

    Example: labeljob calibrate labeljob-store/labeljob/jobs/photos --truth truth.jsonl
    """
    with messages.problems_told(TruthError):
        found = given.opened(
            job, task=None, labels=labels, attribute=attribute, endpoint_url=endpoint_url
        )
        truths = read_truths(truth, found.task, found.classes, found.lines)
        result = calibrate_job(found, truths, kind, force=force)
        uri, shown = _write(result, found.place, output)
    given.tell_damage(found.damage)
    if as_json:
        values = {**result.content(), "file": shown, "tag": {"Key": TAG, "Value": uri}}
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
    _report(result, uri, shown)


def _write(result: Calibration, place: JobPlace, output: str | None) -> tuple[str | None, str]:
    """Write the map; its S3 URI, if it is known, and where a person finds it."""
    body = result.as_bytes()
    if output is not None and not output.startswith("s3://"):
        write_text(Path(output), body.decode())
        return None, output
    uri = output or f"{place.root}/{MAP_FILE}"
    store = S3Store() if output else place.store
    store.write(uri, body, content_type="application/json", kms_key=None)
    shown = str(store.path(uri)) if isinstance(store, FolderStore) else uri
    return (None if place.is_copy and not output else uri), shown


def _report(result: Calibration, uri: str | None, shown: str) -> None:
    messages.table(
        f"{result.job}: {result.kind} map of {len(result.known.right)} labels by "
        f"{result.algorithm}, cross-validated",
        ("measure", "as they are", "with the map"),
        [(name, f"{result.before[name]:.4f}", f"{result.after[name]:.4f}") for name in FIGURES],
    )
    if not result.helps:
        messages.warning(
            "the map does not help: on objects it was not fitted on, the calibration error or the "
            "log loss is no lower than without it"
        )
    messages.done(f"confidence map  {shown}")
    if uri is None:
        messages.note(f"put the file into S3, and set the tag {TAG} to its URI")
    else:
        messages.done(f"tag             {TAG}={uri}")
