"""Whole jobs, one or several together, consolidated again shard by shard."""

from __future__ import annotations

import json
import math
import shutil
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from io import BufferedReader
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pyarrow import parquet

from groundtruth.auxiliary_inputs import NO_LABELS, confidence_map_content
from groundtruth.compat import batched
from groundtruth.errors import GroundTruthError
from groundtruth.sharding.plan import Plan, Shard
from groundtruth.sharding.steps import Steps
from groundtruth.tasks.base import BUILTIN, OBJECT, Label
from groundtruth.tasks.registry import plan_steps
from groundtruth.tasks.shards import MODEL_MAX_WEIGHT
from labeljob.columns.answers import AnswerColumns
from labeljob.columns.lines import ManifestLines, facts_about
from labeljob.columns.parquet_answers import TableLines
from labeljob.engines.cost import TYPICAL_ROUNDS, Work, count_steps
from labeljob.engines.driver import Outcome, iter_chunks, map_chunks
from labeljob.engines.executors import Engine
from labeljob.history.auxiliary_inputs import AuxiliaryInputs
from labeljob.history.differences import Change, Counts, Differences
from labeljob.history.job import JobOnFile
from labeljob.history.job_files import OutputLine
from labeljob.history.replay import (
    EPOCH,
    STYLES,
    SUMMARY,
    OutcomeFolder,
    ReplayOutcome,
    find_label_date,
    find_last_answer,
)
from labeljob.history.shard_labels import (
    CHANGES,
    LABELS,
    LabelsRequest,
    LabelsWritten,
    ToldDependence,
    write_labels,
)
from labeljob.history.shards import (
    ShardRequest,
    choose_ranges,
    find_crew,
    make_shard,
    request_shards,
)
from labeljob.history.whole_masks import choose_size
from labeljob.history.work_folder import WorkFolder
from labeljob.jobs.description import JobError
from labeljob.lazy import LazySequence
from labeljob.metrics.dependence import DependenceSummary
from labeljob.metrics.scores import score_labels
from labeljob.output_files import escape_halves, write_text
from labeljob.tasks.base import Truth

TABLE = "labels.parquet"

Ints: TypeAlias = NDArray[Any]
RunPlan: TypeAlias = Callable[[Plan, WorkFolder], Outcome]
"""Consolidates the shards of a plan: `run_plan` on some engine, or on AWS."""
Part: TypeAlias = tuple[LabelsRequest, Future[LabelsWritten]]
"""A shard's part of the files that are written, once it is there."""
JoinParts: TypeAlias = Callable[[Path, Sequence[Part]], None]
"""Writes one file from the parts of all shards."""


class OpenProgress(Protocol):
    """Opens a bar with a title and a total; gives what moves it on by one."""

    def __call__(self, title: str, total: int) -> AbstractContextManager[Callable[[], object]]:
        """See the class."""


@dataclass(frozen=True, kw_only=True)
class WholeJob:
    """A job that is consolidated again, together with others perhaps.

    `truths` are true labels by data object, if they are known.
    """

    job: JobOnFile
    folder: OutcomeFolder
    auxiliary: AuxiliaryInputs
    truths: Mapping[str, Truth] | None = None


_MAY_DIFFER = ("output_style", "label_category_config_s3_uri", "gold_labels_s3_uri")
"""Settings that several jobs need not have in common."""


def has_steps(job: JobOnFile) -> bool:
    """Whether a job can be consolidated shard by shard, by its algorithm."""
    if job.columns is None or job.task.names_task is None:
        return False
    try:
        _find_steps(job)
    except GroundTruthError:
        return False
    return True


def _find_steps(job: JobOnFile) -> Steps:
    plan = Plan(
        task=job.task.name,
        settings=job.settings,
        classes=job.choices,
        n_workers=0,
        job_name=job.name,
        made_at=EPOCH.isoformat(),
        options={"workers": ()},  # that nobody asks for before a step is made
        shards=(),
    )
    return plan_steps(plan)


