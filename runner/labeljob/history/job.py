"""A finished job, read from its own files, and what each worker said in it."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from groundtruth.annotations import CANNOT_BE_LABELED, AnswerReader, Answers, Entry, RejectedAnswer
from groundtruth.contract.fields import is_label_name
from groundtruth.errors import StorageError, UnusableAnswer
from groundtruth.finishing.job import FROM_NAMES, ClassesSeen
from groundtruth.finishing.outcomes import JOB_NAME_PREFIX
from groundtruth.form_inputs import ANSWER_FIELD_TAG
from groundtruth.settings import Settings
from groundtruth.tasks.base import Label, LabelClass, NamesTask, Task
from groundtruth.tasks.registry import find_task
from groundtruth.tasks.segmentation.task import BACKGROUND
from labeljob.columns import Spread
from labeljob.columns.answers import AnswerChunk, AnswerColumns, count_names, open_answers
from labeljob.columns.lines import (
    ManifestLines,
    choose_attribute,
    facts_about,
    read_output_lines,
    sources_of,
)
from labeljob.columns.parquet_answers import ParquetAnswers, TableLines
from labeljob.history.comments import read_comments
from labeljob.history.job_files import (
    AnsweredObject,
    AnswerFiles,
    AnswerTime,
    DamageList,
    OutputLine,
    find_answer_files,
)
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace, ReadOnly
from labeljob.jobs.manifest_lines import read_lines
from labeljob.messages import format_count
from labeljob.tasks.base import Ints, JobType
from labeljob.tasks.registry import JOB_TYPES, find_job_type

SAMPLED = 50
"""Data objects whose answers are looked at to recognize the job type."""

STRAY = 0.01
"""Share of the answers that one worker alone may give to a class which the job may not have."""


def recognize_job_type(
    lines: Sequence[OutputLine],
    attribute: str,
    files: AnswerFiles,
    place: JobPlace,
    settings: Settings,
    option: JobType | None = None,
) -> JobType:
    """The job type of most labels, else of most answers' shape.

    Raises `JobError` if nothing tells, or no label or answer is of the type that `option` is.
    """
    if isinstance(files, ParquetAnswers):
        return files.job_type
    source = "labels"
    counts: Counter[JobType] = Counter()
    for name, n_labels in facts_about(lines, attribute).types.items():
        counts[find_job_type(find_task(name).name)] += n_labels
    if not counts:
        source = "answers"
        for task in JOB_TYPES.values():
            usable = _read_names(files.sample(SAMPLED), place, task.library, settings)
            counts[task] = sum(bool(item.answers) for item in usable)
    task, count = counts.most_common(1)[0]
    if not count:
        if option is None:
            raise JobError("neither labels nor answers tell the job type; say it with --task")
        return option
    if option is None or counts[option]:
        return option or task
    raise contradiction("--task", option, f"the {source} of {place.name} are of {task}")


def contradiction(option: str, value: object, told: str) -> JobError:
    """The error of an option that says something else than the job's own files."""
    return JobError(
        f"{option} is {value}, but {told}; leave {option} out, or check that this is the job you "
        "mean"
    )


def check_labels(
    lines: Sequence[OutputLine],
    attribute: str | None,
    place: JobPlace,
    *,
    task: JobType | None = None,
    classes: Sequence[str] | None = None,
) -> None:
    """Raise `JobError` if --task or --labels contradicts a job's labels or its description.

    The order may be another. Labels may have classes beyond those that are given, such as "none
    of the above", but not only such.
    """
    facts = facts_about(lines, attribute or "")
    types = set(facts.types)
    if task and types and task.library.schema_name not in types:
        raise contradiction("--task", task, f"the labels of {place.name} are of {min(types)}")
    described = place.description.labels if place.description else ()
    own = described or tuple(facts.names)
    missing = set(own).difference(classes or own)
    if missing and (described or len(missing) == len(own)):
        told = f"the classes of {place.name} are {', '.join(own)}"
        raise contradiction("--labels", ", ".join(classes or ()), told)


