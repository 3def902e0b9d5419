"""Annotations of another tool as a labeling job with its labels, as `labeljob run` leaves one."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from groundtruth.contract.fields import checked_labels, label_category_file
from groundtruth.finishing.manifest import compact_json
from groundtruth.settings import TAG_PREFIX, Settings
from groundtruth.tasks.base import algorithm_of
from labeljob.formats.imports.foreign import ForeignAnswer, ForeignImages, ImportProblem
from labeljob.history.job import Given, read_job
from labeljob.history.replay import format_manifest, make_single_call, replay
from labeljob.jobs.description import (
    JobDescription,
    JobError,
    answer_time,
    description_path,
    save_description,
)
from labeljob.jobs.images import MAX_PIXELS
from labeljob.jobs.job_location import Place, find_job, open_place
from labeljob.output_files import write_text
from labeljob.tasks.base import JobType, Mask
from labeljob.tasks.registry import JOB_TYPES

LONGEST_NAME = 63
CREW = "imported"


@dataclass(kw_only=True)
class Imported:
    """What came of an import.

    Attributes
    ----------
    job, manifest : str
        The job's folder, and its output manifest.
    images : str or None
        The folder of the images, which the job remembers; None if it is not known.
    gold : str or None
        A truth file with what the tool calls the truth; None without any.
    task : JobType
        What people were asked.
    algorithm : str
        How their answers were consolidated.
    labels, workers : tuple of str
        The classes, in label order; and who answered, sorted.
    objects, answers, unanswered, empty : int
        Images, answers, images without an answer, and answers that say nothing.
    statuses : mapping of str to int
        How many labels have each status.
    skipped : list of str
        What is not in the job: where, and why.
    """

    job: str
    manifest: str
    images: str | None = None
    gold: str | None = None
    task: JobType
    algorithm: str = ""
    labels: tuple[str, ...]
    workers: tuple[str, ...] = ()
    objects: int = 0
    answers: int = 0
    unanswered: int = 0
    empty: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The outcome for `--json`."""
        return {**vars(self), "task": self.task.name}


def write_job(
    images: ForeignImages,
    folder: Path,
    *,
    name: str,
    task: JobType | None = None,
    labels: Sequence[str] | None = None,
    algorithm: str | None = None,
    prefix: str = "",
    image_folder: Path | None = None,
    count_gold: bool = False,
    advance: Callable[[], object] = lambda: None,
) -> Imported:
    """Write a job's answers and its labels, and what describes it; nothing if it fails.

    `image_folder` has copies of the images; the job remembers where it is. `advance` is told twice
    of each image. Raises `ContractError`, `JobError`, `StorageError`.
    """
    place = open_place(str(folder), endpoint_url=None)
    if description_path(place.jobs, name).exists():
        raise JobError(f"{folder} has a job {name} already; choose another --job-name")
    task = task or _find_task(images)
    _check_controls(images, task)
    known = labels or images.labels(of_regions=task.label_is_mask)
    classes = checked_labels(list(known), path="labels")
    if task.max_labels is not None and len(classes) > task.max_labels:
        room = task.max_labels
        raise JobError(f"masks have room for {room} classes, and there are {len(classes)}")
    description = replace(
        _describe(images, place, name, task, classes, prefix, algorithm),
        images=str(image_folder.resolve()) if image_folder else "",
    )
    try:
        return _write(images, place, description, prefix, count_gold, advance)
    except BaseException:  # Ctrl-C too: half a job would be in the way of the next import
        place.forget(description)
        raise


def _find_task(images: ForeignImages) -> JobType:
    """What people were asked; raises `JobError` if the annotations do not tell."""
    given = [answer for answers in images.answers.values() for answer in answers]
    most = max((len({item.label for item in answer.choices}) for answer in given), default=0)
    has_regions = any(answer.regions for answer in given)
    if has_regions and most:
        raise JobError("there are labels of images and of regions; say with --task which to take")
    if not has_regions and not most:
        first = next(iter([*images.losses(), *(_list_others(given))]), "")
        raise JobError(f"there is not one label in the annotations{first and f'; {first}'}")
    types = JOB_TYPES.values()
    return next(one for one in types if one.fits(most_choices=most, has_regions=has_regions))


def _list_others(given: Sequence[ForeignAnswer]) -> list[str]:
    return [f"{answer.where}: {answer.others[0]}" for answer in given if answer.others]


