"""The output manifest of a finished job as columns, read in parts by any executor.

Of a manifest of millions of lines nothing is kept in memory but where each line is: a line is
parsed when it is asked for, and what columns hold of the lines is in files, one for each part.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyarrow import parquet

from groundtruth.contract.fields import encodable
from groundtruth.errors import ContractError, StorageError
from groundtruth.finishing.manifest import OBJECT_ID_KEY, candidate_ids
from groundtruth.finishing.outcomes import AttributeEvidence
from groundtruth.storage.folder import FolderStore
from labeljob.columns import Spread
from labeljob.columns.kept import make_folder, open_kept_folder
from labeljob.columns.line_facts import LineFacts, LineReader, collect_facts
from labeljob.columns.parquet_answers import TableLines
from labeljob.history.job_files import SHOWN, DamageList, OutputLine, source_of
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace
from labeljob.lazy import LazySequence
from labeljob.messages import format_count

MANIFESTS = ("manifests/output/output.manifest", "manifests/output.manifest")

SMALL = 8_000_000
"""Bytes of a manifest that stays in memory."""

PART_SIZE = 16_000_000
"""Bytes of a part of a larger one: some 50,000 lines."""

_BLOCK = 65_536
_TOGETHER = 1000  # lines that are tried to be read alike
_USUAL = "label"

FORMAT = 1
"""Changes with what is kept of a manifest."""

_MARK = b"\xef\xbb\xbf"
_FACTS = b"labeljob"

SCHEMA = pa.schema(
    [
        ("number", pa.int32()),  # lines of the part before it
        ("own", pa.string()),  # the id that a streaming job's line names, if it names one
        ("source", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int32()),
        ("kept", pa.string()),
        ("label", pa.string()),
        ("class_name", pa.dictionary(pa.int32(), pa.string())),
        ("class_names", pa.list_(pa.string())),
        ("confidence", pa.float64()),
        ("style", pa.dictionary(pa.int32(), pa.string())),
    ]
)

_AS_READ = pa.schema(
    (item.name, item.type.value_type if pa.types.is_dictionary(item.type) else item.type)
    for item in SCHEMA
)


@dataclass(frozen=True)
class ManifestText:
    """The bytes of a manifest: in memory, or in a file on this machine."""

    stamp: str  # tells it from what it was and will be
    size: int
    body: bytes | None = None
    path: Path | None = None
    modified: int = 0  # nanoseconds, of the file

    def read(self, start: int, stop: int) -> bytes:
        """Some of it.

        Raises
        ------
        JobError
            If the file was changed since it was first read.
        """
        if self.body is not None or self.path is None:
            return (self.body or b"")[start:stop]
        try:
            with self.path.open("rb") as file:
                known = os.fstat(file.fileno())
                if (known.st_size, known.st_mtime_ns) == (self.size, self.modified):
                    file.seek(start)
                    return file.read(stop - start)
        except OSError as error:
            raise JobError(f"{self.path} cannot be read ({error.strerror})") from error
        raise JobError(f"{self.path} was changed while it was read; begin again")

    def find_line(self, start: int) -> int:
        """Where the first line begins at a byte or after it."""
        while 0 < start < self.size:
            end = self.read(start - 1, start + _BLOCK).find(b"\n")
            if end >= 0:
                return start + end
            start += _BLOCK + 1
        return min(start, self.size)


@dataclass(frozen=True)
class Part:
    """What is asked of a part of a manifest."""

    text: ManifestText
    start: int
    stop: int
    attribute: str
    job_name: str
    file: Path | None  # where the columns go; None to have them in memory


@dataclass
class PartFacts:
    """What a part tells."""

    n_numbers: int  # lines, with those that are blank
    n_lines: int
    facts: LineFacts
    damaged: list[int]  # lines that are no JSON object, counted from the part's first
    names_ids: bool  # whether any line names its data object's id


@dataclass(frozen=True)
class Columns:
    """The columns of a part: in memory, or in a Parquet file."""

    n_lines: int
    first_number: int  # lines of the manifest before it, with those that are blank
    first_position: int  # without them
    table: Any = None
    file: Path | None = None

    def read(self, columns: Sequence[str] | None = None) -> Any:
        """The table, or some of its columns."""
        if self.file is None:
            return self.table if columns is None else self.table.select(list(columns))
        with parquet.ParquetFile(self.file) as file:
            return file.read(None if columns is None else list(columns))


def read_part(part: Part) -> tuple[PartFacts, Any]:
    """Read a part of a manifest; its table too, if that is not written to a file.

    A part whose file is there is not read again.
    """
    if part.file is not None and (known := _read_kept(part.file)) is not None:
        return known, None
    found, table = _read_part(part)
    if part.file is None:
        return found, table
    with suppress(UnicodeEncodeError):  # a name has half of a character: the next command reads it
        table = table.replace_schema_metadata({_FACTS: msgspec.json.encode(found)})
    draft = part.file.with_name(f"{part.file.name}.{os.getpid()}")
    parquet.write_table(table, draft, compression="lz4", use_dictionary=["class_name", "style"])
    draft.replace(part.file)
    return found, None


def _read_kept(file: Path) -> PartFacts | None:
    try:
        metadata = parquet.read_schema(file).metadata or {}
        return msgspec.json.decode(metadata[_FACTS], type=PartFacts)
    except (OSError, KeyError, pa.ArrowException, msgspec.MsgspecError):
        return None


def _read_part(part: Part) -> tuple[PartFacts, Any]:
    body, offset = part.text.read(part.start, part.stop), part.start
    if offset == 0 and body.startswith(_MARK):
        body, offset = body.removeprefix(_MARK), len(_MARK)
    reader = LineReader(part.attribute, part.job_name)
    damaged: list[int] = []
    lines = body.removesuffix(b"\n").split(b"\n")
    starts = offset + np.cumsum([0, *map(len, lines)]) + np.arange(len(lines) + 1)
    lines = [line.rstrip(b"\r") for line in lines]
    blocks = [pa.table([[]] * len(_AS_READ), schema=_AS_READ)]
    for first in range(0, len(lines), _TOGETHER):
        texts = lines[first : first + _TOGETHER]
        numbers = np.arange(first, first + len(texts), dtype=np.int32)
        if (plain := reader.read_plain(texts)) is not None:
            sources, *others = plain
            places = starts[numbers], np.array(list(map(len, texts)), np.int32)
            columns = [numbers, pa.nulls(len(texts), pa.string()), sources, *places, *others]
            blocks.append(pa.table(columns, schema=_AS_READ))
            continue
        rows: list[tuple[Any, ...]] = []  # as in SCHEMA
        for number, text in zip(numbers.tolist(), texts, strict=True):
            values = _parse(text)
            if values is None and _is_blank(text):
                continue
            if values is None:
                damaged.append(number)
                values = {}
            own = _own_id(values) if OBJECT_ID_KEY in values else None
            row = reader.read(values)
            rows.append((number, own, source_of(values), int(starts[number]), len(text), *row))
        arrays = map(_to_array, zip(*rows, strict=True), _AS_READ.types)
        blocks += [pa.table(list(arrays), schema=_AS_READ)] if rows else []
    table = pa.concat_tables(blocks).combine_chunks().cast(SCHEMA)
    found = PartFacts(
        n_numbers=len(lines),
        n_lines=len(table),
        facts=reader.take_facts(),
        damaged=damaged,
        names_ids=table["own"].null_count < len(table),
    )
    return found, table


def _to_array(values: Sequence[Any], kind: Any) -> Any:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:  # half of a character
        return pa.array(encodable(list(values)), kind)


_decode = msgspec.json.Decoder().decode


def _parse(text: bytes) -> dict[str, Any] | None:
    """What a line says; None if it is no JSON object."""
    try:
        values = _decode(text)
    except (msgspec.MsgspecError, RecursionError):  # of what JSON is, Python reads a little more
        try:
            values = json.loads(_to_text(text))
        except (ValueError, RecursionError):
            return None
    return values if type(values) is dict else None


def _to_text(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")


def _is_blank(text: bytes) -> bool:
    return not _to_text(text).strip()


def _own_id(values: Mapping[str, Any]) -> str | None:
    """The id that a line names; None if it names none."""
    own, other = (candidate_ids(values, number, 0)[0] for number in (-1, -2))
    return own if own == other else None


@dataclass(frozen=True, eq=False)
class ManifestLines(LazySequence[OutputLine]):
    """The lines of an output manifest, each parsed when it is asked for.

    Attributes
    ----------
    facts : LineFacts
        What the lines tell of the labels under `facts.attribute`.
    """

    place: JobPlace
    text: ManifestText
    facts: LineFacts
    parts: tuple[Columns, ...]
    names_ids: bool  # whether any line names its data object's id
    kind: int = 1  # which of the lines' `candidate_ids` they have

    def __reduce__(self) -> tuple[Any, ...]:
        values = (self.place, self.text, self.facts, self.parts, self.names_ids, self.kind)
        return ManifestLines, values

    def __len__(self) -> int:
        return sum(part.n_lines for part in self.parts)

    def make_item(self, index: int) -> OutputLine:
        """See `LazySequence`."""
        (line,) = self.parse(self.read(index, index + 1, ("offset", "length")))
        return line

    def __iter__(self) -> Iterator[OutputLine]:
        for table in self.tables(("offset", "length")):
            yield from self.parse(table)

    def parse(self, table: Any) -> Iterator[OutputLine]:
        """The lines of rows of `tables`, which rise."""
        ids, offsets, lengths = (table[name].to_pylist() for name in ("id", "offset", "length"))
        if not offsets:
            return
        first = offsets[0]
        body = self.text.read(first, offsets[-1] + lengths[-1])
        for object_id, offset, length in zip(ids, offsets, lengths, strict=True):
            text = body[offset - first : offset - first + length]
            yield OutputLine(object_id, _to_text(text), _parse(text) or {})

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The lines as tables, a part of the manifest each, in order.

        Parameters
        ----------
        columns : sequence of str, optional
            Which to read, besides the id; all of them when left out.

        Yields
        ------
        pyarrow.Table
            A row a line: `id`; `source`; `offset` and `length`, in bytes, of the line in the
            manifest; `kept`, the JSON of what is not of the label, null if the line says nothing;
            `class_name` or, of a job type with several, `class_names`; `confidence` in [0, 1];
            `style`; and `label`, the JSON of value and metadata of a label that these do not tell.
            They are null where there is none.
        """
        for part in self.parts:
            yield self._read(part, columns)

    def read(self, start: int, stop: int, columns: Sequence[str] | None = None) -> Any:
        """Some rows of `tables`, as one table."""
        tables = []
        for part in self.parts:
            begin, end = (
                min(max(row - part.first_position, 0), part.n_lines) for row in (start, stop)
            )
            if begin < end:
                tables.append(self._read(part, columns).slice(begin, end - begin))
        return pa.concat_tables(tables) if tables else self._read(self.parts[0], columns)[:0]

    def _read(self, part: Columns, columns: Sequence[str] | None) -> Any:
        own = () if columns is None else ("number", "own")
        table = part.read(None if columns is None else list(dict.fromkeys((*own, *columns))))
        ids = _name_lines(table, part, self.kind)
        return pa.table(
            {
                "id": ids,
                **{
                    name: table[name]
                    for name in (columns or SCHEMA.names)
                    if columns or name not in ("number", "own")
                },
            }
        )

    @cached_property
    def ids(self) -> Any:
        """The lines' ids, a `pyarrow.ChunkedArray` of texts."""
        return self._name(self.kind)

    def _name(self, kind: int) -> Any:
        return pa.chunked_array(
            [_name_lines(part.read(("number", "own")), part, kind) for part in self.parts],
            pa.string(),
        )

    def identify(self, answered: Sequence[str] | Any, damage: DamageList) -> ManifestLines:
        """The lines under the ids that the job's answers have; answers to no line are noted.

        Parameters
        ----------
        answered : sequence of str or pyarrow.ChunkedArray
            The ids of the answers, each once.
        """
        if not len(self):
            return self
        if isinstance(answered, pa.ChunkedArray):
            known = answered.combine_chunks()
        else:
            known = _to_array(answered, pa.string())
        found = replace(self, kind=1 if self._has_one_kind() else self._choose_kind(known))
        if not found.ids.equals(pa.chunked_array([known])):
            there = pc.is_in(known, value_set=found.ids.combine_chunks())
            if strays := sorted(known.filter(pc.invert(there)).to_pylist()):
                damage.add(
                    MANIFESTS[0],
                    f"has no line of {format_count(len(strays), 'answered data object')}: "
                    f"{', '.join(strays[:SHOWN])}",
                )
        return found

    def _has_one_kind(self) -> bool:
        """Whether the `candidate_ids` of each line are the same."""
        last = self.parts[-1]
        end = last.first_number
        if last.n_lines:
            end += last.read(("number",))["number"][-1].as_py() + 1
        return not self.names_ids and end == len(self)

    def _choose_kind(self, known: Any) -> int:
        """Which of the lines' `candidate_ids` most answers have; those of a kind are unique."""
        candidates = [self._name(kind) for kind in range(3)]
        differ = pc.or_(
            pc.not_equal(candidates[0], candidates[1]), pc.not_equal(candidates[1], candidates[2])
        )
        counts = [
            pc.sum(pc.and_(differ, pc.is_in(ids, value_set=known))).as_py() for ids in candidates
        ]
        kind = counts.index(max(counts))
        return kind if len(pc.unique(candidates[kind])) == len(self) else 1

    def about(self, attribute: str, spread: Spread = map) -> ManifestLines:
        """The lines with the facts and columns of the labels under an attribute."""
        if attribute == self.facts.attribute:
            return self
        again, _ = _scan(self.place, self.text, attribute, spread)
        return replace(again, kind=self.kind)