def measure_work(jobs: Sequence[JobOnFile], n_workers: int, by_shards: bool) -> Work:
    """How much there is to do to replay jobs; in one piece if not `by_shards`."""
    n_objects, n_answers = (
        sum(len(job.object_ids()) for job in jobs),
        sum(map(_count_answers, jobs)),
    )
    is_masks = jobs[0].task.names_task is None
    piece = Work(
        objects=n_objects,
        answers=n_answers,
        shards=1,
        steps=1,
        most_steps=1,
        answer_seconds=jobs[0].task.step_seconds,
        answer_files=n_answers if is_masks else 0,
        masks=n_objects * (1 + jobs[0].settings.disagreement_map) if is_masks else 0,
    )
    if not by_shards:
        return piece
    steps = _find_steps(jobs[0])
    return replace(
        piece,
        shards=sum(_count_shards(job, n_workers) for job in jobs),
        steps=count_steps(steps, TYPICAL_ROUNDS),
        most_steps=count_steps(steps),
    )


def _count_shards(job: JobOnFile, n_workers: int) -> int:
    if job.columns is None:
        n_objects = len(job.object_ids())
        return math.ceil(n_objects / choose_size(n_objects))
    return len(choose_ranges(job.columns, n_workers))


def _count_answers(job: JobOnFile) -> int:
    if job.columns is not None:
        return job.columns.n_answers
    return sum(len(item.object.annotations) for item in job.files.read(job.object_ids()))


def check_alike(jobs: Sequence[JobOnFile]) -> None:
    """Raise `JobError` if jobs cannot be consolidated together, naming what differs."""
    first = jobs[0]
    for job in jobs[1:]:
        told = [
            ("job type", first.task.name, job.task.name),
            ("classes", ", ".join(first.choices), ", ".join(job.choices)),
            *(
                (
                    f"setting {row.name}",
                    getattr(first.settings, row.name),
                    getattr(job.settings, row.name),
                )
                for row in fields(first.settings)
                if row.name not in _MAY_DIFFER
            ),
        ]
        for what, own, other in told:
            if own != other:
                raise JobError(
                    f"{job.place.name} cannot be replayed together with {first.place.name}: its "
                    f"{what} is {other or 'not set'}, not {own or 'not set'}; replay it alone"
                )


def replay_whole(
    wholes: Sequence[WholeJob],
    work: WorkFolder,
    engine: Engine,
    run: RunPlan,
    *,
    n_workers: int,
    styles: Sequence[str] = STYLES,
    tolerated_failures: float = 0.1,
    show_progress: OpenProgress,
) -> list[ReplayOutcome]:
    """Consolidate jobs again, write the new manifests and compare them with the old ones.

    Parameters
    ----------
    wholes : sequence of WholeJob
        Of the same job type, classes and settings, as `check_alike` finds.
    work : WorkFolder
        Keeps what is done so far; removed if all is done.
    engine : Engine
        Processes of this machine, which make shards and write labels.
    run : callable
        Consolidates the shards.
    n_workers : int
        How many shards are consolidated at once, more or less.
    styles : sequence of str
        Which manifests are written.
    tolerated_failures : float
        Share of the shards, in [0, 1], that may fail; labels of their data objects stay as they
        are.
    show_progress : callable
        Opens a bar.

    Raises
    ------
    GroundTruthError
        If a job or the work folder cannot be read or written, or too many shards failed.
    """
    plan, shards = _make_plan(wholes, work, engine, n_workers, tolerated_failures, show_progress)
    found = run(plan, work)
    outcomes = []
    with work.open_local() as local:
        for number, (whole, own) in enumerate(zip(wholes, shards, strict=True)):
            outcomes.append(
                _write_job(
                    whole,
                    own,
                    plan,
                    found,
                    work,
                    local / f"labels-{number}",
                    engine,
                    styles,
                    show_progress,
                )
            )
    if not found.failures:
        work.remove(plan)
    return outcomes


@dataclass(frozen=True)
class _Owned:
    """A shard, and which data objects of its job it has."""

    shard: Shard
    start: int
    stop: int


