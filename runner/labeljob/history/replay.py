"""A job's answers consolidated again, through the library's own path."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundtruth.annotations import AnswerReader, Answers, Entry, merge_entries
from groundtruth.contract.acs import DataObject
from groundtruth.finishing.manifest import compact_json
from groundtruth.finishing.outcomes import METADATA
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import ObjectStore, S3Store
from groundtruth.tasks.base import BUILTIN, ConsolidationContext, Label, algorithm_of, format_label
from groundtruth.tasks.registry import decode_label
from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.store import BatchSkills, SkillKey, SkillStore
from labeljob.columns.lines import facts_about
from labeljob.history.auxiliary_inputs import AuxiliaryInputs
from labeljob.history.comments import read_comments
from labeljob.history.differences import Differences, compare
from labeljob.history.job import JobOnFile, decode_mask, read_job_mask
from labeljob.history.job_files import OutputLine
from labeljob.jobs.description import JobError, metadata_time
from labeljob.jobs.job_location import JobPlace, ReadOnly
from labeljob.metrics.dependence import DependenceSummary, summarize_dependence
from labeljob.metrics.scores import score_labels
from labeljob.output_files import draft_folder, write_text
from labeljob.tasks.base import Truth

GAP = timedelta(seconds=5)
"""Labels that are further apart in time are of different calls."""

EPOCH = datetime.fromtimestamp(0, tz=UTC)


@dataclass(frozen=True)
class Call:
    """One call: which data objects were consolidated together, and when.

    `made_at` is in UTC, the epoch if nothing tells; `request` is the URI of the call's payload.
    A call that is the `whole` job knows of each worker what all objects tell.
    """

    object_ids: tuple[str, ...]
    made_at: datetime
    request: str | None = None
    whole: bool = False


def split_calls_by_date(lines: Sequence[OutputLine], attribute: str) -> list[Call]:
    """Tell calls apart by the labels' creation dates: a gap of more than 5 s begins a new call.

    Calls are in time order, their data objects in that of the manifest; lines without a label of
    a human have no part in it.
    """
    dated = sorted(
        (moment, index)
        for index, line in enumerate(lines)
        if (moment := read_creation_date(line, attribute)) is not None
    )
    if not dated:
        return []
    starts = [0]
    starts += [
        end for end, (before, after) in enumerate(pairwise(dated), 1) if after[0] - before[0] > GAP
    ]
    ends = [*starts[1:], len(dated)]
    return [_call(lines, dated[start:end]) for start, end in zip(starts, ends, strict=True)]


def _call(lines: Sequence[OutputLine], dated: Sequence[tuple[datetime, int]]) -> Call:
    indices = sorted(index for _, index in dated)
    return Call(tuple(lines[index].object_id for index in indices), dated[-1][0])


def read_creation_date(line: OutputLine, attribute: str) -> datetime | None:
    """When the label of a line was made, in UTC; None if no human made it or nobody says when."""
    metadata = line.metadata(attribute)
    if metadata.get("human-annotated") == "no":
        return None
    text = metadata.get("creation-date", metadata.get("creation_date"))
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_time_in_name(uri: str) -> datetime:
    """The time in the name of a call's file, in UTC; the epoch if there is none.

    Examples
    --------
    >>> parse_time_in_name("s3://bucket/job/iteration-1/2026-03-02_10:15:28.json").isoformat()
    '2026-03-02T10:15:28+00:00'
    """
    numbers = [int(number) for number in re.findall(r"\d+", uri.rpartition("/")[2])[:6]]
    try:
        year, month, day, hour, minute, second = numbers
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return EPOCH


@dataclass(frozen=True)
class Replayed:
    """The new label of one data object, and what workers wrote beside their answers.

    `passes` is how often the job's answers were read for it.
    """

    object_id: str
    label: Label
    batch: ConsolidationContext
    comments: Mapping[str, str]
    passes: int = 1

    def content(self, job: JobOnFile, style: str) -> dict[str, Any]:
        """What the output manifest gets: label and metadata in a style."""
        batch = replace(self.batch, settings=replace(self.batch.settings, output_style=style))
        content = format_label(self.label, job.attribute, job.core, batch)
        if style == "object":
            content[f"{job.attribute}-metadata"] = {
                "type": "groundtruth/custom",
                "job-name": batch.job_name.rpartition("/")[2],
                "human-annotated": "yes",
                "creation-date": metadata_time(batch.made_at),
            }
        return content


def list_calls(job: JobOnFile) -> list[Call]:
    """The calls the job was made of: its requests, else told apart by the labels' dates.

    Data objects that no call has come last, in a call of their own.
    """
    calls = [
        Call(tuple(item.object_id for item in objects), parse_time_in_name(uri), uri)
        for uri in job.files.requests
        if (objects := job.files.request(uri))
    ]
    calls = calls or split_calls_by_date(job.lines, job.attribute)
    known = {object_id for call in calls for object_id in call.object_ids}
    answered = job.object_ids()
    if others := tuple(object_id for object_id in answered if object_id not in known):
        made_at = max((call.made_at for call in calls), default=find_last_answer(job))
        calls.append(Call(others, made_at))
    return calls


def make_single_call(job: JobOnFile) -> list[Call]:
    """One call with all answers of the job."""
    made_at = find_label_date(job) or find_last_answer(job)
    return [Call(tuple(job.object_ids()), made_at, whole=True)]


def find_label_date(job: JobOnFile) -> datetime | None:
    """When the last label was made that a human made, in UTC; None if none tells."""
    return facts_about(job.lines, job.attribute).latest


def find_last_answer(job: JobOnFile) -> datetime:
    """When the last answer came, as the names of files tell; the epoch if none does."""
    uris = (*job.files.response_uris(), *job.files.requests)
    return max(map(parse_time_in_name, uris), default=job.files.find_last_time() or EPOCH)


def replay(
    job: JobOnFile,
    calls: Sequence[Call],
    *,
    store: ObjectStore,
    masks_uri: str,
    auxiliary: AuxiliaryInputs | None = None,
    skills: SkillStore | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Iterator[Replayed]:
    """Consolidate a job's answers again, call by call; `skills` is taught by each for the next.

    A call that is the whole job is read twice where the job type wants it, see `judge_workers`;
    `advance` then counts each data object again. Of a data object in several calls the last label
    counts.
    """
    for call in calls:
        batch = make_context(job, call, store, masks_uri, auxiliary=auxiliary, skills=skills)
        judged = judge_workers(job, call, batch, advance)
        seen: list[tuple[str, dict[str, str]]] = []
        entries = _noted(read_entries(job, call), seen, advance)
        answers = _read_answers(job, entries, batch)
        for index, label in enumerate(job.core.consolidate(answers, judged or batch)):
            object_id, comments = seen[index]
            yield Replayed(object_id, label, batch, comments, passes=2 if judged else 1)


def judge_workers(
    job: JobOnFile,
    call: Call,
    batch: ConsolidationContext,
    advance: Callable[[], object] = lambda: None,
) -> ConsolidationContext | None:
    """What all answers tell of the workers, for a call that is the whole job.

    None for another call, and for a job type that finds it out while it consolidates.
    """
    if not call.whole:
        return None
    skills = replace(batch.skills, store=batch.skills.store or MemorySkills(), holds_batch=True)
    answers = _read_answers(job, _noted(read_entries(job, call), [], advance), batch)
    workers = job.core.judge_workers(answers, replace(batch, skills=skills))
    if workers is None:
        return None
    return replace(batch, skills=skills, workers=tuple(sorted(workers)))


def _read_answers(
    job: JobOnFile, entries: Iterable[Entry], batch: ConsolidationContext
) -> Iterator[Answers[Any]]:
    return AnswerReader(batch.store).read(
        entries, partial(job.core.decode, classes=batch.classes, settings=batch.settings)
    )


def make_context(
    job: JobOnFile,
    call: Call,
    store: ObjectStore,
    masks_uri: str,
    *,
    auxiliary: AuxiliaryInputs | None = None,
    skills: SkillStore | None = None,
) -> ConsolidationContext:
    """What the task needs to know of a call besides its answers."""
    known = auxiliary or AuxiliaryInputs()
    return ConsolidationContext(
        classes=job.choices,
        classes_known=job.classes_from != "answers",
        settings=job.settings,
        job_name=job.name,
        made_at=call.made_at,
        masks_uri=masks_uri,
        store=store,
        kms_key=None,
        gold=known.gold,
        model=known.model,
        confidence_map=known.confidence_map,
        workers=_list_workers(job, call) if skills else (),
        skills=BatchSkills(
            store=skills,
            key=SkillKey(job.core.schema_name, job.choices, job.settings.skill_half_life_days),
            batch_id="\n".join(call.object_ids),
            job=job.name,
            made_at=call.made_at,
        ),
    )


def _list_workers(job: JobOnFile, call: Call) -> tuple[str, ...]:
    """Who answered, in sorted order."""
    entries = read_entries(job, call)
    names = {item.worker_id for entry in entries for item in entry.object.annotations}
    return tuple(sorted(names - {""}))


def read_entries(job: JobOnFile, call: Call) -> Iterator[Entry]:
    """The data objects of a call, out of its own request if there is one."""
    if call.request is not None:
        objects: list[DataObject] = job.files.request(call.request)
        yield from merge_entries(objects)
        return
    for item in job.answered(call.object_ids):
        yield Entry(item.object)


def _noted(
    entries: Iterator[Entry],
    seen: list[tuple[str, dict[str, str]]],
    advance: Callable[[], object],
) -> Iterator[Entry]:
    for entry in entries:
        seen.append((entry.object.object_id, read_comments(entry.object.annotations)))
        advance()
        yield entry


MASKS = "masks"
JOB_FOLDERS = ("annotations", "manifests")
CONTENT_TYPES = {".manifest": "application/jsonlines", ".json": "application/json"}
"""Of what is written besides masks, and after them."""


@dataclass(frozen=True)
class OutcomeFolder:
    """A folder for what a replay writes.

    `masks_uri` is what manifests call the folder of masks: its URI, or a path from the manifest.
    """

    store: ObjectStore
    root: str
    masks_uri: str

    def shown(self, name: str) -> str:
        """A file as a person finds it: a path, or the URI itself."""
        uri = f"{self.root}/{name}" if name else self.root
        return str(self.store.path(uri)) if isinstance(self.store, FolderStore) else uri

    @contextmanager
    def open_draft(self) -> Iterator[Path]:
        """A folder for files that come here at the end, and nowhere if anything fails before.

        Raises `StorageError` or `OutputError` if they cannot be written.
        """
        if isinstance(self.store, FolderStore):
            with draft_folder(self.store.path(self.root)) as draft:
                yield draft
            return
        with tempfile.TemporaryDirectory(prefix="labeljob-") as name:
            yield (draft := Path(name))
            files = [path for path in sorted(draft.rglob("*")) if path.is_file()]
            for path in sorted(files, key=lambda path: path.suffix in CONTENT_TYPES):
                uri = f"{self.root}/{path.relative_to(draft).as_posix()}"
                content_type = CONTENT_TYPES.get(path.suffix, "image/png")
                self.store.write_file(uri, path, content_type=content_type, kms_key=None)


def choose_outcome_folder(place: JobPlace, out: str | None, default: str) -> OutcomeFolder:
    """The folder that the command line names, or `default` below the job's own.

    Raises `JobError` if it is the job's own folder, or lies among the job's own files.
    """
    place.remove_parts()
    if out is None:
        root = f"{place.root}/{default}"
        return OutcomeFolder(place.store, root, MASKS if place.is_copy else f"{root}/{MASKS}")
    if out.startswith("s3://"):
        root = out.rstrip("/")
        _check(root, place.root, out)
        return OutcomeFolder(S3Store(), root, f"{root}/{MASKS}")
    folder = Path(out).resolve()
    if isinstance(place.store, FolderStore):
        _check(str(folder), str(place.store.path(place.root)), out)
    return OutcomeFolder(
        FolderStore(folder.parents[1]), f"s3://{folder.parts[-2]}/{folder.name}", MASKS
    )


def _check(root: str, job: str, out: str) -> None:
    own = [f"{job}/{name}/" for name in JOB_FOLDERS]
    if root == job or any(f"{root}/".startswith(path) for path in own):
        raise JobError(f"--output {out} lies among the job's own files, which stay as they are")


class ReplayStore(ReadOnly):
    """Reads the job, and writes masks beside the new manifests."""

    def __init__(self, place: JobPlace, draft: Path, masks_uri: str) -> None:
        super().__init__(place)
        self._draft = draft
        self._masks_uri = masks_uri

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Write a mask into the draft; raises `OSError`."""
        path = _mask_path(uri, self._draft, self._masks_uri)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)