def _name_lines(table: Any, part: Columns, kind: int) -> Any:
    """The lines' ids: the third, second or first of their `candidate_ids`."""
    if kind == 2:
        numbers = np.arange(part.first_position, part.first_position + part.n_lines)
    else:
        numbers = table["number"].to_numpy() + np.int64(part.first_number)
    names = pc.cast(pa.array(numbers), pa.string())
    return names if kind else pc.coalesce(table["own"].combine_chunks(), names)


def read_output_lines(
    place: JobPlace, damage: DamageList, attribute: str | None = None, spread: Spread = map
) -> ManifestLines | tuple[()]:
    """Read the output manifest, where it is today or was in 2019; none is noted as damage.

    Parameters
    ----------
    place : JobPlace
        The job.
    damage : DamageList
        Is told of lines that are no JSON object.
    attribute : str, optional
        The label attribute name, if it is known; else the first lines tell it.
    spread : callable, optional
        Does what `map` does for a function and its arguments, such as on several processes.
    """
    for name in MANIFESTS:
        try:
            text = _open_text(place, name)
        except StorageError as error:
            if error.reason != "not-found":
                raise
            continue
        described = place.description.attribute if place.description else None
        attribute = attribute or described or _guess_attribute(text, place.name)
        lines, damaged = _scan(place, text, attribute, spread)
        for number in damaged:
            problem = "is no JSON object; the line is kept as it is"
            damage.add(f"{name}, line {number + 1}", problem)
        return lines
    damage.add(MANIFESTS[0], "is missing")
    return ()