class ToldClasses:
    """What the labels and the answers of a job tell of its classes.

    `places` has the index in label order of each class that labels number alike, and `names` all
    classes of labels. Labels whose classes nobody had named have indices that mean nothing.
    """

    def __init__(
        self,
        lines: Sequence[OutputLine],
        attribute: str,
        files: AnswerFiles,
        place: JobPlace,
        core: Task[Any],
        settings: Settings,
        spread: Spread = map,
    ) -> None:
        self._files, self._place, self._core, self._settings = files, place, core, settings
        self._spread = spread
        facts = facts_about(lines, attribute)
        seen = ClassesSeen()
        seen.add(
            [
                LabelClass(class_id=index, name=name, confidence=None)
                for index, name in facts.numbered
                if name != BACKGROUND
            ]
        )
        order = seen.order(None)
        shift = 1 if core.pixel_class_ids else 0
        self.names = frozenset(facts.names) - {BACKGROUND}
        self.places: Mapping[int, str] = (
            {index - shift: name for name, index in order.index_of.items()}
            if order.source != FROM_NAMES
            else {}
        )

    @cached_property
    def answered(self) -> Mapping[str, Counter[str]]:
        """How many usable answers name each class, by worker."""
        if self._files.columns is not None:
            return count_names(self._files.columns, self._spread)
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        items = self._files.read(self._files.object_ids())
        for item in _read_names(items, self._place, self._core, self._settings):
            for worker, names in zip(item.workers, item.answers, strict=True):
                for name in filter(is_label_name, names):
                    votes[name][worker] += 1
        return votes

    def is_complete(self) -> bool:
        """Whether masks, whose labels list all classes, number them without a gap."""
        dense = sorted(self.places) == list(range(len(self.places)))
        return self._core.pixel_class_ids and bool(self.places) and dense

    def find_contradiction(self, choices: Sequence[str]) -> str:
        """What they say against the classes, in label order, in a few words; empty if nothing.

        A name that one worker alone gave once, or now and then, is no class.
        """
        for index, name in sorted(self.places.items()):
            if list(choices[index : index + 1]) != [name]:
                return f"the class with index {index} is {name}"
        if others := sorted(self.names - set(choices)):
            return f"labels are {', '.join(others)}"
        total = sum(votes.total() for votes in self.answered.values())
        for name, votes in self.answered.items():
            if name not in choices and (len(votes) > 1 or votes.total() > max(1, STRAY * total)):
                return f"{format_count(votes.total(), 'answer')} named {name}"
        return ""


def order_classes(rounds: Sequence[ToldClasses]) -> tuple[tuple[str, ...], str]:
    """The classes in label order as far as labels tell, and where they are from.

    Classes that labels do not number fill the places that are left, by their names. Where rounds
    number classes differently, the last one counts.
    """
    places = {index: name for told in rounds for index, name in told.places.items() if name}
    names = {name for told in rounds for name in told.names}
    places = places or dict(enumerate(sorted(names)))
    if not all(told.is_complete() for told in rounds):
        names.update(name for told in rounds for name in told.answered)
    left = iter(sorted(names - set(places.values())))
    classes: list[str] = []
    free = 0  # the first place that is not filled; what a damaged label says may be far behind it
    for index in sorted(places):
        classes += islice(left, min(max(index - free, 0), len(names)))
        classes.append(places[index])
        free = index + 1
    return (*classes, *left), "manifest" if places else "answers"


def _read_names(
    items: Iterable[AnsweredObject], place: JobPlace, core: Task[Any], settings: Settings
) -> Iterator[Answers[tuple[str, ...]]]:
    """The classes that the answers to each data object name."""
    return AnswerReader(ReadOnly(place)).read(
        (Entry(item.object) for item in items),
        lambda content: tuple(core.class_names(content, settings)),
    )


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the command line says of a job, over what its files say."""

    task: JobType | None = None
    classes: tuple[str, ...] | None = None
    attribute: str | None = None
    answer_field: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobOnFile:
    """A finished job.

    `classes` are in label order, and `classes_from` is ``"given"``, ``"job"``, ``"manifest"`` or
    ``"answers"``; `damage` is what could not be used so far.
    """

    place: JobPlace
    name: str
    task: JobType
    attribute: str
    classes: tuple[str, ...]
    classes_from: str
    settings: Settings
    lines: Sequence[OutputLine]
    files: AnswerFiles
    damage: DamageList

    @property
    def core(self) -> Task[Any]:
        """The library's part of the job type."""
        return self.task.library

    @property
    def choices(self) -> tuple[str, ...]:
        """Everything a worker may have chosen."""
        return self.core.all_classes(self.classes, self.settings)

    @property
    def unit_classes(self) -> tuple[str, ...]:
        """What a unit of an answer can be, as `ObjectAnnotations.choices` number it."""
        return self.task.unit_classes(self.choices)

    @property
    def other_attributes(self) -> tuple[str, ...]:
        """The label attributes of its manifest besides the job's own, in order of their names."""
        named = facts_about(self.lines, self.attribute).with_metadata
        return tuple(sorted(named - {self.attribute}))

    @property
    def columns(self) -> AnswerColumns | None:
        """Its answers, if they are names; else they are read from their files."""
        return self.files.columns

    def object_ids(self) -> list[str]:
        """The data objects that have answers."""
        return self.files.object_ids()

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """What the manifest says of where each data object is, or what it is."""
        return sources_of(self.lines)

    def answered(self, object_ids: Sequence[str]) -> Iterator[AnsweredObject]:
        """Data objects with their answers, and with the source that the manifest names."""
        for item in self.files.read(object_ids):
            uri = self.sources.get(item.object.object_id)
            if uri and item.object.source is None:
                yield replace(item, object=replace(item.object, source={"s3Uri": uri}))
            else:
                yield item

    def with_settings(self, **changes: Any) -> JobOnFile:
        """The job with other settings."""
        return replace(self, settings=replace(self.settings, **changes))


