"""`labeljob run`: a whole labeling job on one machine."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.contract.labels import checked_labels, parse_label_categories
from groundtruth.errors import GroundTruthError
from groundtruth.settings import TAG_PREFIX, Settings
from labeljob import messages
from labeljob.commands.run_report import report, result_as_json
from labeljob.crowd import CrewError, TruthError, hire
from labeljob.job.description import JobDescription, JobError, now
from labeljob.job.lines import read_lines
from labeljob.job.local import run_locally
from labeljob.job.places import open_place
from labeljob.job.tasks import algorithms_of
from labeljob.request_rules import attribute_problems
from labeljob.task_types import TaskType

INTERRUPTED = 130

_DEFAULT_ATTRIBUTES = {
    TaskType.IMAGE_MULTI_CLASS: "label",
    TaskType.IMAGE_MULTI_CLASS_MULTI_LABEL: "labels",
    TaskType.SEMANTIC_SEGMENTATION: "mask-ref",
}

Manifest = Annotated[
    Path,
    typer.Argument(metavar="MANIFEST", exists=True, dir_okay=False, help="Input manifest."),
]
Task = Annotated[TaskType, typer.Option(help="What workers are asked to do.", show_default=False)]
Labels = Annotated[
    str,
    typer.Option(
        metavar="FILE|A,B,...", help="Label category file, or the labels.", show_default=False
    ),
]
Workers = Annotated[
    str,
    typer.Option(
        metavar="CREW",
        help="Simulated workers: how many of each kind (careful, average, careless, confuser, "
        "spammer), as in careful:3,careless:1; or just a number for a mixed crew.",
    ),
]
PerObject = Annotated[
    int | None,
    typer.Option(min=1, max=9, help="Workers per data object. [default: all, 9 at most]"),
]
TruthFile = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="What a perfect worker would answer (JSON Lines). Left out, it is invented, and the "
        "answers have nothing to do with what the images show.",
    ),
]
JobName = Annotated[
    str | None, typer.Option(help="Name of the job. [default: the manifest's name]")
]
Attribute = Annotated[
    str | None,
    typer.Option(help="Label attribute name. [default: label, labels or mask-ref]"),
]
Output = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="FOLDER|s3://BUCKET/PREFIX", help="Where jobs are kept."
    ),
]
Endpoint = Annotated[str | None, typer.Option(help="S3 server, if it is not AWS's.")]
Algorithm = Annotated[str | None, typer.Option(help="Consolidation algorithm.")]
Style = Annotated[str | None, typer.Option(help="object or builtin.")]
Quorum = Annotated[
    float | None, typer.Option(min=0, max=1, help="Share of votes a label of several needs.")
]
MinConfidence = Annotated[
    float | None, typer.Option(min=0, max=1, help="Labels below it are low-confidence.")
]
SkipLabeled = Annotated[
    bool, typer.Option("--skip-labeled", help="Ask no one about objects that have the label.")
]
BatchSize = Annotated[
    int, typer.Option(min=1, max=50, help="Data objects per call of the ACS function.")
]
Seed = Annotated[int, typer.Option(help="Decides every random choice.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin the job anew; its files are removed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def run(
    manifest: Manifest,
    task: Task,
    labels: Labels,
    workers: Workers = "3",
    per_object: PerObject = None,
    truth: TruthFile = None,
    job_name: JobName = None,
    attribute: Attribute = None,
    output: Output = "labeljob-store",
    endpoint_url: Endpoint = None,
    algorithm: Algorithm = None,
    output_style: Style = None,
    quorum: Quorum = None,
    min_confidence: MinConfidence = None,
    skip_labeled: SkipLabeled = False,
    batch_size: BatchSize = 50,
    seed: Seed = 0,
    fresh: Fresh = False,
    as_json: AsJson = False,
) -> None:
    """Run a labeling job on this machine: PRE, simulated workers, ACS, output manifest.

    Every event, file and folder is as Ground Truth makes it. Run the same command again after
    an interruption: it does what is left.

    Example: labeljob run input.manifest --task image-multi-class --labels cat,dog --workers 5
    """
    try:
        place = open_place(output, endpoint_url=endpoint_url)
        wanted = JobDescription(
            name=job_name or _name_from(manifest),
            task=task,
            labels=_labels(labels),
            attribute=_attribute(attribute, task),
            output=place.output,
            manifest=str(manifest.resolve()),
            manifest_digest=hashlib.sha256(manifest.read_bytes()).hexdigest(),
            crew=workers,
            per_object=per_object or min(9, len(hire(workers, seed=seed))),
            seed=seed,
            truth=str(truth.resolve()) if truth else "",
            batch_size=batch_size,
            tags=_tags(
                task,
                {
                    "algorithm": algorithm,
                    "output-style": output_style,
                    "quorum": quorum,
                    "min-confidence": min_confidence,
                    "skip-labeled-objects": "true" if skip_labeled else None,
                },
            ),
            started=now(),
        )
        result = run_locally(wanted, read_lines(manifest), place, fresh=fresh)
    except (GroundTruthError, CrewError, TruthError) as error:
        messages.problem(str(error))
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        messages.warning("interrupted. Run the same command again to do what is left.")
        raise typer.Exit(INTERRUPTED) from error
    if as_json:
        typer.echo(json.dumps(result_as_json(result, place), indent=2))
    else:
        report(result, place)


def _labels(text: str) -> tuple[str, ...]:
    path = Path(text)
    if path.is_file():
        return parse_label_categories(path.read_bytes(), path=text)
    if text.endswith(".json"):
        raise JobError(f"--labels {text}: there is no such file")
    return checked_labels([name.strip() for name in text.split(",")], path="--labels")


def _attribute(name: str | None, task: TaskType) -> str:
    chosen = name or _DEFAULT_ATTRIBUTES[task]
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}", chosen):
        raise JobError(f"--attribute {chosen!r} is not 1 to 127 letters, digits and hyphens")
    for problem in attribute_problems(chosen, task):
        raise JobError(f"--attribute {problem.text}")
    return chosen


def _tags(task: TaskType, values: dict[str, object]) -> dict[str, str]:
    tags = {f"{TAG_PREFIX}{key}": str(value) for key, value in values.items() if value is not None}
    _, problems = Settings().for_job(tags, algorithms=algorithms_of(task))
    if problems:
        raise JobError("; ".join(problems))
    return tags


def _name_from(manifest: Path) -> str:
    """The manifest's name, as far as a labeling job can be called so."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", manifest.name.split(".")[0]).strip("-")[:63].strip("-")
    return name or "job"