def _check_controls(images: ForeignImages, task: JobType) -> None:
    """Refuse labels that answer two questions; raises `JobError`."""
    names: dict[str, set[str]] = {}
    for choice in images.choices(of_regions=task.label_is_mask):
        kind, name = choice.control
        names.setdefault(kind, set()).add(name)
    for kind, controls in names.items():
        if len(controls) > 1:
            raise JobError(
                f"there are {kind} of several controls, which are several questions; say with "
                f"--control which one the job is of: {', '.join(sorted(controls))}"
            )


def _find_control(images: ForeignImages, task: JobType) -> dict[str, str]:
    """What the tool calls the control of each kind that the labels are of."""
    return {
        kind: name
        for choice in images.choices(of_regions=task.label_is_mask)
        for kind, name in [choice.control]
        if name
    }


def derive_job_name(path: Path) -> str:
    """A job's name after a file.

    Examples
    --------
    >>> derive_job_name(Path("exports/project_7 at 2026.json"))
    'project-7-at-2026'
    """
    return re.sub(r"[^a-zA-Z0-9]+", "-", path.stem).strip("-")[:LONGEST_NAME].strip("-") or "import"


def _describe(
    images: ForeignImages,
    place: Place,
    name: str,
    task: JobType,
    classes: tuple[str, ...],
    prefix: str,
    algorithm: str | None,
) -> JobDescription:
    answers = [answer for given in images.answers.values() for answer in given]
    times = [answer.submitted for answer in answers if answer.submitted]
    started = min(times, default=images.made_at or datetime.now(UTC)).replace(microsecond=0)
    tags = {f"{TAG_PREFIX}algorithm": algorithm} if algorithm else {}
    if problems := Settings().for_job(tags, algorithms=task.algorithms)[1]:
        raise JobError("; ".join(problems))
    return JobDescription(
        name=name,
        task=task,
        labels=classes,
        attribute=task.label_attribute,
        output=place.output,
        manifest=str(place.jobs / f"{name.lower()}.manifest"),
        manifest_digest=hashlib.sha256(_format_lines(images, prefix).encode()).hexdigest(),
        crew=CREW,
        origin={**images.origin, **_find_control(images, task), "prefix": prefix},
        per_object=max((len(given) for given in images.answers.values()), default=1),
        tags=tags,
        started=started,
    )


def _format_lines(images: ForeignImages, prefix: str) -> str:
    """The input manifest."""
    return "".join(f"{compact_json({'source-ref': prefix + one})}\n" for one in images.answers)


def _write(
    images: ForeignImages,
    place: Place,
    description: JobDescription,
    prefix: str,
    count_gold: bool,
    advance: Callable[[], object],
) -> Imported:
    layout, task, classes = description.layout, description.task, description.labels
    job, manifest = place.shown(layout.root), place.shown(layout.output_manifest)
    made = Imported(
        job=job, manifest=manifest, images=description.images or None, task=task, labels=classes
    )
    workers: set[str] = set()
    gold: list[tuple[int, str, Any]] = []
    for number, (source, given) in enumerate(images.answers.items()):
        times: list[datetime] = []
        submitted: dict[str, dict[str, Any]] = {}
        for answer in _keep_latest(given, images):
            try:
                said = _say(answer, given, description, images)
            except ImportProblem as error:
                images.skipped.append(str(error))
                continue
            if answer.is_gold and not count_gold:
                images.leave_out(
                    "is marked as ground truth: kept as gold, not counted", answer.where
                )
                gold.append((number, prefix + source, said))
                continue
            made.empty += not (answer.regions if task.label_is_mask else answer.choices)
            submitted[answer.worker] = _time(answer, task.submit(said, classes))
            times += [answer.submitted] if answer.submitted else []
        if submitted:
            uri = layout.worker_response(str(number), max(times, default=description.started))
            _put(place, uri, json.dumps({"answers": list(submitted.values())}))
        made.objects += 1
        made.answers += len(submitted)
        made.unanswered += not submitted
        workers |= submitted.keys()
        advance()
    made.workers = tuple(sorted(workers))
    made.skipped = images.losses()
    if not made.answers:
        first = f": {made.skipped[0]}" if made.skipped else ""
        raise JobError(f"there is not one answer of {task.name}{first}")
    lines = _format_lines(images, prefix)
    _put(place, layout.output_manifest, lines)
    save_description(place.jobs, description)
    _consolidate(place, description, made, advance)
    _put(place, description.label_file, json.dumps(label_category_file(list(classes)), indent=2))
    write_text(Path(description.manifest), lines)
    if gold:
        made.gold = _write_gold(gold, Path(job), task)
    return made


