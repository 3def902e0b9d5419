"""The answers of a job as columns: read once of its files, kept, and read again in chunks.

    answers-00000.parquet   a row for each annotation, in the order in which they count, by chunks
    objects.parquet         a row for each data object that has answers
    facts.json              what the numbers in the answers mean, and what is wrong with the files

The answers to data objects are together, in the order of the objects. What a worker said is the
number of a list of names, which do not depend on the job's classes; where an answer has none, a
reason and a detail say why it is set aside. Several answers of one worker to one data object are
all there, and so are those of nobody: `AnswerChunk.settle` says which count.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from groundtruth.annotations import RejectedAnswer
from groundtruth.contract.fields import is_label_name
from groundtruth.settings import Settings
from labeljob.columns import Spread
from labeljob.columns.kept import DRAFTS, open_kept_folder
from labeljob.columns.merging import ANSWERS_BY_OBJECT, ChunkOfParts, Codes, MergedParts
from labeljob.columns.parquet_answers import ParquetAnswers, read_rows
from labeljob.columns.parts import Ints, Part, PartRead, load_table, read_part
from labeljob.history.job_files import AnswerFiles, AnswerTime, DamageList
from labeljob.jobs.job_location import JobPlace
from labeljob.tasks.base import JobType

FORMAT = 3
"""Grows when what is kept would no longer be understood, or be another."""

KEPT_FROM = 8_000_000
"""Bytes of a job's files of answers from which on the columns are kept."""

PART_BYTES = 32_000_000
"""Bytes of files that are read together: about 150,000 answers."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Which answers of a chunk count.

    `rows` are those of the chunk, in order: of a worker's usable answers to a data object the last.
    `rejected` are the other answers with the row at which each is noted.
    """

    rows: NDArray[np.int64]
    rejected: tuple[tuple[int, RejectedAnswer], ...]


