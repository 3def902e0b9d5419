"""`labeljob requeue`: the manifest and the request of a job's next round."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from groundtruth.errors import ContractError
from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from labeljob.jobs.request import Problem, model_problems
from labeljob.jobs.request_rules import rule_problems
from labeljob.output_files import write_text
from labeljob.rounds.requeue import Requeued, next_request, requeue
from labeljob.task_types import TaskType

Below = Annotated[
    float,
    typer.Option(min=0, max=1, help="Ask again for labels with less confidence."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="The new manifest. [default: JOB-requeue.manifest]"
    ),
]
Request = Annotated[
    Path | None,
    given.existing_file(
        "The old job's CreateLabelingJob request, or what DescribeLabelingJob tells of it."
    ),
]
ManifestUri = Annotated[
    str | None,
    typer.Option(
        metavar="S3URI",
        help="With --request: where the new manifest will be. "
        "[default: manifests/output/requeue.manifest of the old job]",
    ),
]
JobName = Annotated[
    str | None,
    typer.Option(help="With --request: the new job's name. [default: the old one's and a number]"),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, max=9, help="With --request: answers for each image. [default: as before]"),
]


def requeue_command(
    job: given.Job,
    below: Below = 0.8,
    manifest: given.Manifest = None,
    output: Output = None,
    request: Request = None,
    manifest_uri: ManifestUri = None,
    job_name: JobName = None,
    workers: Workers = None,
    task: given.Task = None,
    attribute: given.Attribute = None,
    endpoint_url: given.Endpoint = None,
    as_json: given.AsJson = False,
) -> None:
    """Write the manifest of what should be labeled again, and the request of the next round.

    These are the data objects without a label, and those whose label has too little confidence.
    Their lines come without the old label, so the next job may use the same attribute. Nothing
    is written into the job. With --request, the new request is written beside the manifest.

    Example: labeljob requeue birds-job --below 0.8 --request job.json
    """
    with messages.problems_told():
        if request is None and (manifest_uri or job_name or workers):
            raise JobError("--manifest-uri, --job-name and --workers go with --request")
        place = find_job(job, endpoint_url=endpoint_url)
        with messages.console.status("Looking for unsure labels"):
            found = requeue(place, below=below, attribute=attribute, manifest=manifest)
        output = output or Path(f"{place.name}-requeue.manifest")
        made = _request(request, manifest_uri, job_name, workers, task) if request else None
        write_text(output, found.manifest.decode("utf-8"))
        made_in = output.with_name(f"{output.stem}.request.json")
        if made is not None:
            write_text(made_in, json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    if as_json:
        values = {**found.as_json(), "manifest": str(output), "request": made}
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        _report(found, output, made, made_in)


def _request(
    path: Path,
    manifest_uri: str | None,
    name: str | None,
    workers: int | None,
    task: TaskType | None,
) -> dict[str, Any]:
    """The next request, once nothing is wrong with it."""
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ContractError(f"is not JSON ({error})", path=str(path)) from error
    if not isinstance(old, dict):
        raise ContractError("is no JSON object", path=str(path))
    try:
        made = next_request(old, manifest_uri=manifest_uri, name=name, workers=workers)
    except ContractError as error:
        raise ContractError(str(error), path=str(path)) from error
    problems: list[Problem] = list(model_problems(made))
    problems += rule_problems(made, task) if task else []
    if problems:
        raise ContractError("; ".join(map(str, problems)), path="the next request")
    return made


def _report(found: Requeued, manifest: Path, made: Any, made_in: Path) -> None:
    text = f"{found.requeued} of {found.objects} data objects are to be labeled again"
    messages.done(f"{text} (confidence below {found.below})")
    messages.done(f"manifest  {manifest}")
    if found.of_others:
        messages.note(f"{found.of_others} data objects have a label of another job and are left")
    if not found.requeued:
        messages.note("the manifest is empty: there is nothing to label again")
    if made is not None:
        uri = made["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
        messages.done(f"request   {made_in}  job {made['LabelingJobName']}")
        messages.note(f"the request reads {uri}; upload {manifest} there first")
