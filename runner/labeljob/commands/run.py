"""`labeljob run`: a whole labeling job on one machine."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from types import SimpleNamespace

import typer

from groundtruth.contract.labels import checked_labels, parse_label_categories
from groundtruth.errors import GroundTruthError
from groundtruth.settings import TAG_PREFIX, Settings
from labeljob import messages
from labeljob.commands import run_options as given
from labeljob.commands.run_report import report, result_as_json
from labeljob.jobs.description import JobDescription, JobError, now
from labeljob.jobs.job_location import Place, open_place
from labeljob.jobs.local import JobResult, run_locally
from labeljob.jobs.manifest_lines import read_lines
from labeljob.jobs.request_rules import attribute_problems
from labeljob.simulation.truth import TruthError
from labeljob.simulation.workers import CrewError, create_workers
from labeljob.tasks.base import JobType

INTERRUPTED = 130


def run(
    manifest: given.Manifest,
    task: given.Task,
    labels: given.Labels,
    workers: given.Workers = "3",
    per_object: given.PerObject = None,
    truth: given.TruthFile = None,
    job_name: given.JobName = None,
    attribute: given.Attribute = None,
    output: given.Output = "labeljob-store",
    endpoint_url: given.Endpoint = None,
    algorithm: given.Algorithm = None,
    output_style: given.Style = None,
    quorum: given.Quorum = None,
    min_confidence: given.MinConfidence = None,
    skip_labeled: given.SkipLabeled = False,
    tag: given.Tags = None,
    batch_size: given.BatchSize = 50,
    skill_file: given.SkillFile = None,
    seed: given.Seed = 0,
    fresh: given.Fresh = False,
    as_json: given.AsJson = False,
) -> None:
    """Run a labeling job on this machine: PRE, simulated workers, ACS, output manifest.

    Every event, file and folder is as Ground Truth makes it. Run the same command again after
    an interruption: it does what is left.

    Example: labeljob run input.manifest --task image-multi-class --labels cat,dog --workers 5
    """
    # The first statement, so that these are the options and nothing else.
    options = SimpleNamespace(**locals())
    try:
        place = open_place(output, endpoint_url=endpoint_url)
        result = _run(options, place)
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


def _run(options: SimpleNamespace, place: Place) -> JobResult:
    task: JobType = options.task
    crew = create_workers(options.workers, seed=options.seed)
    wanted = JobDescription(
        name=options.job_name or _name_from(options.manifest),
        task=task,
        labels=_labels(options.labels),
        attribute=_attribute(options.attribute, task),
        output=place.output,
        manifest=str(options.manifest.resolve()),
        manifest_digest=hashlib.sha256(options.manifest.read_bytes()).hexdigest(),
        crew=options.workers,
        per_object=options.per_object or min(9, len(crew)),
        seed=options.seed,
        truth=str(options.truth.resolve()) if options.truth else "",
        batch_size=options.batch_size,
        skill_file=str(options.skill_file.resolve()) if options.skill_file else "",
        tags=_tags(options),
        started=now(),
    )
    for worker in crew:
        worker.confused_classes(wanted.labels)  # a confuser of classes the job has not is refused
    return run_locally(
        wanted, read_lines(options.manifest, options.task.source_key), place, fresh=options.fresh
    )


def _labels(text: str) -> tuple[str, ...]:
    path = Path(text)
    if path.is_file():
        return parse_label_categories(path.read_bytes(), path=text)
    if text.endswith(".json"):
        raise JobError(f"--labels {text}: there is no such file")
    return checked_labels([name.strip() for name in text.split(",")], path="--labels")


def _attribute(name: str | None, task: JobType) -> str:
    chosen = name or task.label_attribute
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}", chosen):
        raise JobError(f"--attribute {chosen!r} is not 1 to 127 letters, digits and hyphens")
    for problem in attribute_problems(chosen, task):
        raise JobError(f"--attribute {problem.text}")
    return chosen


def _tags(options: SimpleNamespace) -> dict[str, str]:
    """The settings of this job alone, as tags of the job."""
    values = {
        "algorithm": options.algorithm,
        "output-style": options.output_style,
        "quorum": options.quorum,
        "min-confidence": options.min_confidence,
        "skip-labeled-objects": "true" if options.skip_labeled else None,
    }
    tags = {f"{TAG_PREFIX}{key}": str(value) for key, value in values.items() if value is not None}
    for text in options.tag or ():
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise JobError(f"--tag {text!r} is not KEY=VALUE")
        if tags.setdefault(key, value) != value:
            raise JobError(f"--tag {text!r}: {key} is {tags[key]!r} already")
    _, problems = Settings().for_job(tags, algorithms=options.task.algorithms)
    if problems:
        raise JobError("; ".join(problems))
    return tags


def _name_from(manifest: Path) -> str:
    """The manifest's name, as far as a labeling job can be called so."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", manifest.name.split(".")[0]).strip("-")[:63].strip("-")
    return name or "job"
