"""`labeljob import`: annotations of several people from another tool, as a job."""

from __future__ import annotations

from pathlib import Path

from labeljob import messages
from labeljob.actions.reading import parse_labels
from labeljob.commands.import_ import ImportOptions, Tool
from labeljob.formats.imports.cvat import read_cvat
from labeljob.formats.imports.foreign import ForeignImages
from labeljob.formats.imports.job_folder import Imported, derive_job_name, write_job
from labeljob.formats.imports.labelstudio import read_labelstudio
from labeljob.jobs.description import JobError
from labeljob.jobs.image_files import find_beside
from labeljob.messages import format_count

SHOWN = 10


def import_command(options: ImportOptions) -> None:
    """Do what `labeljob import` does."""
    imported = _import(options)
    if options.as_json:
        messages.print_json(imported.as_json())
    else:
        _report(imported)


def _import(options: ImportOptions) -> Imported:
    with messages.console.status("Reading annotations"):
        images = _read(options)
    name = options.job_name or derive_job_name(options.files[0])
    if derive_job_name(Path(f"{name}.json")) != name:
        raise JobError(f"--job-name {name!r} is not 1 to 63 letters, digits and single hyphens")
    with messages.show_progress("Writing labels", 2 * len(images.answers)) as advance:
        return write_job(
            images,
            options.output,
            name=name,
            task=options.task,
            labels=None if options.labels is None else parse_labels(options.labels),
            algorithm=options.algorithm,
            prefix=options.prefix,
            image_folder=options.images or find_beside(options.files, images.answers),
            count_gold=options.count_gold,
            advance=advance,
        )


def _read(options: ImportOptions) -> ForeignImages:
    if options.tool is Tool.LABELSTUDIO:
        return read_labelstudio(options.files, control=options.control, image_key=options.image_key)
    if options.control or options.image_key or options.count_gold:
        raise JobError("--control, --image-key and --count-gold are for --from labelstudio")
    return read_cvat(options.files)


def _report(imported: Imported) -> None:
    for text in imported.skipped[:SHOWN]:
        messages.warning(f"skipped: {text}")
    if (more := len(imported.skipped) - SHOWN) > 0:
        messages.warning(f"and {more} more; --json lists them all")
    if imported.unanswered:
        messages.warning(
            f"images without an answer, which are in the manifest alone: {imported.unanswered}"
        )
    if imported.empty:
        messages.note(
            f"answers that say nothing: {imported.empty}; they {imported.task.empty_answer_note}"
        )
    messages.done(
        f"{format_count(imported.objects, 'image')}, {format_count(imported.answers, 'answer')}, "
        f"{imported.task.name}"
    )
    statuses = ", ".join(f"{count} {status}" for status, count in imported.statuses.items())
    messages.done(f"{imported.algorithm}: {statuses}")
    messages.done(f"classes   {', '.join(imported.labels)}")
    messages.done(f"workers   {', '.join(imported.workers)}")
    messages.done(f"manifest  {imported.manifest}")
    messages.done(f"job       {imported.job}")
    if imported.images:
        messages.done(f"images    {imported.images}")
    else:
        messages.note("the images are not known; report and export take --images FOLDER")
    if imported.gold:
        messages.done(f"gold      {imported.gold}")
