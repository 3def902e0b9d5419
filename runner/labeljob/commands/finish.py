"""`labeljob finish`: what is done when a job is over, on this machine or in S3."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from groundtruth.contract.labels import parse_label_categories
from groundtruth.finishing.job import EndedJob, FinishedJob, finish_job
from groundtruth.settings import Settings
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import ObjectStore
from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.commands.job_type import job_type_option
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace, find_job
from labeljob.tasks.base import JobType

Task = Annotated[
    JobType | None, job_type_option("Refuse labels of another job type. [default: any]")
]
Below = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Queue objects again whose label has less confidence. [default: the job's "
        "min-confidence, else 0]",
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Label category file: the order of the classes. [default: the job's, else that of "
        "the labels]",
    ),
]
Manifest = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|S3URI",
        help="Input manifest, for a job that has no output manifest. [default: the job's]",
    ),
]
JobName = Annotated[
    str | None,
    typer.Option(help="Name of the job, if its folder was renamed. [default: the folder's]"),
]
WorkerIdKey = Annotated[
    str,
    typer.Option(
        envvar="WORKER_ID_KEY",
        help="Secret from which the summary makes pseudonyms of workers. [default: the job's name]",
        show_default=False,
    ),
]
PlainWorkerIds = Annotated[
    bool, typer.Option("--plain-worker-ids", help="Write workers' ids into the summary.")
]

_RENAMED = "If the folder was renamed, give the job's name by --job-name."


def finish(
    job: given.Job,
    attribute: given.Attribute = None,
    task: Task = None,
    below: Below = None,
    labels: Labels = None,
    manifest: Manifest = None,
    job_name: JobName = None,
    endpoint_url: given.Endpoint = None,
    worker_id_key: WorkerIdKey = "",
    plain_worker_ids: PlainWorkerIds = False,
    as_json: given.AsJson = False,
) -> None:
    """Write a finished job's manifest in the built-in shape, its summary and what to label again.

    The files finished.manifest, summary.json and requeue.manifest come beside output.manifest,
    which stays as it is. Finishing again writes the same.

    Example: labeljob finish labeljob-store/labeljob/jobs/photos --below 0.8
    """
    with messages.problems_told():
        found = _found(job, endpoint_url)
        ended = _ended(
            found,
            attribute=attribute,
            task=task,
            below=below,
            classes=_classes(labels),
            manifest=manifest,
        )
        shown = replace(ended, worker_id_key=worker_id_key, plain_worker_ids=plain_worker_ids)
        result = finish_job(replace(shown, name=job_name), store=found.store)
    uris = {name: _shown(uri, found.store) for name, uri in result.uris.items()}
    if as_json:
        typer.echo(json.dumps({**result.as_json(), **uris}, indent=2))
    elif result.nothing_to_do:
        messages.note(f"nothing to do: {result.nothing_to_do}. {_RENAMED}")
    else:
        _report(result, uris)


def _found(job: str, endpoint_url: str | None) -> JobPlace:
    """The job's folder; a description of the job that cannot be read is an error here."""
    found = find_job(job, endpoint_url=endpoint_url if job.startswith("s3://") else None)
    if found.problem:
        raise JobError(found.problem)
    return found


def _ended(
    found: JobPlace,
    *,
    attribute: str | None,
    task: JobType | None,
    below: float | None,
    classes: tuple[str, ...] | None,
    manifest: str | None,
) -> EndedJob:
    """The job as it is described, and as the command line says otherwise."""
    known = found.description
    settings, _ = Settings().for_job(known.tags if known else {})
    source = manifest or (known.manifest if known else None)
    on_disk = source is not None and not source.startswith("s3://")
    return EndedJob(
        root=found.root,
        attribute=attribute or (known.attribute if known else None),
        input_manifest=Path(source) if source and on_disk else source,
        classes=classes or (known.labels if known else None),
        task=task.library.schema_name if task else None,
        min_confidence=settings.min_confidence if below is None else below,
        ours=known is not None,
    )


def _classes(path: Path | None) -> tuple[str, ...] | None:
    return parse_label_categories(path.read_bytes(), path=str(path)) if path else None


def _shown(uri: str, store: ObjectStore) -> str:
    """A file as a person finds it: a path, or the URI itself."""
    return str(store.path(uri)) if isinstance(store, FolderStore) else uri


def _report(result: FinishedJob, uris: dict[str, str]) -> None:
    """Show the closing table and where the files are."""
    summary = result.summary
    messages.table(
        f"Job {result.job_name.rpartition('/')[2]}",
        ("measure", "value"),
        [(name, str(value)) for name, value in _measures(summary) if value is not None],
    )
    if differing := summary["differs-from-manifest"]:
        messages.warning(
            f"{differing} lines of the output manifest have another label than the last response, "
            "which counts. Check that the responses belong to this manifest."
        )
    messages.done(f"finished manifest  {uris['manifest']}")
    messages.done(f"to label again     {uris['requeue']}")
    messages.done(f"summary            {uris['summary']}")


def _measures(summary: Any) -> list[tuple[str, Any]]:
    rows = [(name.replace("-", " "), summary[name]) for name in ("objects", "labeled")]
    rows += [
        (name.replace("-", " "), summary[name] or None)
        for name in ("failed", "unlabeled", "labeled-by-another-job", "not-recognized")
    ]
    rows.append((f"to label again (below {summary['min-confidence']})", summary["requeued"]))
    rows += [(f"status {name}", count) for name, count in summary["statuses"].items()]
    rows.append(("mean confidence", summary["confidence"]["mean"]))
    rows.append(("mean agreement", summary["agreement"]["mean"]))
    rows += [
        (f"answers set aside: {reason}", count)
        for reason, count in summary["answers"]["set-aside-by-reason"].items()
    ]
    return rows