def _mask_path(uri: str, draft: Path, masks_uri: str) -> Path:
    return draft / MASKS / uri.removeprefix(f"{masks_uri}/")


STYLES = ("object", "builtin")
SUMMARY = "replay.json"

Figures: TypeAlias = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class ReplayOutcome:
    """What came of a replay; `before` and `after` are measures against the truth, if any.

    `calls` is how many data objects each had; `dependence` is None of algorithms that do not look
    for it; `comments` are by data object and worker; `passes` is how often the answers were read;
    `failures` says of each shard without labels why it has none.
    """

    job: JobOnFile
    folder: OutcomeFolder
    calls: tuple[int, ...]
    manifests: tuple[str, ...]
    differences: Differences
    before: Figures
    after: Figures
    dependence: DependenceSummary | None
    comments: Mapping[str, Mapping[str, str]]
    passes: int
    failures: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The outcome for `--json`; a figure that cannot be had is null."""
        job = self.job
        return {
            "job": job.name,
            "task": job.task.name,
            "label-attribute-name": job.attribute,
            "algorithm": algorithm_of(job.core, job.settings),
            "classes": list(job.classes),
            "classes-from": job.classes_from,
            "calls": list(self.calls),
            "passes": self.passes,
            "manifests": {name: self.folder.shown(name) for name in self.manifests},
            "differences": self.differences.as_json(),
            "against-truth": {"before": _nulled(self.before), "after": _nulled(self.after)}
            if self.after
            else None,
            "dependence": self.dependence.as_json() if self.dependence else None,
            "comments": self.comments,
            "damage": job.damage.as_json(),
            **({"failed-shards": dict(self.failures)} if self.failures else {}),
        }


def replay_job(
    job: JobOnFile,
    calls: Sequence[Call],
    folder: OutcomeFolder,
    *,
    styles: Sequence[str] = STYLES,
    truths: Mapping[str, Truth] | None = None,
    auxiliary: AuxiliaryInputs | None = None,
    skills: SkillStore | None = None,
    advance: Callable[[], object] = lambda: None,
) -> ReplayOutcome:
    """Consolidate a job again, write the new manifests and compare them with the old one.

    Nothing is written unless all of it succeeds. Raises `StorageError` or `OutputError`.
    """
    manifests = tuple(f"{style}.manifest" for style in styles)
    with folder.open_draft() as draft:
        again = replay(
            job,
            calls,
            store=ReplayStore(job.place, draft, folder.masks_uri),
            masks_uri=folder.masks_uri,
            auxiliary=auxiliary,
            skills=skills,
            advance=advance,
        )
        replayed = {item.object_id: item for item in again}
        for name, style in zip(manifests, styles, strict=True):
            (draft / name).write_bytes(format_manifest(job, replayed, style).encode())
        before = {line.object_id: line.label(job.attribute) for line in job.lines}
        after = _labels_like(before, replayed, job)
        read_mask = partial(_mask, job=job, draft=draft, masks_uri=folder.masks_uri)
        sources = {line.object_id: line.source for line in job.lines}
        figures = [_figures(labels, truths, job, read_mask) for labels in (before, after)]
        outcome = ReplayOutcome(
            job=job,
            folder=folder,
            calls=tuple(len(call.object_ids) for call in calls),
            manifests=manifests,
            differences=compare(before, after, sources, read_mask),
            before=figures[0],
            after=figures[1],
            dependence=summarize_dependence(item.label for item in replayed.values()),
            comments={name: item.comments for name, item in replayed.items() if item.comments},
            passes=max((item.passes for item in replayed.values()), default=1),
        )
        summary = json.dumps(outcome.as_json(), indent=2, ensure_ascii=False) + "\n"
        write_text(draft / SUMMARY, summary)
    return outcome


def _figures(
    labels: Mapping[str, Label | None],
    truths: Mapping[str, Truth] | None,
    job: JobOnFile,
    read_mask: Callable[[Label], NDArray[np.uint8] | None],
) -> Figures:
    known = {object_id: label for object_id, label in labels.items() if label}
    return score_labels(job.task, known, truths, job.classes, read_mask) if truths else {}


def _labels_like(
    before: Mapping[str, Label | None], replayed: Mapping[str, Replayed], job: JobOnFile
) -> dict[str, Label | None]:
    """The new labels in the style of the old ones, so that nothing but the label can differ."""
    builtin = any(label and label.style == BUILTIN for label in before.values())
    style = "builtin" if builtin else "object"
    after = dict(before)
    for object_id, item in replayed.items():
        content = item.content(job, style)
        metadata = content.get(f"{job.attribute}{METADATA}")
        after[object_id] = decode_label(content.get(job.attribute), metadata)
    return after


def format_manifest(job: JobOnFile, replayed: Mapping[str, Replayed], style: str) -> str:
    """The manifest in one style; a line without answers stays letter for letter."""
    keys = (job.attribute, f"{job.attribute}{METADATA}")
    texts = []
    for line in job.lines:
        item = replayed.get(line.object_id)
        if item is None or (line.text and not line.values):
            texts.append(line.text or compact_json(dict(line.values)))
        else:
            kept = {key: value for key, value in line.values.items() if key not in keys}
            texts.append(compact_json({**kept, **item.content(job, style)}))
    return "".join(f"{text}\n" for text in texts)


def _mask(label: Label, job: JobOnFile, draft: Path, masks_uri: str) -> NDArray[np.uint8] | None:
    """Class of each pixel of a label's mask, of the job or of the replay."""
    uri = label.mask_uri
    if uri is None or not uri.startswith(f"{masks_uri}/"):
        return read_job_mask(job, label)
    return decode_mask(_mask_path(uri, draft, masks_uri).read_bytes(), label, job.damage)


def _nulled(figures: Figures) -> dict[str, float | None]:
    """JSON knows no NaN."""
    return {name: None if value != value else value for name, value in figures.items()}