_NO_ANSWERS = "; without answers its labels can be read by export, tables, requeue and finish alone"


def read_job(
    place: JobPlace, overrides: Given, *, needs_answers: bool = True, spread: Spread = map
) -> JobOnFile:
    """Read a job's manifest and find out all that its files tell of it.

    `spread` does what `map` does for the parts of a large manifest, such as on several processes.

    Raises `JobError` if there is not a single answer, though they are needed, or nothing tells the
    job type; `ContractError` if several label attributes may be meant; `StorageError` if the job's
    folder cannot be listed or read now.
    """
    damage = DamageList()
    if place.problem:
        damage.add("the job's description", place.problem)
    lines: Sequence[OutputLine] = ()
    if place.is_table:
        files: AnswerFiles = ParquetAnswers(place, damage, overrides.task)
    else:
        files = find_answer_files(place, damage)
        lines = read_output_lines(place, damage, overrides.attribute, spread)
    known = place.description
    has_answers = files.has_answers()
    if not has_answers and (needs_answers or not lines):
        raise JobError(
            f"{place.name} has no answers: nothing readable under annotations/worker-response/ "
            "nor under annotations/consolidated-annotation/consolidation-request/"
            f"{_NO_ANSWERS if lines else ', and no output manifest'}"
        )
    attribute = choose_attribute(lines, place, overrides.attribute) or "label"
    if isinstance(lines, ManifestLines):
        lines = lines.about(attribute, spread)
    tags = _choose_tags(overrides.answer_field, place)
    settings, _ = Settings().for_job(tags)
    if known is None:
        task = recognize_job_type(lines, attribute, files, place, settings, overrides.task)
    else:
        task = known.task
        if overrides.task not in (None, task):
            raise contradiction("--task", overrides.task, f"{place.name} was run as {task}")
    if has_answers and task.names_task is not None:
        files.columns = open_answers(place, files, task, settings, damage, spread)
    if isinstance(lines, ManifestLines):
        columns = files.columns
        known_ids = files.object_ids() if columns is None else columns.objects["id"]
        lines = lines.identify(known_ids, damage)
    settings, _ = Settings().for_job(tags, algorithms=task.algorithms)
    classes, source = _choose_classes(
        overrides.classes,
        place,
        ToldClasses(lines, attribute, files, place, task.library, settings, spread),
        damage,
    )
    return JobOnFile(
        place=place,
        name=_name(lines, attribute, place),
        task=task,
        attribute=attribute,
        classes=classes,
        classes_from=source,
        settings=settings,
        lines=lines or _lines_without_manifest(place, files),
        files=files,
        damage=damage,
    )


def _choose_tags(option: str | None, place: JobPlace) -> Mapping[str, str]:
    """The job's tags, with the field of --answer-field, which no file of a job in S3 tells.

    Raises `JobError` if the job was run with another one.
    """
    tags = place.description.tags if place.description else {}
    if option is None:
        return tags
    if tags.get(ANSWER_FIELD_TAG, option) != option:
        told = f"{place.name} was run with {ANSWER_FIELD_TAG}={tags[ANSWER_FIELD_TAG]}"
        raise contradiction("--answer-field", option, told)
    return {**tags, ANSWER_FIELD_TAG: option}