def _open_text(place: JobPlace, name: str) -> ManifestText:
    """Find a manifest; one in S3 that is large is copied to this machine."""
    uri = f"{place.root}/{name}"
    if isinstance(place.store, FolderStore):
        with place.open(uri) as file:
            if not isinstance(file, io.BytesIO):
                known = os.fstat(file.fileno())
                if known.st_size > SMALL:
                    path = Path(file.name)
                    stamp = f"{name} {known.st_size} {known.st_mtime_ns}"
                    return ManifestText(stamp, known.st_size, None, path, known.st_mtime_ns)
            body = file.read()
        return ManifestText(name, len(body), body)
    with tempfile.SpooledTemporaryFile(SMALL) as draft:
        for line in place.store.open_lines(uri):
            draft.write(line)
        size = draft.tell()
        draft.seek(0)
        if size <= SMALL:
            return ManifestText(name, size, draft.read())
        path = make_folder() / "output.manifest"
        with path.open("wb") as file:
            shutil.copyfileobj(draft, file)
    stamp = f"{name} {size} {place.modified(uri)}"
    return ManifestText(stamp, size, None, path, path.stat().st_mtime_ns)


def _guess_attribute(text: ManifestText, job_name: str) -> str:
    """The label attribute name that the first lines tell."""
    evidence = AttributeEvidence(job_name)
    for line in text.read(0, _BLOCK).removeprefix(_MARK).split(b"\n"):
        evidence.add(_parse(line) or {})
    try:
        return evidence.choose() or _USUAL
    except ContractError:
        return _USUAL


