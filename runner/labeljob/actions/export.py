"""`labeljob export`: a job's labels in a format that training or a labeling tool reads."""

from __future__ import annotations

from labeljob import messages
from labeljob.actions.reading import open_job, print_attribute, print_read_errors
from labeljob.commands.export import ExportOptions
from labeljob.formats.exports import Split, export_job
from labeljob.formats.labeled import Choice
from labeljob.formats.splits import parse_shares
from labeljob.formats.target import Target
from labeljob.history.job import JobOnFile
from labeljob.jobs.description import JobError

SHOWN = 5


def export(options: ExportOptions) -> None:
    """Do what `labeljob export` does."""
    split = None
    if options.split is not None:
        split = Split(
            shares=parse_shares(options.split), group_by=options.group_by, seed=options.seed
        )
    elif options.group_by is not None:
        raise JobError("--group-by goes with --split")
    job = open_job(options, options.images, needs_answers=False)
    choice = Choice(above=options.above, below=options.below, manifest=options.manifest)
    with messages.show_progress("Exporting", len(job.lines)) as advance:
        target = export_job(
            job,
            options.output,
            options.format,
            choice,
            split=split,
            prefix=options.prefix,
            advance=advance,
        )
    if options.as_json:
        result = {
            "job": job.name,
            "format": options.format.value,
            "label-attribute-name": job.attribute,
            **target.as_json(),
            "damage": job.damage.as_json(),
        }
        messages.print_json(result)
    else:
        _report(job, target)


def _report(job: JobOnFile, target: Target) -> None:
    print_read_errors(job.damage)
    print_attribute(job)
    for reason, ids in target.left_out.by_reason.items():
        messages.warning(f"left out: {reason}: {_name_some(ids)}")
    left_out = {one for ids in target.left_out.by_reason.values() for one in ids}
    if without := [one for one in target.without_image if one not in left_out]:
        messages.warning(f"without a copy of the image: {_name_some(without)}")
    for note in target.notes:
        messages.note(note)
    for split in target.splits:
        messages.done(f"{split:8}{messages.format_count(target.per_split[split], 'image')}")
    written = ", ".join(
        messages.format_count(count, what.removesuffix("s"))
        for what, count in target.counts.items()
    )
    messages.done(f"{written}  {target.folder}")


def _name_some(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more; --json has all" if len(ids) > SHOWN else ""
    noun = "data object" if len(ids) == 1 else "data objects"
    return f"{noun} {', '.join(ids[:SHOWN])}{more}"