def _make_plan(
    wholes: Sequence[WholeJob],
    work: WorkFolder,
    engine: Engine,
    n_workers: int,
    tolerated_failures: float,
    show_progress: OpenProgress,
) -> tuple[Plan, list[list[_Owned]]]:
    first = wholes[0]
    job, auxiliary = first.job, first.auxiliary
    columns = [_columns_of(whole.job) for whole in wholes]
    has_model = job.settings.model_max_weight > 0 and any(
        whole.auxiliary.model != NO_LABELS for whole in wholes
    )
    crew = find_crew(columns, with_model=has_model)
    known = auxiliary.confidence_map
    plan = Plan(
        task=job.task.name,
        settings=job.settings,
        classes=job.choices,
        classes_known=job.classes_from != "answers",
        n_workers=crew.n_workers,
        job_name=job.name,
        made_at=max(_find_date(whole.job) for whole in wholes).isoformat(),
        confidence_map=None if known is None else confidence_map_content(known),
        tolerated_failures=tolerated_failures,
        options={MODEL_MAX_WEIGHT: job.settings.model_max_weight} if has_model else {},
        shards=(),
    )
    requests: list[ShardRequest] = []
    owners: list[tuple[int, int, int]] = []
    for number, (whole, own) in enumerate(zip(wholes, columns, strict=True)):
        ranges = choose_ranges(own, n_workers)
        requests += request_shards(
            whole.job,
            own,
            ranges,
            crew,
            whole.auxiliary,
            folder=f"{work.uri_of(plan)}/shards",
            store=work.store,
            first=len(requests),
        )
        owners += [(number, start, stop) for _, start, stop in ranges]
    with show_progress("Making shards", len(requests)) as advance:
        made = map_chunks(engine, make_shard, requests, advance=advance)
    shards: list[list[_Owned]] = [[] for _ in wholes]
    for shard, (number, start, stop) in zip(made, owners, strict=True):
        shards[number].append(_Owned(shard, start, stop))
    return replace(plan, shards=tuple(made)), shards


def _columns_of(job: JobOnFile) -> AnswerColumns:
    if job.columns is None:
        raise ValueError(f"the answers of {job.task} are no names")
    return job.columns


def _find_date(job: JobOnFile) -> datetime:
    """When the last label was made, else when the last answer came."""
    return find_label_date(job) or find_last_answer(job)


def _write_job(
    whole: WholeJob,
    shards: Sequence[_Owned],
    plan: Plan,
    found: Outcome,
    work: WorkFolder,
    folder: Path,
    engine: Engine,
    styles: Sequence[str],
    show_progress: OpenProgress,
) -> ReplayOutcome:
    """Write what belongs to one job."""
    job = whole.job
    facts = facts_about(job.lines, job.attribute)
    context: dict[str, Any] = {
        "store": work.store,
        "task": job.task.name,
        "attribute": job.attribute,
        "classes": plan.classes,
        "classes_known": plan.classes_known,
        "settings": job.settings,
        "job_name": job.name,
        "made_at": _find_date(job),
        "model": plan.n_workers - 1 if plan.options else None,
        "styles": tuple(styles),
        "old_style": (BUILTIN if BUILTIN in facts.styles else OBJECT) if facts.types else None,
        "known": frozenset(whole.truths or ()),
        "folder": folder,
    }
    layout = _lay_out(job, shards)
    requests = [
        LabelsRequest(
            shard=own.shard,
            result=None if own.shard.name in found.failures else found.folder,
            lines=_choose_lines(job, layout.rows[number]),
            rows=layout.rows[number],
            objects=layout.objects[number],
            strays=layout.strays[number],
            **context,
        )
        for number, own in enumerate(shards)
    ]
    manifests = tuple(f"{style}.manifest" for style in styles)
    with whole.folder.open_draft() as draft:
        written = _write_labels(
            requests,
            engine,
            {
                draft / TABLE: _join_tables,
                **{
                    draft / name: partial(_join_lines, style=style, owner=layout.owner)
                    for name, style in zip(manifests, styles, strict=True)
                },
            },
            show_progress,
        )
        counts, dependence = Counts(), ToldDependence()
        comments: dict[str, dict[str, str]] = {}
        before: dict[str, Label] = {}
        after: dict[str, Label] = {}
        for part in written:
            counts.add(part.counts)
            dependence.add(part.dependence)
            comments |= part.comments
            before |= part.before
            after |= part.after
        relabeled = ChangesOnFile.gather(requests, written)
        failures = {
            own.shard.name: found.failures[own.shard.name]
            for own in shards
            if own.shard.name in found.failures
        }
        figures = [
            score_labels(job.task, labels, whole.truths, job.classes, lambda label: None)
            if whole.truths
            else {}
            for labels in (before, after)
        ]
        outcome = ReplayOutcome(
            job=job,
            folder=whole.folder,
            calls=(len(_columns_of(job).objects),),
            manifests=manifests,
            differences=Differences(counts, relabeled),
            before=figures[0],
            after=figures[1],
            dependence=_summarize(dependence),
            comments=comments,
            passes=1,
            failures=failures,
        )
        _write_summary(draft / SUMMARY, outcome, relabeled)
    shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _write_labels(
    requests: Sequence[LabelsRequest],
    engine: Engine,
    joins: Mapping[Path, JoinParts],
    show_progress: OpenProgress,
) -> list[LabelsWritten]:
    """Write the parts of all shards, and join them, by the file, as far as they are there."""
    parts = [(request, Future[LabelsWritten]()) for request in requests]
    with (
        show_progress("Writing labels", len(requests)) as advance,
        ThreadPoolExecutor(len(joins)) as threads,
    ):
        joined = [threads.submit(join, path, parts) for path, join in joins.items()]
        try:
            for number, written in iter_chunks(engine, write_labels, requests):
                parts[number][1].set_result(written)
                advance()
        finally:
            for _, part in parts:
                part.cancel()  # nobody waits for what will not come
        for each in joined:
            each.result()
    return [part.result() for _, part in parts]