def _scan(
    place: JobPlace, text: ManifestText, attribute: str, spread: Spread
) -> tuple[ManifestLines, list[int]]:
    """Read a manifest part by part; also gives the numbers of lines that are no JSON object."""
    folder = None
    starts = [0]
    if text.path is not None:
        key = (FORMAT, version("groundtruth-consolidation"), text.stamp, attribute, place.name)
        folder = open_kept_folder(place, "lines", repr(key)) or make_folder()
        starts = sorted({text.find_line(at) for at in range(0, text.size, PART_SIZE)})
    parts = [
        Part(text, start, stop, attribute, place.name, folder and folder / f"{start:015}.parquet")
        for start, stop in pairwise((*starts, text.size))
    ]
    facts = LineFacts(attribute, AttributeEvidence(place.name))
    columns: list[Columns] = []
    damaged: list[int] = []
    n_numbers = n_lines = 0
    names_ids = False
    for part, (found, table) in zip(parts, spread(read_part, parts), strict=True):
        facts.merge(found.facts)
        columns.append(Columns(found.n_lines, n_numbers, n_lines, table, part.file))
        damaged += [n_numbers + number for number in found.damaged]
        n_numbers += found.n_numbers
        n_lines += found.n_lines
        names_ids |= found.names_ids
    return ManifestLines(place, text, facts, tuple(columns), names_ids), damaged