def _choose_classes(
    option: tuple[str, ...] | None, place: JobPlace, told: ToldClasses, damage: DamageList
) -> tuple[tuple[str, ...], str]:
    """The classes and where they are from; raises `JobError` if --labels contradicts the files."""
    described = place.description.labels if place.description else None
    if option is None:
        return (described, "job") if described else order_classes([told])
    own = described or order_classes([told])[0]
    problem = told.find_contradiction(option) if described is None else ""
    if problem or described not in (None, option):
        shown = f"the classes of {place.name} are {', '.join(own)}"
        raise contradiction(
            "--labels", ", ".join(option), f"{shown} ({problem})" if problem else shown
        )
    for name in sorted(set(own) - set(option)):
        damage.add("--labels", f"has no {name}; answers that name it are set aside")
    return option, "job" if described else "given"


def _name(lines: Sequence[OutputLine], attribute: str, place: JobPlace) -> str:
    """The name in the labels, else that of the folder."""
    name = facts_about(lines, attribute).job_name or place.name
    return JOB_NAME_PREFIX + name.removeprefix(JOB_NAME_PREFIX).lower()


def _lines_without_manifest(place: JobPlace, files: AnswerFiles) -> Sequence[OutputLine]:
    """Lines for a job whose manifest is lost: of its input manifest, else of the requests."""
    known = place.description
    if known is not None and Path(known.manifest).is_file():
        return tuple(
            OutputLine(line.object_id, line.text, line.values)
            for line in read_lines(Path(known.manifest))
        )
    if place.is_table and files.columns is not None:
        return TableLines(files.columns.objects.select(["id", "source"]))
    sources: dict[str, dict[str, str]] = {}
    for uri in files.requests:
        for item in files.request(uri):
            if isinstance(item.source, dict):
                sources[item.object_id] = {
                    key: item.source[name]
                    for name, key in (("s3Uri", "source-ref"), ("content", "source"))
                    if isinstance(item.source.get(name), str)
                }
    return tuple(
        OutputLine(object_id, "", sources.get(object_id, {})) for object_id in files.object_ids()
    )


def decode_mask(body: bytes, label: Label, damage: DamageList) -> NDArray[np.uint8]:
    """Class of each pixel of a label's mask.

    Where the palette contradicts the label's color map, the colours tell the classes, which is
    noted: in mid-2020 Ground Truth wrote masks whose indices are wrong. Raises `ValueError` if the
    file is no PNG of class indices, or its colours are not all those of classes.
    """
    try:
        with Image.open(io.BytesIO(body), formats=("PNG",)) as image:
            if image.mode not in ("P", "L"):
                raise ValueError(f"is in mode {image.mode}, not one class a pixel")
            pixels: NDArray[np.uint8] = np.array(image)
            palette = np.array(image.getpalette("RGB") or (), np.uint8).reshape(-1, 3)
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError("is no PNG that can be decoded") from error
    colors = {item.class_id: item.color.lower() for item in label.classes if item.color}
    used = np.unique(pixels).tolist()
    known = {
        index: color
        for index, rgb in enumerate(palette)
        if index in used and (color := f"#{bytes(rgb).hex()}") in colors.values()
    }
    if all(color == colors.get(index) for index, color in known.items()):
        return pixels
    class_of = {color: class_id for class_id, color in colors.items() if class_id < 256}
    if len(set(known.values())) < len(used) or len(set(colors.values())) < len(colors):
        raise ValueError("has a palette that contradicts the label's color map")
    damage.add(label.mask_uri or "mask", "its indices contradict its colours; the colours count")
    lookup = np.zeros(256, np.uint8)
    lookup[used] = [class_of[known[index]] for index in used]
    return np.asarray(lookup[pixels])


def read_job_mask(job: JobOnFile, label: Label | None) -> NDArray[np.uint8] | None:
    """The mask of a label of the job; None if it cannot be read, which is noted."""
    return read_label_mask(job.place, label, job.damage)


def read_label_mask(
    place: JobPlace, label: Label | None, damage: DamageList
) -> NDArray[np.uint8] | None:
    """The mask of a label of the job at a place; None if it cannot be read, which is noted."""
    if label is None or label.mask_uri is None:
        return None
    try:
        return decode_mask(place.read(label.mask_uri), label, damage)
    except (StorageError, ValueError) as error:
        damage.add(place.shown(label.mask_uri), f"the mask cannot be read ({error})")
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectAnnotations:
    """The usable answers to one data object; no worker is there twice.

    `choices` has shape (n_workers, n_units) and holds what each said: of a single label the class;
    of several 1 for each class that was chosen, else 0; of a mask the class at each point of a
    grid, 0 for the background. `comments` are by worker, of answers that do not count too.
    """

    object_id: str
    source: str
    workers: tuple[str, ...]
    choices: Ints
    rejected: tuple[RejectedAnswer, ...]
    answer_times: Mapping[str, AnswerTime]
    comments: Mapping[str, str] = field(default_factory=dict)

    @property
    def unlabelable(self) -> dict[str, str]:
        """Why the object cannot be labeled, by each worker who says so."""
        return {
            item.worker_id: item.detail
            for item in self.rejected
            if item.reason == CANNOT_BE_LABELED
        }