def _choose_lines(job: JobOnFile, rows: Ints) -> Sequence[OutputLine]:
    """What another process needs of the lines: where they are, or the lines themselves."""
    lines = job.lines
    if isinstance(lines, ManifestLines):
        return lines
    return (
        lines.take(rows) if isinstance(lines, TableLines) else [lines[row] for row in rows.tolist()]
    )


@dataclass(frozen=True)
class _Layout:
    """Which shard writes which lines.

    `owner` has the shard of each line; `rows` and `objects` are by shard the lines and the index of
    their data object in it, -1 of those without answers; `strays` data objects without a line.
    """

    owner: Ints
    rows: list[Ints]
    objects: list[Ints]
    strays: list[Ints]


def _lay_out(job: JobOnFile, shards: Sequence[_Owned]) -> _Layout:
    columns = _columns_of(job)
    n_lines = len(job.lines)
    object_of = _find_objects(job, columns)
    starts = np.array([own.start for own in shards])
    owner = np.searchsorted(starts, object_of, side="right") - 1
    # A line without answers is written with the line before it.
    last = np.maximum.accumulate(np.where(object_of >= 0, np.arange(n_lines), -1))
    owner = np.where(last >= 0, owner[np.maximum(last, 0)], 0)
    order = np.argsort(owner, kind="stable")
    edges = np.searchsorted(owner[order], np.arange(len(shards) + 1))
    rows = [order[low:high] for low, high in pairwise(edges)]
    is_read = columns.objects["is_read"].to_numpy().copy()
    is_read[object_of[object_of >= 0]] = False
    strays = np.flatnonzero(is_read)
    return _Layout(
        owner=owner,
        rows=rows,
        objects=[
            np.where(object_of[own_rows] >= 0, object_of[own_rows] - own.start, -1)
            for own_rows, own in zip(rows, shards, strict=True)
        ],
        strays=[strays[(strays >= own.start) & (strays < own.stop)] - own.start for own in shards],
    )


def _find_objects(job: JobOnFile, columns: AnswerColumns) -> Ints:
    """Row of each line's data object among those with answers; -1 for a line without."""
    ids = columns.objects["id"]
    if isinstance(job.lines, ManifestLines | TableLines):
        line_ids = job.lines.ids
    else:
        line_ids = pa.chunked_array([pa.array([line.object_id for line in job.lines], pa.string())])
    is_read = columns.objects["is_read"].to_numpy()
    if line_ids.equals(ids):
        object_of = np.arange(len(ids))
    else:
        found = pc.index_in(line_ids, value_set=ids.combine_chunks()).fill_null(-1)
        object_of = found.to_numpy().astype(np.int64)
    if not is_read.all():
        object_of = np.where((object_of >= 0) & is_read[object_of], object_of, -1)
    return object_of


