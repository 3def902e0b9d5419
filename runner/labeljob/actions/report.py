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
from labeljob.history.worker_names import find_worker_names, read_worker_names
from labeljob.jobs.description import JobError
from labeljob.metrics.builtin_confidences import is_builtin
from labeljob.metrics.scores import score_labels
from labeljob.output_files import STANDARD_OUTPUT, draft_folder, write_text
from labeljob.report.contents import Contents, ReadLabels, collect_contents
from labeljob.report.gallery import draw_objects, find_links, order_objects, tabulate_gallery
from labeljob.report.next_steps import Commands, Step, plan_steps
from labeljob.report.page import choose_disputed, render
from labeljob.report.page_files import LARGEST_PAGE, BesidePage, InsidePage, PageFiles
from labeljob.report.pictures import read_photo
from labeljob.report.verdict import judge
from labeljob.tasks.base import Truth


def report(options: ReportOptions) -> None:
    """Do what `labeljob report` does."""
    if options.names and options.pseudonyms:
        raise JobError("--names and --pseudonyms contradict each other: leave one of them out")
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
    labels = _read_labels(job, options.algorithm)
    scores = (
        score_labels(job.task, labels.by_id, truths, job.classes, partial(read_job_mask, job))
        if truths
        else {}
    )
    with messages.console.status("Comparing workers"):
        contents = collect_contents(
            job,
            annotations,
            labels,
            below=options.below,
            goal=options.goal,
            ours=_make_ours(job, labels),
            names=_find_names(job, options),
            truths=truths,
            figures=scores,
        )
        objects = order_objects(contents)
    steps = _plan_steps(contents, options)
    one_file = options.one_file or options.output == STANDARD_OUTPUT
    if one_file or len(objects) <= LARGEST_PAGE:
        page = _make_page(contents, objects, truths or {}, steps, options, InsidePage())
    else:
        folder = options.output.with_name(f"{options.output.stem}-files")
        with draft_folder(folder) as draft:
            files = BesidePage(draft, folder.name)
            page = _make_page(contents, objects, truths or {}, steps, options, files)
        messages.note(f"pictures and data are in {folder}: it has to go wherever the page goes")
    write_text(options.output, page)
    return {
        **contents.as_json(),
        "verdict": judge(contents).as_json(),
        "next": [step.as_json() for step in steps],
    }


def _plan_steps(contents: Contents, options: ReportOptions) -> list[Step]:
    commands = Commands(
        propose=partial(_propose, options),
        images=("--images", str(options.images)) if options.images else (),
        has_images=any(
            read_photo(contents.job, obj.source, 1, InsidePage.photo_kind)
            for obj in contents.objects[:1]
        ),
    )
    return plan_steps(contents, commands)


def _make_page(
    contents: Contents,
    objects: Sequence[ObjectAnnotations],
    truths: Mapping[str, Truth],
    steps: Sequence[Step],
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
        steps,
        propose=partial(_propose, options),
        portal_page=options.portal_page,
        data_file=files.add_data(gallery),
    )


def _propose(options: ReportOptions, command: str, *arguments: str) -> str:
    """A command about the same job, read as it is here."""
    read_as = {"--labels": options.labels}
    if command == "explain":
        read_as["--algorithm"] = options.algorithm
    taken = {} if command == "requeue" else read_as  # which reads no answers
    given = [text for name, value in taken.items() if value for text in (name, value)]
    return quote_command(options, command, *arguments, *given)


def _find_names(job: JobOnFile, options: ReportOptions) -> dict[str, str]:
    """What workers are called, by id, where that is known and wanted."""
    if options.pseudonyms:
        return {}
    return read_worker_names(options.names) if options.names else find_worker_names(job.place)


def _make_ours(job: JobOnFile, labels: ReadLabels) -> ReadLabels | None:
    """Labels by our default to hold against those of a built-in function, if these are such."""
    if labels.replayed or job.task.names_task is None or not is_builtin(labels.by_id.values()):
        return None
    return _read_labels(job, job.task.algorithms[0])


def _read_labels(job: JobOnFile, algorithm: str | None) -> ReadLabels:
    """The labels of the manifest, or of a replay, and what made them."""
    if algorithm is None:
        labels = {
            line.object_id: label
            for line in job.lines
            if (label := line.label(job.attribute)) is not None and label.classes
        }
        if labels:
            names = {label.algorithm[0] for label in labels.values() if label.algorithm}
            return ReadLabels(labels, " and ".join(sorted(names)) or "the built-in function")
    job, auxiliary = add_auxiliary_inputs(choose_algorithm(job, algorithm))
    replayed = job.settings.consolidation_algorithm
    name = f"{replayed}, all answers replayed at once"
    if has_steps(job):
        with open_engine() as engine:
            made = make_new_labels(job, auxiliary, engine, show_progress=messages.show_progress)
            return ReadLabels({key: label for key, label in made if label.classes}, name, replayed)
    calls = make_single_call(job)
    new: dict[str, Label] = {}
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
                new[item.object_id] = label
    return ReadLabels(new, name, replayed)