def facts_about(lines: Sequence[OutputLine], attribute: str) -> LineFacts:
    """What the lines of a job tell of the labels under an attribute."""
    if isinstance(lines, ManifestLines):
        return lines.about(attribute).facts
    if isinstance(lines, TableLines):  # which have no labels
        return LineFacts(attribute, AttributeEvidence(""))
    return collect_facts((line.values for line in lines), attribute)


def sources_of(lines: Iterable[OutputLine]) -> dict[str, str]:
    """Where the data object of each line is, or what it is, by its id."""
    if not isinstance(lines, ManifestLines):
        return {line.object_id: line.source for line in lines}
    tables = (table.to_pydict() for table in lines.tables(("source",)))
    return {
        object_id: source
        for columns in tables
        for object_id, source in zip(columns["id"], columns["source"], strict=True)
    }


def choose_attribute(
    lines: Sequence[OutputLine], place: JobPlace, option: str | None
) -> str | None:
    """The label attribute name: what --attribute says, else as described, else that of the lines.

    Raises `JobError` if the option names none, though the job's files have labels under other
    names; `ContractError` if several may be meant.
    """
    described = place.description.attribute if place.description else None
    if isinstance(lines, ManifestLines):
        facts = lines.facts
    else:
        facts = collect_facts((line.values for line in lines), option or "", place.name)
    if option is None:
        return described or facts.evidence.choose()
    told = {described} if described else facts.attributes
    if told and option not in told:
        raise JobError(
            f"--attribute is {option}, but the labels of {place.name} are under "
            f"{' and '.join(sorted(told))}; leave --attribute out, or name what the job has"
        )
    return option