def read_annotations(
    job: JobOnFile, *, advance: Callable[[], object] = lambda: None
) -> Iterator[ObjectAnnotations]:
    """The answers of a job, one data object at a time; `advance` is called for each."""
    names_task = job.task.names_task
    if job.columns is not None and names_task is not None:
        for chunk in job.columns.iter_chunks():
            for obj in _read_chunk(job, job.columns, chunk, names_task):
                advance()
                yield obj
        return
    waiting: list[tuple[str, Mapping[str, AnswerTime], dict[str, str]]] = []

    def entries() -> Iterator[Entry]:
        for item in job.answered(job.object_ids()):
            source = item.object.source
            uri = source.get("s3Uri") if isinstance(source, Mapping) else None
            comments = read_comments(item.object.annotations)
            waiting.append((uri if isinstance(uri, str) else "", item.answer_times, comments))
            advance()
            yield Entry(item.object)

    reader = AnswerReader(ReadOnly(job.place))
    decoded = reader.read(
        entries(), lambda content: job.core.decode(content, job.choices, job.settings)
    )
    for index, answers in enumerate(decoded):
        source, answer_times, comments = waiting[index]
        rejected = list(answers.rejected)
        choices = job.task.to_choices(answers, job.choices, rejected)
        n_units = len(next(iter(choices.values()), ()))
        yield ObjectAnnotations(
            object_id=answers.object_id,
            source=source,
            workers=tuple(choices),
            choices=np.array(list(choices.values()), np.int64).reshape(len(choices), n_units),
            rejected=tuple(rejected),
            answer_times=answer_times,
            comments=comments,
        )


def index_answers(
    job: JobOnFile, chunk: AnswerChunk, task: NamesTask[Any]
) -> tuple[dict[int, Ints], dict[int, tuple[str, str]]]:
    """What answers of a chunk choose, by the index of their names in `Codes.names`.

    Also gives reason and detail for which those are set aside whose names are not the job's.
    """
    problems: dict[int, tuple[str, str]] = {}
    rows_of: dict[int, Ints] = {}
    for code in np.unique(chunk.names[chunk.names >= 0]).tolist():
        try:
            answer = task.index_names(chunk.codes.names[code], job.choices)
        except UnusableAnswer as error:
            problems[code] = (error.reason, error.detail)
        else:
            one = Answers("", ("",), (answer,), ())
            rows_of[code] = job.task.to_choices(one, job.choices, [])[""]
    return rows_of, problems


def _read_chunk(
    job: JobOnFile, columns: AnswerColumns, chunk: AnswerChunk, task: NamesTask[Any]
) -> Iterator[ObjectAnnotations]:
    rows_of, problems = index_answers(job, chunk, task)
    settled = chunk.settle(problems)
    edges = np.searchsorted(chunk.object[settled.rows], range(chunk.start, chunk.stop + 1)).tolist()
    workers = [columns.codes.workers[code] for code in chunk.worker[settled.rows].tolist()]
    codes = chunk.names[settled.rows].tolist()
    rejected: dict[int, list[RejectedAnswer]] = defaultdict(list)
    for row, answer in settled.rejected:
        rejected[int(chunk.object[row])].append(answer)
    comments, answer_times = chunk.find_comments(), chunk.find_answer_times()
    objects = columns.objects.slice(chunk.start, chunk.stop - chunk.start).to_pylist()
    nothing: dict[str, Any] = {}  # one for all, and one array for all with the same answers
    tables: dict[tuple[int, ...], Ints] = {(): np.empty((0, 0), np.int64)}
    for index, (item, (start, stop)) in enumerate(zip(objects, pairwise(edges), strict=True)):
        number = chunk.start + index
        if not item["is_read"]:
            continue
        source = item["source"]
        said = tuple(codes[start:stop])
        if said not in tables:
            tables[said] = np.array([rows_of[code] for code in said])
        yield ObjectAnnotations(
            object_id=item["id"],
            source=job.sources.get(item["id"], "") if source is None else source,
            workers=tuple(workers[start:stop]),
            choices=tables[said],
            rejected=tuple(rejected.get(number, ())),
            answer_times=answer_times.get(number, nothing),
            comments=comments.get(number, nothing),
        )
