"""`labeljob report`: one page about a finished job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from groundtruth.finishing.outcomes import METADATA
from groundtruth.tasks.base import Label
from groundtruth.tasks.registry import decode_label
from labeljob import messages
from labeljob.actions.reading import (
    choose_algorithm,
    open_job,
    print_attribute,
    print_read_errors,
    read_all_annotations,
    read_truth,
)
from labeljob.commands.options import quote_command
from labeljob.commands.report import ReportOptions
from labeljob.engines.executors import open_engine
from labeljob.history.auxiliary_inputs import add_auxiliary_inputs
from labeljob.history.explanation import NothingKept
from labeljob.history.job import JobOnFile, ObjectAnnotations, read_job_mask
from labeljob.history.new_labels import make_new_labels
from labeljob.history.replay import make_single_call, replay
from labeljob.history.whole_job import has_steps
from labeljob.metrics.scores import score_labels
from labeljob.output_files import STANDARD_OUTPUT, draft_folder, write_text
from labeljob.report.contents import Contents, collect_contents
from labeljob.report.gallery import draw_objects, find_links, order_objects, tabulate_gallery
from labeljob.report.page import choose_disputed, render
from labeljob.report.page_files import LARGEST_PAGE, BesidePage, InsidePage, PageFiles
from labeljob.tasks.base import Truth


def report(options: ReportOptions) -> None:
    """Do what `labeljob report` does."""
    job = open_job(options, options.images)
    figures = _write(job, options)
    if options.as_json:
        messages.print_json(figures)
    print_read_errors(job.damage)
    print_attribute(job)
    messages.done(f"report  {options.output}")


def _write(job: JobOnFile, options: ReportOptions) -> dict[str, Any]:
    """Write the page; the figures on it."""
    truths = read_truth(job, options.truth)
    annotations = read_all_annotations(job)
    labels, algorithm = _labels(job, options.algorithm)
    scores = (
        score_labels(job.task, labels, truths, job.classes, partial(read_job_mask, job))
        if truths
        else {}
    )
    with messages.console.status("Comparing workers"):
        contents = collect_contents(
            job,
            annotations,
            labels,
            algorithm=algorithm,
            below=options.below,
            goal=options.goal,
            truths=truths,
            figures=scores,
        )
        objects = order_objects(contents)
    one_file = options.one_file or options.output == STANDARD_OUTPUT
    if one_file or len(objects) <= LARGEST_PAGE:
        page = _make_page(contents, objects, truths or {}, options, InsidePage())
    else:
        folder = options.output.with_name(f"{options.output.stem}-files")
        with draft_folder(folder) as draft:
            files = BesidePage(draft, folder.name)
            page = _make_page(contents, objects, truths or {}, options, files)
        messages.note(f"pictures and data are in {folder}: it has to go wherever the page goes")
    write_text(options.output, page)
    return contents.as_json()


def _make_page(
    contents: Contents,
    objects: Sequence[ObjectAnnotations],
    truths: Mapping[str, Truth],
    options: ReportOptions,
    files: PageFiles,
) -> str:
    count = LARGEST_PAGE if options.gallery is None else options.gallery
    shown = objects[:count]
    with messages.show_progress("Drawing data objects", len(shown)) as advance:
        drawn = draw_objects(contents, shown, files, advance=advance)
    links = find_links(contents.job, objects[count:]) if files.can_link else {}
    gallery = tabulate_gallery(contents, objects, drawn, links, truths)
    return render(
        contents,
        gallery,
        choose_disputed(contents, drawn, truths),
        propose=partial(_propose, options),
        data_file=files.add_data(gallery),
    )


def _propose(options: ReportOptions, command: str, *arguments: str) -> str:
    """A command about the same job, read as it is here."""
    if command != "explain":
        return quote_command(options, command, *arguments)
    read_as = {"--labels": options.labels, "--algorithm": options.algorithm}
    given = [text for name, value in read_as.items() if value for text in (name, value)]
    return quote_command(options, command, *arguments, *given)


def _labels(job: JobOnFile, algorithm: str | None) -> tuple[dict[str, Label], str]:
    """The labels of the manifest, or of a replay, and what made them."""
    if algorithm is None:
        labels = {
            line.object_id: label
            for line in job.lines
            if (label := line.label(job.attribute)) is not None and label.classes
        }
        if labels:
            names = {label.algorithm[0] for label in labels.values() if label.algorithm}
            return labels, " and ".join(sorted(names)) or "the built-in function"
    job, auxiliary = add_auxiliary_inputs(choose_algorithm(job, algorithm))
    name = f"{job.settings.consolidation_algorithm}, all answers replayed at once"
    if has_steps(job):
        with open_engine() as engine:
            made = make_new_labels(job, auxiliary, engine, show_progress=messages.show_progress)
            return {object_id: label for object_id, label in made if label.classes}, name
    calls = make_single_call(job)
    replayed = {}
    with messages.show_progress("Consolidating", len(calls[0].object_ids)) as advance:
        for item in replay(
            job,
            calls,
            store=NothingKept(job.place),
            masks_uri="masks",
            auxiliary=auxiliary,
            advance=advance,
        ):
            content = item.content(job, "object")
            label = decode_label(content[job.attribute], content[f"{job.attribute}{METADATA}"])
            if label is not None and label.classes:
                replayed[item.object_id] = label
    return replayed, name
