"""`labeljob gold`: known objects drawn, mixed in, workers scored on them, and taken out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from groundtruth.finishing.manifest import read_lines as read_output_lines
from groundtruth.worker_history.jsonl import JsonFileSkills
from labeljob import messages
from labeljob.actions.reading import open_job, print_read_errors
from labeljob.commands.gold import (
    DrawOptions,
    MixOptions,
    ScoreOptions,
    StripOptions,
)
from labeljob.commands.options import (
    quote_command,
)
from labeljob.history.auxiliary_inputs import read_truths
from labeljob.history.job import JobOnFile, read_annotations
from labeljob.jobs.description import JobError
from labeljob.jobs.manifest_lines import read_lines
from labeljob.metrics.workers import Worker
from labeljob.output_files import write_text
from labeljob.rounds.gold import (
    ANSWERS,
    SOURCE,
    GoldFile,
    draw,
    format_score,
    mix,
    read_gold,
    score_workers,
    strip,
    teach,
)
from labeljob.tasks.base import JobType


def gold_draw(options: DrawOptions) -> None:
    """Do what `labeljob gold draw` does."""
    if options.output.exists():
        raise JobError(f"{options.output} is there already: remove it, or give another --output")
    manifest = Path(options.job)
    job = None if manifest.is_file() else open_job(options)
    task = job.task if job else options.task
    objects = _name_objects(job) if job else _name_lines(manifest, task)
    key = task.truth_key if task else ANSWERS[0]
    rng = np.random.default_rng(options.seed)
    lines = draw(objects, options.count, key=key, rng=rng)
    write_text(options.output, "".join(f"{line}\n" for line in lines))
    if options.as_json:
        values = {"gold": str(options.output), "drawn": len(lines), "of": len(objects)}
        messages.print_json(values, ascii_only=True)
        return
    messages.done(f"{len(lines)} of {len(objects)} drawn at random  {options.output}")
    choices = f" (of {', '.join(job.choices)})" if job else ""
    messages.note(f"write the true {key}{choices} in place of null in each line")
    if job and key in ANSWERS[:2]:
        learn = ("--algorithm", job.core.algorithms[0], "--gold", str(options.output))
        messages.note(f"then: {quote_command(options, 'replay', *learn)}")
    elif job:  # nothing learns from masks
        score = ("gold score", "--gold", str(options.output))
        messages.note(f"then, for each worker's mean IoU: {quote_command(options, *score)}")


def _name_objects(job: JobOnFile) -> list[dict[str, str]]:
    """The data objects with answers, by their sources, else by their ids."""
    sources = job.sources
    return [
        {SOURCE: sources[object_id]} if sources.get(object_id) else {"object-id": object_id}
        for object_id in job.object_ids()
    ]


def _name_lines(manifest: Path, task: JobType | None) -> list[dict[str, str]]:
    """The data objects of a manifest, by their sources."""
    lines = read_lines(manifest, task.source_key) if task else read_lines(manifest)
    return [{SOURCE: line.source_ref} for line in lines]


def gold_mix(options: MixOptions) -> None:
    """Do what `labeljob gold mix` does."""
    output = options.output
    remember = options.remember or output.with_name(f"{output.stem}.gold.jsonl")
    sources = {options.manifest.resolve(), options.gold.resolve()}
    if {output.resolve(), remember.resolve()} & sources:
        raise JobError("--output and --remember may not be the files that are read")
    gold = read_gold(options.gold)
    lines = read_lines(options.manifest)
    rng = np.random.default_rng(options.seed)
    mixed = mix(lines, gold, rate=options.rate, remember_in=remember, rng=rng)
    write_text(output, "".join(f"{line}\n" for line in mixed.lines))
    write_text(remember, "".join(f"{line}\n" for line in mixed.remembered))
    result = {
        "manifest": str(output),
        "gold": str(remember),
        "lines": len(mixed.lines),
        "mixed-in": mixed.added,
        "gold-before": mixed.in_place,
        "rate": len(mixed.remembered) / len(mixed.lines),
    }
    if options.as_json:
        messages.print_json(result, ascii_only=True)
        return
    share = f"{len(mixed.remembered)} of {len(mixed.lines)} lines are gold ({result['rate']:.2%})"
    messages.done(f"{share}, {mixed.added} of them mixed in")
    messages.done(f"mixed manifest  {output}")
    messages.done(f"which are gold  {remember}")
    if not gold.is_for_functions:
        messages.note("the functions know no gold masks; score workers with labeljob gold score")


def gold_score(options: ScoreOptions) -> None:
    """Do what `labeljob gold score` does."""
    skill_file = options.skill_file
    job = open_job(options)
    gold = read_gold(options.gold)
    choices = _find_choices(job, gold)
    truths = read_truths(options.gold, job.task, choices, job.lines)
    choices = job.task.unit_classes(choices)
    with messages.show_progress("Reading answers", len(job.object_ids())) as advance:
        workers = score_workers(job, read_annotations(job, advance=advance), truths, choices)
    if skill_file is not None and (
        problem := teach(job, list(truths), truths, JsonFileSkills(skill_file))
    ):
        raise JobError(f"{skill_file}: {problem}")
    if options.as_json:
        messages.print_json(
            {
                "job": job.name,
                "task": job.task.name,
                "gold-objects": len(truths),
                "workers": [format_score(worker, choices) for worker in workers],
                "skill-file": str(skill_file) if skill_file else None,
                "damage": job.damage.as_json(),
            }
        )
    elif options.as_csv:
        messages.print_csv([format_score(worker, choices) for worker in workers])
    else:
        _report(job, len(truths), len(gold.entries), workers, choices)


def _find_choices(job: JobOnFile, gold: GoldFile) -> tuple[str, ...]:
    """The job's classes; where they are only those that were used, the gold's besides."""
    if job.classes_from not in ("manifest", "answers"):
        return job.choices
    named: list[str] = []
    for entry in gold.entries.values():
        for value in (entry.get(key) for key in ANSWERS[:2]):
            names = value if isinstance(value, list) else [value]
            named += [name for name in names if isinstance(name, str) and name]
    return tuple(dict.fromkeys([*job.choices, *sorted(named)]))


def _report(
    job: JobOnFile, in_job: int, known: int, workers: Sequence[Worker], choices: Sequence[str]
) -> None:
    print_read_errors(job.damage)
    if missing := known - in_job:
        messages.note(f"{missing} of the {known} known objects are not in the job")
    title = f"{job.place.spell(job.name)}: {messages.format_count(in_job, 'known object')}"
    headings = ("worker", "answers", "right", "accuracy", "95 % interval", "most often wrong")
    messages.table(title, headings, [_format_worker(worker, choices) for worker in workers])
    if not workers:
        messages.warning("nobody answered a known object")


def _format_worker(worker: Worker, choices: Sequence[str]) -> tuple[str, ...]:
    low, high = worker.interval
    wrong = ", ".join(
        f"{true} as {said} ({times:.0f})" for true, said, times in worker.mistakes(choices, most=1)
    )
    if not worker.agreements:
        return (worker.worker_id, "0", "-", "-", f"{worker.rejected} set aside", "-")
    right = sum(worker.agreements)
    n_right = f"{right:.0f}" if right == int(right) else f"{right:.2f}"
    accuracy = f"{worker.agreement:.3f}"
    interval = f"{low:.3f} to {high:.3f}"
    return (worker.worker_id, str(worker.answers), n_right, accuracy, interval, wrong or "-")


def gold_strip(options: StripOptions) -> None:
    """Do what `labeljob gold strip` does."""
    manifest, output = options.manifest, options.output
    if output.resolve() in (manifest.resolve(), options.gold.resolve()):
        raise JobError("--output may not be one of the files that are read")
    with manifest.open("rb") as lines:
        result = strip(read_output_lines(lines, name=str(manifest)), read_gold(options.gold))
    write_text(output, "".join(f"{line}\n" for line in result.lines))
    if options.as_json:
        values = {"manifest": str(output), "lines": len(result.lines), "removed": result.removed}
        messages.print_json({**values, "missing": list(result.missing)}, ascii_only=True)
        return
    if result.missing:
        shown = ", ".join(result.missing[:3]) + (", …" if len(result.missing) > 3 else "")
        messages.warning(f"of the gold, {len(result.missing)} are not there: {shown}")
    messages.done(
        f"{messages.format_count(result.removed, 'gold line')} taken out, "
        f"{len(result.lines)} left  {output}"
    )
