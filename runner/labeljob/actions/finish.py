"""`labeljob finish`: what is done when a job is over, on this machine or in S3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundtruth.contract.fields import parse_label_categories
from groundtruth.finishing.job import EndedJob, FinishedJob, finish_job
from groundtruth.settings import Settings
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import ObjectStore
from labeljob import messages
from labeljob.columns.lines import choose_attribute, read_output_lines
from labeljob.commands.finish import FinishOptions
from labeljob.history.job import check_labels
from labeljob.history.job_files import DamageList
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace, find_job

_RENAMED = "If the folder was renamed, give the job's name by --job-name."


def finish(options: FinishOptions) -> None:
    """Do what `labeljob finish` does."""
    endpoint_url = options.endpoint_url if options.job.startswith("s3://") else None
    location = find_job(options.job, endpoint_url=endpoint_url)
    if location.problem:
        raise JobError(location.problem)
    job = _describe_ended_job(options, location)
    if options.attribute or options.labels or options.task:
        lines = read_output_lines(location, DamageList())
        attribute = choose_attribute(lines, location, options.attribute)
        classes = job.classes if options.labels else None
        check_labels(lines, attribute, location, task=options.task, classes=classes)
    location.remove_parts()
    result = finish_job(job, store=location.store)
    uris = {name: _show_uri(uri, location.store) for name, uri in result.uris.items()}
    if options.as_json:
        messages.print_json({**result.as_json(), **uris}, ascii_only=True)
    elif result.nothing_to_do:
        messages.note(f"nothing to do: {result.nothing_to_do}. {_RENAMED}")
    else:
        _report(result, uris, name=options.job_name or location.spell(result.job_name))


def _describe_ended_job(options: FinishOptions, location: JobPlace) -> EndedJob:
    """The job as it is described, and as the command line says otherwise."""
    description = location.description
    settings, _ = Settings().for_job(description.tags if description else {})
    classes = (
        parse_label_categories(options.labels.read_bytes(), path=str(options.labels))
        if options.labels
        else None
    )
    source = options.manifest or (description.manifest if description else None)
    on_disk = source is not None and not source.startswith("s3://")
    return EndedJob(
        root=location.root,
        name=options.job_name,
        attribute=options.attribute or (description.attribute if description else None),
        input_manifest=Path(source) if source and on_disk else source,
        classes=classes or (description.labels if description else None),
        task=options.task.library.schema_name if options.task else None,
        min_confidence=settings.min_confidence if options.below is None else options.below,
        ours=description is not None,
        worker_id_key=options.worker_id_key,
        plain_worker_ids=options.plain_worker_ids,
    )


def _show_uri(uri: str, store: ObjectStore) -> str:
    """A file as a person finds it: a path, or the URI itself."""
    return str(store.path(uri)) if isinstance(store, FolderStore) else uri


def _report(result: FinishedJob, uris: dict[str, str], *, name: str) -> None:
    """Show the closing table and where the files are."""
    summary = result.summary
    messages.table(
        f"Job {name}",
        ("measure", "value"),
        [(name, str(value)) for name, value in _list_measures(summary) if value is not None],
    )
    if differing := summary["differs-from-manifest"]:
        messages.warning(
            f"lines of the output manifest with another label than the last response: {differing}. "
            "The response counts. Check that the responses belong to this manifest."
        )
    messages.done(f"finished manifest  {uris['manifest']}")
    messages.done(f"to label again     {uris['requeue']}")
    messages.done(f"summary            {uris['summary']}")


def _list_measures(summary: Any) -> list[tuple[str, Any]]:
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
