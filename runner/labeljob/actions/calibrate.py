"""`labeljob calibrate`: a confidence map from the labels whose truth is known."""

from __future__ import annotations

from pathlib import Path

from groundtruth.settings import TAG_PREFIX
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import S3Store
from labeljob import messages
from labeljob.actions.reading import open_job, print_read_errors
from labeljob.commands.calibrate import MAP_FILE, CalibrateOptions
from labeljob.history.auxiliary_inputs import read_truths
from labeljob.jobs.job_location import JobPlace
from labeljob.metrics.confidence_maps import FIGURES, Calibration, MapKind, calibrate_job
from labeljob.output_files import write_text

TAG = f"{TAG_PREFIX}confidence-map-s3-uri"


def calibrate(options: CalibrateOptions) -> None:
    """Do what `labeljob calibrate` does."""
    job = open_job(options)
    truths = read_truths(options.truth, job.task, job.classes, job.lines)
    result = calibrate_job(job, truths, MapKind(options.kind), force=options.force)
    uri, shown = _write(result, job.place, options.output)
    print_read_errors(job.damage)
    if options.as_json:
        messages.print_json({**result.content(), "file": shown, "tag": {"Key": TAG, "Value": uri}})
    _report(result, uri, shown)


def _write(result: Calibration, location: JobPlace, output: str | None) -> tuple[str | None, str]:
    """Write the map; its S3 URI, if it is known, and where a person finds it."""
    body = result.as_bytes()
    if output is not None and not output.startswith("s3://"):
        write_text(Path(output), body.decode())
        return None, output
    uri = output or f"{location.root}/{MAP_FILE}"
    location.remove_parts()
    store = S3Store() if output else location.store
    store.write(uri, body, content_type="application/json", kms_key=None)
    shown = str(store.path(uri)) if isinstance(store, FolderStore) else uri
    return (None if location.is_copy and not output else uri), shown


def _report(result: Calibration, uri: str | None, shown: str) -> None:
    messages.table(
        f"{result.job}: {result.kind} map of "
        f"{messages.format_count(len(result.known.right), 'label')} by {result.algorithm}, "
        "cross-validated",
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
