"""`labeljob run`: a whole labeling job on one machine."""

from __future__ import annotations

import hashlib
from typing import Any

from labeljob import messages
from labeljob.actions.new_job import check_attribute, collect_tags, derive_job_name
from labeljob.actions.reading import check_quorum, parse_labels
from labeljob.commands.run import RunOptions
from labeljob.jobs.description import JobDescription, now
from labeljob.jobs.job_location import Place, open_place
from labeljob.jobs.manifest_lines import read_lines
from labeljob.jobs.run import JobResult, run_locally
from labeljob.simulation.workers import create_workers


def run(options: RunOptions) -> None:
    """Do what `labeljob run` does."""
    location = open_place(options.output, endpoint_url=options.endpoint_url)
    result = run_job(options, location)
    if options.as_json:
        messages.print_json(_as_json(result, location), ascii_only=True)
    else:
        report_run(result, location)


def run_job(options: RunOptions, location: Place) -> JobResult:
    """Run the job that the options describe, or what is left of it."""
    workers = create_workers(options.workers, seed=options.seed)
    description = JobDescription(
        name=options.job_name or derive_job_name(options.manifest.name.split(".")[0]),
        task=options.task,
        labels=parse_labels(options.labels),
        attribute=check_attribute(options.attribute, options.task),
        output=location.output,
        manifest=str(options.manifest.resolve()),
        manifest_digest=hashlib.sha256(options.manifest.read_bytes()).hexdigest(),
        crew=options.workers,
        per_object=options.per_object or min(9, len(workers)),
        seed=options.seed,
        truth=str(options.truth.resolve()) if options.truth else "",
        batch_size=options.batch_size,
        skill_file=str(options.skill_file.resolve()) if options.skill_file else "",
        tags=_collect_tags(options),
        started=now(),
    )
    for worker in workers:
        worker.confused_classes(description.labels)  # refuses classes that the job does not have
    lines = read_lines(options.manifest, options.task.source_key)
    return run_locally(description, lines, location, fresh=options.fresh)


def _collect_tags(options: RunOptions) -> dict[str, str]:
    """The settings of this job alone, as tags of the job."""
    check_quorum(options.task, options.quorum)
    settings = {
        "algorithm": options.algorithm,
        "output-style": options.output_style,
        "quorum": options.quorum,
        "min-confidence": options.min_confidence,
        "skip-labeled-objects": "true" if options.skip_labeled else None,
    }
    return collect_tags(settings, options.tag or (), task=options.task)


def report_run(result: JobResult, location: Place) -> None:
    """Show the closing table and where everything is."""
    description, summary = result.description, result.summary
    rows = [("data objects", str(summary.objects))]
    if summary.unasked:
        rows.append(("labeled before, not asked again", str(summary.unasked)))
    rows += [(f"status {name}", str(count)) for name, count in sorted(summary.statuses.items())]
    rows.append(("mean confidence", f"{summary.mean_confidence:.3f}"))
    rows += [
        (f"answers set aside: {reason}", str(count))
        for reason, count in sorted(summary.rejected.items())
    ]
    if summary.scores:
        against = "the truth" if description.truth else "the invented truth"
        rows.append(
            (f"{description.task.score_name} against {against}", f"{summary.mean_score:.3f}")
        )
    rows.append(("seconds", f"{result.seconds:.1f}"))
    messages.table(f"Job {description.name}", ("measure", "value"), rows)
    layout = description.layout
    messages.done(f"output manifest  {location.shown(layout.output_manifest)}")
    messages.done(f"all job files    {location.shown(layout.root)}")
    messages.done(f"functions' log   {result.log}")


def _as_json(result: JobResult, location: Place) -> dict[str, Any]:
    """The same as JSON values."""
    description, summary = result.description, result.summary
    return {
        "job": description.name,
        "task": description.task.name,
        "objects": summary.objects,
        "unasked": summary.unasked,
        "statuses": dict(sorted(summary.statuses.items())),
        "set-aside": dict(sorted(summary.rejected.items())),
        "mean-confidence": round(summary.mean_confidence, 6),
        "score": round(summary.mean_score, 6) if summary.scores else None,
        "score-name": description.task.score_name,
        "truth": "file" if description.truth else "invented",
        "output-manifest": location.shown(description.layout.output_manifest),
        "root": location.shown(description.layout.root),
        "log": result.log,
    }