@dataclass(frozen=True, kw_only=True)
class AnswerChunk:
    """The answers to the data objects `start` to `stop`.

    Attributes
    ----------
    codes : Codes
        What the numbers mean.
    start, stop : int
        Rows of the table of data objects.
    table : pyarrow.Table
        The rows of the chunk's file.
    """

    codes: Codes
    start: int
    stop: int
    table: pa.Table

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def object(self) -> Ints:
        """Row of the table of data objects, shape (n_answers,), in ascending order."""
        return self._numbers("object")

    @cached_property
    def worker(self) -> Ints:
        """Index in `Codes.workers`, shape (n_answers,); -1 if the answer names nobody."""
        return self._numbers("worker")

    @cached_property
    def names(self) -> Ints:
        """Index in `Codes.names`, shape (n_answers,); -1 if the answer is set aside."""
        return self._numbers("names")

    @cached_property
    def reason(self) -> Ints:
        """Index in `Codes.reasons` of why it is set aside, else -1."""
        return self._numbers("reason")

    def _numbers(self, name: str) -> Ints:
        return np.asarray(self.table[name].to_numpy())

    def find_usable(self) -> NDArray[np.int64]:
        """Rows that name something: of a worker's answers to a data object the last."""
        return self._settle(self.names >= 0)[0]

    def settle(self, problems: Mapping[int, tuple[str, str]] | None = None) -> Settled:
        """Which answers count.

        Parameters
        ----------
        problems : mapping of int to (str, str), optional
            Reason and detail for which answers with some names are set aside, by the index of the
            names: where one is none of the job's classes.
        """
        usable = self.names >= 0
        if problems:
            has_problem = np.zeros(len(self.codes.names) + 1, np.bool_)
            has_problem[list(problems)] = True
            usable &= ~has_problem[self.names]
        rows, superseding = self._settle(usable)
        noted = np.sort(np.concatenate([np.flatnonzero(~usable), superseding]))
        return Settled(rows=rows, rejected=tuple(self._explain(noted, usable, problems)))

    def _settle(self, usable: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows that count, and those of them and others that come after one of the same worker."""
        rows = np.flatnonzero(usable)
        owner = self.object[rows].astype(np.int64) * (len(self.codes.workers) + 1)
        owner += self.worker[rows]
        order = np.argsort(owner, kind="stable")
        again = np.flatnonzero(owner[order][1:] == owner[order][:-1])
        counts = np.ones(len(rows), np.bool_)
        counts[order[again]] = False
        return rows[counts], rows[order[again + 1]]

    def _explain(
        self,
        noted: NDArray[np.int64],
        usable: NDArray[np.bool_],
        problems: Mapping[int, tuple[str, str]] | None,
    ) -> Iterator[tuple[int, RejectedAnswer]]:
        details = self.table["detail"].take(pa.array(noted)).to_pylist() if len(noted) else []
        for row, told in zip(noted.tolist(), details, strict=True):
            if usable[row]:
                reason, detail = "superseded", "a later answer of the same worker counts"
            elif self.names[row] >= 0 and problems:
                reason, detail = problems[int(self.names[row])]
            else:
                reason, detail = self.codes.reasons[int(self.reason[row])], told
            yield row, RejectedAnswer(self.worker_id(row), reason, detail)

    def worker_id(self, row: int) -> str:
        """Who gave an answer; empty if it names nobody."""
        worker = int(self.worker[row])
        return self.codes.workers[worker] if worker >= 0 else ""

    def find_comments(self) -> dict[int, dict[str, str]]:
        """What workers wrote beside their answers: by row of the data object, and by worker.

        A worker's several comments are lines.
        """
        texts: dict[int, dict[str, dict[str, None]]] = {}
        said = self.table["comments"]
        rows = np.flatnonzero(pc.is_valid(said).to_numpy())
        for row, comments in zip(rows.tolist(), said.take(pa.array(rows)).to_pylist(), strict=True):
            own = texts.setdefault(int(self.object[row]), {})
            own.setdefault(self.worker_id(row), {}).update(dict.fromkeys(comments))
        return {
            number: {worker: "\n".join(lines) for worker, lines in own.items()}
            for number, own in texts.items()
        }

    def find_answer_times(self) -> dict[int, dict[str, AnswerTime]]:
        """When each worker answered, by row of the data object; the last answer's time counts.

        Data objects whose files tell no times are left out.
        """
        is_told = pc.or_(
            pc.is_valid(self.table["submitted"]), pc.is_valid(self.table["seconds"])
        ).to_numpy()
        told_objects = np.unique(self.object[is_told])
        rows = pa.array(np.flatnonzero(np.isin(self.object, told_objects)))
        columns = (self.table[name].take(rows).to_pylist() for name in ("submitted", "seconds"))
        times: dict[int, dict[str, AnswerTime]] = {}
        for row, submitted, seconds in zip(rows.to_pylist(), *columns, strict=True):
            own = times.setdefault(int(self.object[row]), {})
            own[self.worker_id(row)] = AnswerTime(submitted, seconds)
        return times


@dataclass(frozen=True, kw_only=True)
class AnswerColumns:
    """All answers of a job.

    Attributes
    ----------
    codes : Codes
        What the numbers in the answers mean.
    objects : pyarrow.Table
        ``id`` and ``source`` of the data objects, in the order of `AnswerFiles.object_ids`;
        ``answers``, how many rows each has; and ``is_read``, false if none of its files can be
        read. `source` is the URI, empty if there is one that is no URI; null if the files do not
        tell.
    chunks : tuple of (int, int)
        Rows of `objects` that are read together.
    damages : tuple of (str, str)
        Files, relative to the job's folder, and what is wrong with each.
    folder : Path or None
        Where the tables are; None if they are in memory.
    """

    codes: Codes
    objects: pa.Table
    chunks: tuple[tuple[int, int], ...]
    damages: tuple[tuple[str, str], ...]
    folder: Path | None = None
    _tables: tuple[pa.Table, ...] = ()

    @cached_property
    def object_ids(self) -> list[str]:
        """The data objects that have answers, in the order of their numbers."""
        ids: list[str] = self.objects["id"].to_pylist()
        return ids

    @property
    def n_answers(self) -> int:
        """How many annotations there are, with those that are set aside."""
        return int(pc.sum(self.objects["answers"]).as_py() or 0)

    def iter_chunks(self, columns: Sequence[str] | None = None) -> Iterator[AnswerChunk]:
        """All answers, chunk by chunk; only some columns if they are named, `object` among them."""
        for number in range(len(self.chunks)):
            yield self.read_chunk(number, columns)

    def read_chunk(self, number: int, columns: Sequence[str] | None = None) -> AnswerChunk:
        """One chunk; raises `OSError` if its file is gone."""
        return self.locate(number).load(columns)

    def locate(self, number: int) -> ChunkOnFile:
        """Where a chunk is, for another process."""
        start, stop = self.chunks[number]
        source = self._tables[number] if self.folder is None else self.folder
        codes = self.codes if self.folder is None else None
        return ChunkOnFile(number=number, start=start, stop=stop, source=source, codes=codes)

    def read_objects(self, start: int, stop: int) -> AnswerChunk:
        """The answers to some data objects, by rows of `objects`."""
        tables = [ANSWERS_BY_OBJECT.empty_table()]
        for number, (first, end) in enumerate(self.chunks):
            if first < stop and start < end:
                chunk = self.read_chunk(number)
                low, high = np.searchsorted(chunk.object, [start, stop]).tolist()
                tables.append(chunk.table.slice(low, high - low))
        table = pa.concat_tables(tables).combine_chunks()
        return AnswerChunk(codes=self.codes, start=start, stop=stop, table=table)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what is kept, but for the answers; raises `OSError` or `ValueError` if it is not."""
        facts = _load_facts(folder)
        return cls(
            codes=facts.codes,
            objects=_read_table(folder / _OBJECTS),
            chunks=facts.chunks,
            damages=facts.damages,
            folder=folder,
        )


@dataclass(frozen=True, kw_only=True)
class ChunkOnFile:
    """Where a chunk is: a few hundred bytes for another process, unless the job is small."""

    number: int
    start: int
    stop: int
    source: Path | pa.Table
    codes: Codes | None

    def load(self, columns: Sequence[str] | None = None) -> AnswerChunk:
        """Read the chunk, or some of its columns; raises `OSError` if its file is gone."""
        names = None if columns is None else list(columns)
        if isinstance(self.source, Path):
            codes = self.codes or _load_facts(self.source).codes
            table = _read_table(_chunk_file(self.source, self.number), names)
        else:
            codes = self.codes or Codes()
            table = self.source if names is None else self.source.select(names)
        return AnswerChunk(codes=codes, start=self.start, stop=self.stop, table=table)


_OBJECTS, _FACTS = "objects.parquet", "facts.json"


def _read_table(file: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A file of ours; `pyarrow.parquet.read_table` would load much that nobody needs for it."""
    with pq.ParquetFile(file) as parquet:
        return parquet.read(columns)


def _chunk_file(folder: Path, number: int) -> Path:
    return folder / f"answers-{number:05}.parquet"


class _Facts(msgspec.Struct):
    codes: Codes
    chunks: tuple[tuple[int, int], ...]
    damages: tuple[tuple[str, str], ...]


@lru_cache(maxsize=4)
def _load_facts(folder: Path) -> _Facts:
    return msgspec.json.decode((folder / _FACTS).read_bytes(), type=_Facts)


def open_answers(
    place: JobPlace,
    files: AnswerFiles,
    job_type: JobType,
    settings: Settings,
    damage: DamageList,
    spread: Spread = map,
) -> AnswerColumns:
    """The answers of a job, of what is kept of them or of their files.

    Parameters
    ----------
    place : JobPlace
        The job.
    files : AnswerFiles
        Its files of answers.
    job_type : JobType
        One whose answers are names.
    settings : Settings
        Those of the job; only how names are found in an answer matters.
    damage : DamageList
        Gets what is wrong with the files.
    spread : callable, optional
        Reads parts, as `map` does it in this process.
    """
    columns = _find_kept(place, files, job_type, settings, spread)
    for file, problem in columns.damages:
        damage.add(file, problem)
    return columns


def _find_kept(
    place: JobPlace,
    files: AnswerFiles,
    job_type: JobType,
    settings: Settings,
    spread: Spread,
) -> AnswerColumns:
    if sum(files.sizes.values()) < KEPT_FROM:
        return _read_files(place, files, job_type, settings, spread, None)
    key = "\n".join([str(FORMAT), files.digest, job_type.name, settings.answer_field])
    folder = open_kept_folder(place, "answers", key)
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="labeljob-"))
        columns = _read_files(place, files, job_type, settings, spread, folder)
        weakref.finalize(columns, shutil.rmtree, folder, ignore_errors=True)
        return columns
    try:
        return AnswerColumns.load(folder)
    except (OSError, ValueError):  # not there yet, or not whole
        return _read_files(place, files, job_type, settings, spread, folder)


def _read_files(
    place: JobPlace,
    files: AnswerFiles,
    job_type: JobType,
    settings: Settings,
    spread: Spread,
    folder: Path | None,
) -> AnswerColumns:
    part = Part(place=place, job_type=job_type, settings=settings)
    with tempfile.TemporaryDirectory(dir=folder, prefix=DRAFTS) as name:
        draft = Path(name) if folder else None
        is_table = isinstance(files, ParquetAnswers)
        read = read_rows if is_table else read_part
        parts = list(spread(read, _divide(files, part, draft)))
        missing = {object_id for one in parts for object_id in one.unread}
        if missing and files.requests:
            some = replace(part, wanted=frozenset(missing))
            parts += spread(read_part, _divide_requests(files, some, draft, len(parts)))
            for one in parts:
                missing.difference_update(_load_ids(one))
        merged = MergedParts(parts, sorted(missing), joined=is_table)
        damages = dict.fromkeys(
            (place.shown(uri), problem) for one in parts for uri, problem in one.damages
        )
        return collect_answers(merged, folder, tuple(damages), spread)


def collect_answers(
    merged: MergedParts,
    folder: Path | None,
    damages: tuple[tuple[str, str], ...] = (),
    spread: Spread = map,
) -> AnswerColumns:
    """The answers of parts, in a folder or in memory."""
    columns = AnswerColumns(
        codes=merged.codes,
        objects=merged.objects,
        chunks=tuple(merged.chunks),
        damages=damages,
        folder=folder,
    )
    if folder is None:
        return replace(columns, _tables=tuple(chunk.read() for chunk in merged.divide()))
    _write(columns, merged, folder, spread)
    return columns


def _divide(files: AnswerFiles, part: Part, draft: Path | None) -> list[Part]:
    """The parts that a job's files are read in: worker responses if there are any."""
    if isinstance(files, ParquetAnswers):
        groups = [(number,) for number in range(files.n_row_groups)]
        return [
            replace(part, table=files.table, row_groups=some, folder=_part_folder(draft, number))
            for number, some in enumerate(groups)
        ]
    if not files.responses:
        return _divide_requests(files, part, draft)
    items = [(object_id, tuple(files.responses[object_id])) for object_id in files.named_ids()]
    sizes = [files.sizes.get(uris[0], 0) for _, uris in items]
    return [
        replace(part, responses=tuple(items[start:stop]), folder=_part_folder(draft, number))
        for number, (start, stop) in enumerate(_group(sizes))
    ]


def _divide_requests(
    files: AnswerFiles, part: Part, draft: Path | None, first: int = 0
) -> list[Part]:
    sizes = [files.sizes.get(uri, 0) for uri in files.requests]
    return [
        replace(part, requests=files.requests[start:stop], folder=_part_folder(draft, number))
        for number, (start, stop) in enumerate(_group(sizes), first)
    ]


def _part_folder(draft: Path | None, number: int) -> Path | None:
    return draft / f"{number:05}" if draft else None


PART_FILES = 20_000
"""Files that are read together at most."""


def _group(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Ranges of files with about `PART_BYTES` each."""
    edges, total = [0], 0
    for index, size in enumerate(sizes):
        total += size
        if total >= PART_BYTES or index + 1 - edges[-1] >= PART_FILES:
            edges.append(index + 1)
            total = 0
    if edges[-1] < len(sizes) or not sizes:
        edges.append(len(sizes))
    return list(pairwise(edges))


def _load_ids(part: PartRead) -> list[str]:
    ids: list[str] = load_table(part.objects)["id"].to_pylist()
    return ids


def _write(columns: AnswerColumns, merged: MergedParts, folder: Path, spread: Spread) -> None:
    """Write the tables, and the facts as the last file."""
    (folder / _FACTS).unlink(missing_ok=True)
    files = [_chunk_file(folder, number) for number in range(len(merged.chunks))]
    list(spread(_write_chunk, list(zip(merged.divide(), files, strict=True))))
    pq.write_table(
        columns.objects,
        folder / _OBJECTS,
        compression="lz4",
        use_dictionary=["answers"],
        column_encoding=dict.fromkeys(("id", "source"), "DELTA_BYTE_ARRAY"),
    )
    facts = _Facts(columns.codes, columns.chunks, columns.damages)
    (folder / _FACTS).write_bytes(msgspec.json.encode(facts))


def _write_chunk(request: tuple[ChunkOfParts, Path]) -> None:
    chunk, path = request
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    pq.write_table(
        chunk.read(),
        draft,
        compression="lz4",
        use_dictionary=["worker", "names", "reason", "detail"],
        column_encoding=dict.fromkeys(("object", "submitted"), "DELTA_BINARY_PACKED"),
    )
    draft.replace(path)


def count_names(columns: AnswerColumns, spread: Spread = map) -> dict[str, Counter[str]]:
    """How many usable answers name each class, by worker, in the order of the files."""
    codes = columns.codes
    votes: dict[str, Counter[str]] = {}
    n_workers = max(1, len(codes.workers))
    totals: Counter[int] = Counter()
    chunks = [columns.locate(number) for number in range(len(columns.chunks))]
    for counts in (map if columns.folder is None else spread)(_count_kinds, chunks):
        for kind, count in counts:
            totals[kind] += count
    for kind in sorted(totals):
        names, worker = divmod(kind, n_workers)
        for name in filter(is_label_name, codes.names[names]):
            votes.setdefault(name, Counter())[codes.workers[worker]] += totals[kind]
    return votes


def _count_kinds(source: ChunkOnFile) -> list[tuple[int, int]]:
    """How many usable answers of a chunk have each number of names and of a worker."""
    chunk = source.load(("object", "worker", "names"))
    n_workers = max(1, len(chunk.codes.workers))
    rows = chunk.find_usable()
    kinds = chunk.names[rows].astype(np.int64) * n_workers + chunk.worker[rows]
    if len(chunk.codes.names) * n_workers <= 4 * len(kinds):
        counts = np.bincount(kinds)
        kinds = np.flatnonzero(counts)
        counts = counts[kinds]
    else:
        kinds, counts = np.unique(kinds, return_counts=True)
    return list(zip(kinds.tolist(), counts.tolist(), strict=True))