def _join_lines(path: Path, parts: Sequence[Part], *, style: str, owner: Ints) -> None:
    """Put the lines of all shards into one manifest, in the order of the old one."""
    edges = np.flatnonzero(np.diff(owner)) + 1
    starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(owner)]
    used = [0] * len(parts)
    files: dict[int, BufferedReader] = {}
    left = np.bincount(owner, minlength=len(parts)).tolist()
    block = memoryview(bytearray(_BLOCK))
    with path.open("wb") as target:
        for start, end in zip(starts, ends, strict=True):
            if start == end:
                continue
            number, n_lines = int(owner[start]), end - start
            request, written = parts[number]
            sizes = written.result().sizes[style]
            file = files.get(number) or files.setdefault(number, request.path(style).open("rb"))
            size = int(sizes[used[number] : used[number] + n_lines].sum())
            _copy(file, target, size, block)
            used[number] += n_lines
            left[number] -= n_lines
            if not left[number]:
                files.pop(number).close()
                request.path(style).unlink()


_BLOCK = 1 << 20
"""Bytes that are copied at once: they stay in a core's cache."""


def _copy(source: BufferedReader, target: IO[bytes], size: int, block: memoryview) -> None:
    while size:
        n_read = source.readinto(block[:size])
        if not n_read:
            raise OSError(f"{source.name} was changed meanwhile")
        target.write(block[:n_read])
        size -= n_read


def _join_tables(path: Path, parts: Sequence[Part]) -> None:
    """Put the labels of all shards into one Parquet file, a row group each."""
    writer = None
    for request, written in parts:
        written.result()
        part = request.path(LABELS)
        if not part.exists():
            continue
        table = pa.ipc.open_file(pa.memory_map(str(part))).read_all()
        if writer is None:
            writer = parquet.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=max(1, len(table)))
    if writer is not None:
        writer.close()


class ChangesOnFile(LazySequence[Change]):
    """Data objects with another label, in a file that goes with this object.

    Parameters
    ----------
    file : file
        A JSON object a line.
    ends : sequence of int
        Where each line ends.
    """

    def __init__(self, file: IO[bytes], ends: Ints) -> None:
        self._file, self._ends = file, ends
        weakref.finalize(self, file.close)

    def __len__(self) -> int:
        return len(self._ends)

    def make_item(self, index: int) -> Change:
        """See `LazySequence`."""
        start = int(self._ends[index - 1]) if index else 0
        self._file.seek(start)
        return Change.from_json(json.loads(self._file.read(int(self._ends[index]) - start)))

    def texts(self) -> Iterator[str]:
        """Each as JSON."""
        self._file.seek(0)
        for line in self._file:
            yield line.decode().rstrip("\n")

    @classmethod
    def gather(
        cls, requests: Sequence[LabelsRequest], written: Sequence[LabelsWritten]
    ) -> ChangesOnFile:
        """Those of all shards, in the order of the manifest."""
        file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - stays open as long as this object
        rows = np.concatenate([part.change_rows for part in written])
        if np.all(rows[1:] >= rows[:-1]):
            sizes: list[int] = []
            for request in requests:
                with request.path(CHANGES).open("rb") as part:
                    sizes += map(file.write, part)
        else:
            lines = [
                line
                for request in requests
                for line in request.path(CHANGES).read_bytes().splitlines(keepends=True)
            ]
            sizes = [file.write(lines[at]) for at in np.argsort(rows, kind="stable").tolist()]
        return cls(file, np.cumsum(np.array(sizes, np.int64)))


_NO_CHANGES = '"changed": []'


def _write_summary(path: Path, outcome: ReplayOutcome, changes: ChangesOnFile) -> None:
    """Write the summary without holding all changes at once."""
    differences = Differences(outcome.differences.counts, ())
    values = replace(outcome, differences=differences).as_json()
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    if not len(changes):
        write_text(path, text)
        return
    head, _, tail = text.partition(_NO_CHANGES)
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{escape_halves(head)}"changed": [')
        between = "\n      "
        for some in batched(changes.texts(), 1000):
            file.write(between + ",\n      ".join(some))
            between = ",\n      "
        file.write(f"\n    ]{escape_halves(tail)}")


def _summarize(told: ToldDependence) -> DependenceSummary | None:
    if not told.labels:
        return None
    pairs, best = told.best
    return DependenceSummary(
        labels=told.labels,
        value=told.value_sum / told.labels,
        lowest=told.lowest,
        highest=told.highest,
        best_known=best,
        correlation=told.correlation_sum / told.labels,
        pairs=pairs,
        earlier_pairs=0,
    )
