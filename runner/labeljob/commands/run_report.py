"""What `labeljob run` says when a job is done."""

from __future__ import annotations

from typing import Any

from labeljob import messages
from labeljob.jobs.job_location import Place
from labeljob.jobs.local import JobResult


def report(result: JobResult, place: Place) -> None:
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
    messages.done(f"output manifest  {place.shown(layout.output_manifest)}")
    messages.done(f"all job files    {place.shown(layout.root)}")
    messages.done(f"functions' log   {result.log}")


def result_as_json(result: JobResult, place: Place) -> dict[str, Any]:
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
        "output-manifest": place.shown(description.layout.output_manifest),
        "root": place.shown(description.layout.root),
        "log": result.log,
    }