def _keep_latest(given: Sequence[ForeignAnswer], images: ForeignImages) -> list[ForeignAnswer]:
    """One answer of each person: the latest, or the latest that says something."""
    latest: dict[tuple[str, bool], ForeignAnswer] = {}
    for answer in given:
        key = (answer.worker, answer.is_gold)
        known = latest.get(key)
        kept, dropped = answer, known
        if known is not None and not (answer.choices or answer.regions):
            kept, dropped = known, answer
        if dropped is not None:
            images.leave_out(
                f"{answer.worker} answered this image twice, and counts once", dropped.where
            )
        latest[key] = kept
    return list(latest.values())


def _say(
    answer: ForeignAnswer,
    given: Sequence[ForeignAnswer],
    description: JobDescription,
    images: ForeignImages,
) -> str | tuple[str, ...] | Mask:
    """What an answer says as far as the job asks it; raises `ImportProblem`."""
    task = description.task
    others = list(answer.others)
    if task.label_is_mask:
        others += ["a label of the whole image"] * len(answer.choices)
    else:
        others += [region.control[0] for region in answer.regions]
    if others and not (answer.regions if task.label_is_mask else answer.choices):
        kinds = ", ".join(dict.fromkeys(others))
        raise ImportProblem(
            f"has {kinds} only, nothing of {task.name}; no answer", where=answer.where
        )
    for kind in others:
        images.leave_out(f"{kind} is no part of answers of {task.name}", answer.where)
    if task.label_is_mask:
        sizes = (one.size for one in (answer, *given) if one.size)
        return _paint(answer, description.labels, next(sizes, None))
    names = tuple(dict.fromkeys(choice.label for choice in answer.choices))
    if not task.single_choice:
        return names
    if len(names) > 1:
        raise ImportProblem(
            f"chose {', '.join(names)}; the job has one label an image", where=answer.where
        )
    return "".join(names)


def _paint(answer: ForeignAnswer, classes: Sequence[str], size: tuple[int, int] | None) -> Mask:
    where = answer.where
    if size is None:
        raise ImportProblem(
            "nothing is painted, and nothing tells the size of the image", where=where
        )
    if min(size) < 1 or size[0] * size[1] > MAX_PIXELS:
        raise ImportProblem(f"{size[0]} x {size[1]} is no size of an image", where=where)
    mask = np.zeros(size, dtype=np.uint8)
    for region in answer.regions:
        if region.label not in classes:
            raise ImportProblem(f"{region.label!r} is no label of the job", where=where)
        pixels = region.draw()
        if pixels.shape != size:
            raise ImportProblem(
                f"regions of {pixels.shape} and {size} pixels in one image", where=where
            )
        mask[pixels] = classes.index(region.label) + 1
    return mask


def _time(answer: ForeignAnswer, content: dict[str, Any]) -> dict[str, Any]:
    """An answer as a worker-response file has it."""
    values: dict[str, Any] = {"answerContent": content, "workerId": answer.worker}
    if answer.submitted:
        values["submissionTime"] = answer_time(answer.submitted)
        if answer.seconds is not None:
            accepted = answer.submitted - timedelta(seconds=answer.seconds)
            values["acceptanceTime"] = answer_time(accepted)
    if answer.seconds is not None:
        values["timeSpentInSeconds"] = answer.seconds
    return values


def _consolidate(
    place: Place, description: JobDescription, made: Imported, advance: Callable[[], object]
) -> None:
    """Consolidate all answers together, and write the labels into the output manifest."""
    job = read_job(find_job(made.job), Given())
    replayed = {
        item.object_id: item
        for item in replay(
            job,
            make_single_call(job),
            store=place.store,
            masks_uri=description.layout.masks,
            advance=advance,
        )
    }
    made.algorithm = algorithm_of(job.core, job.settings)
    made.statuses = Counter(sorted(item.label.status for item in replayed.values()))
    lines = format_manifest(job, replayed, job.settings.output_style)
    _put(place, description.layout.output_manifest, lines)


def _write_gold(gold: Sequence[tuple[int, str, Any]], job: Path, task: JobType) -> str:
    """Write a truth file beside the job's folder, and a folder of its masks; gives its path."""
    path, masks = job.with_name(f"{job.name}.gold.jsonl"), job.with_name(f"{job.name}.gold")
    lines = {}
    for number, source, said in gold:
        value = said
        if task.label_is_mask:
            masks.mkdir(exist_ok=True)
            value = f"{masks.name}/{number}.png"
            Image.fromarray(said).save(masks / f"{number}.png")
        lines[source] = compact_json({"source-ref": source, task.truth_key: value})
    write_text(path, "".join(f"{line}\n" for line in lines.values()))
    return str(path)


def _put(place: Place, uri: str, text: str) -> None:
    place.store.write(uri, text.encode(), content_type="application/json", kms_key=None)
