"""The parts of a job's answers, put in the order of its data objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from labeljob.columns.parts import ANSWERS, NONE, Ints, PartRead, load_table

Key = TypeVar("Key")

CHUNK = 250_000
"""Answers in a chunk, more or less: those to a data object stay together."""

OBJECTS = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("answers", pa.int32()),
        ("is_read", pa.bool_()),
    ]
)
ANSWERS_BY_OBJECT = pa.schema([("object", pa.int32()), *ANSWERS])

_PLAIN_NUMBER = "^(0|[1-9][0-9]{0,17})$"


@dataclass(frozen=True, kw_only=True)
class Codes:
    """What the numbers in the answers mean.

    Attributes
    ----------
    workers : tuple of str
        Who answered, in sorted order.
    names : tuple of tuple of str
        What was said: each list of names that an answer gives, once, in the order of the files.
    reasons : tuple of str
        Why answers are set aside, each once.
    """

    workers: tuple[str, ...] = ()
    names: tuple[tuple[str, ...], ...] = ()
    reasons: tuple[str, ...] = ()


class MergedParts:
    """The parts of a job, each data object once, sorted as `AnswerFiles.object_ids` says.

    Parameters
    ----------
    parts : sequence of PartRead
        In the order of the files.
    unread : sequence of str
        Data objects that no file could be read of.
    joined : bool, optional
        Whether several entries of a data object count together; else the last one counts.
    """

    def __init__(
        self, parts: Sequence[PartRead], unread: Sequence[str], *, joined: bool = False
    ) -> None:
        self.codes = Codes(
            workers=tuple(sorted({name for part in parts for name in part.workers} - {""})),
            names=tuple(dict.fromkeys(names for part in parts for names in part.names)),
            reasons=tuple(dict.fromkeys(reason for part in parts for reason in part.reasons)),
        )
        self._parts = parts
        entries = pa.concat_tables([load_table(part.objects) for part in parts])
        missing = pa.table({"id": pa.array(unread, pa.string())})
        entries = pa.concat_tables([entries, missing], promote_options="default")
        n_read = len(entries) - len(unread)
        counts = entries["answers"].fill_null(0).to_numpy().astype(np.int64)
        self._rows_before = np.concatenate([[0], np.cumsum(counts)])
        order, is_new = _sort(entries["id"].combine_chunks())
        last = order[np.concatenate([is_new[1:], np.ones(min(1, len(order)), np.bool_)])]
        if joined:
            self._objects = np.cumsum(is_new) - 1
            told = pc.is_valid(entries["source"]).to_numpy()[order]
            sources = last.copy()
            sources[self._objects[told]] = order[told]  # the last that tells it
        else:
            order, self._objects, sources = last, np.arange(len(last)), last
        self._order = order
        self._counts = counts
        self.n_answers = np.bincount(self._objects, counts[order], len(last)).astype(np.int64)
        self.chunks = _split(self.n_answers)
        entries = entries.select(["id", "source"]).combine_chunks()
        self.objects = pa.table(
            {
                "id": entries["id"].take(pa.array(last)),
                "source": entries["source"].take(pa.array(sources)),
                "answers": self.n_answers.astype(np.int32),
                "is_read": last < n_read,
            },
            schema=OBJECTS,
        )

    def divide(self) -> list[ChunkOfParts]:
        """Where the answers of each chunk are; another process can read them."""
        tables = [_Recoded.of_part(part, self.codes) for part in self._parts]
        first_rows = np.cumsum([0, *(len(load_table(part.answers)) for part in self._parts)])
        chunks = []
        for start, stop in self.chunks:
            begin, end = np.searchsorted(self._objects, [start, stop]).tolist()
            entries = self._order[begin:end]
            starts, counts = self._rows_before[entries], self._counts[entries]
            needed = np.searchsorted(first_rows, starts[counts > 0], side="right") - 1
            chunks.append(
                ChunkOfParts(
                    start=start,
                    n_answers=self.n_answers[start:stop].astype(np.int32),
                    starts=starts,
                    counts=counts.astype(np.int32),
                    tables={number: tables[number] for number in np.unique(needed).tolist()},
                    first_rows=first_rows,
                )
            )
        return chunks


@dataclass(frozen=True, kw_only=True, eq=False)
class ChunkOfParts:
    """The answers of a chunk, in the parts that have some of them.

    Attributes
    ----------
    start : int
        Number of the first data object.
    n_answers : ndarray of int, shape (n_objects,)
        How many each has.
    starts, counts : ndarray of int, shape (n_entries,)
        First row, numbered through all parts, and how many rows each entry has.
    tables : dict of int to _Recoded
        The parts' answers, by the parts' numbers.
    first_rows : ndarray of int, shape (n_parts + 1,)
        Row of the first answer of each part.
    """

    start: int
    n_answers: Ints
    starts: NDArray[np.int64]
    counts: Ints
    tables: Mapping[int, _Recoded]
    first_rows: NDArray[np.int64]

    def read(self) -> pa.Table:
        """The answers, in the order of the data objects."""
        rows = _expand(self.starts, self.counts)
        numbers = np.arange(self.start, self.start + len(self.n_answers), dtype=np.int32)
        objects = pa.array(np.repeat(numbers, self.n_answers))
        return _take(self.tables, self.first_rows, rows).add_column(0, "object", objects)


def _sort(ids: pa.StringArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The order of ids, equal ones in the order they have, and which differ from the one before.

    Numbers come first, in their order, then all else by length and by letter.
    """
    if len(ids) and pc.all(pc.match_substring_regex(ids, _PLAIN_NUMBER)).as_py():
        numbers = ids.cast(pa.int64()).to_numpy(zero_copy_only=False)
        if (numbers[1:] > numbers[:-1]).all():
            return np.arange(len(ids)), np.ones(len(ids), np.bool_)
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
        return order, np.concatenate([[True], numbers[1:] != numbers[:-1]])
    keys = pa.table(
        {
            "is_name": pc.invert(pc.utf8_is_decimal(ids)),
            "length": pc.utf8_length(ids),
            "id": ids,
            "position": pa.array(np.arange(len(ids))),
        }
    )
    order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])
    order = order.to_numpy().astype(np.int64)
    ids = ids.take(pa.array(order))
    is_new = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return order, np.concatenate([np.ones(min(1, len(ids)), np.bool_), is_new])


def _split(n_answers: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of data objects with about `CHUNK` answers each."""
    if not len(n_answers):
        return []
    ends = np.cumsum(n_answers)
    n_chunks = max(1, round(int(ends[-1]) / CHUNK))
    marks = np.arange(1, n_chunks) * (int(ends[-1]) / n_chunks)
    inner = np.searchsorted(ends, marks, side="left") + 1
    edges = np.unique(np.concatenate([[0], inner, [len(n_answers)]])).astype(int).tolist()
    return list(pairwise(edges))


def _expand(starts: NDArray[np.int64], counts: NDArray[Any]) -> NDArray[np.int64]:
    """The rows from each start on, as many as its count says."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Recoded:
    """The answers of a part, with the codes that all parts have."""

    answers: pa.Table | Path
    maps: Mapping[str, Ints]

    @classmethod
    def of_part(cls, part: PartRead, codes: Codes) -> Self:
        return cls(
            answers=part.answers,
            maps={
                "worker": _map_codes(part.workers, codes.workers),
                "names": _map_codes(part.names, codes.names),
                "reason": _map_codes(part.reasons, codes.reasons),
            },
        )

    def take(self, rows: NDArray[np.int64]) -> pa.Table:
        """Rows by their numbers, with all columns."""
        table = load_table(self.answers)
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and (np.diff(rows) == 1).all():
            table = table.slice(int(rows[0]), len(rows))
        else:
            table = table.take(pa.array(rows))
        columns = []
        for column in ANSWERS:
            if column.name in self.maps:
                if column.name in table.column_names:
                    own = table[column.name].to_numpy()
                    values = self.maps[column.name][own]
                else:
                    values = np.full(len(table), NONE)
                columns.append(pa.array(values.astype(column.type.to_pandas_dtype())))
            elif column.name in table.column_names:
                columns.append(table[column.name].cast(column.type))
            else:
                columns.append(pa.nulls(len(table), column.type))
        return pa.table(columns, schema=ANSWERS)


def _map_codes(own: Sequence[Key], all_keys: Sequence[Key]) -> Ints:
    """Codes of all parts by those of one; its last entry, which -1 finds, is `NONE`."""
    code_of = {key: code for code, key in enumerate(all_keys)}
    return np.array([*(code_of.get(key, NONE) for key in own), NONE], np.int32)


def _take(
    tables: Mapping[int, _Recoded], first_rows: NDArray[np.int64], rows: NDArray[np.int64]
) -> pa.Table:
    """Rows of all parts, numbered through."""
    owner = np.searchsorted(first_rows, rows, side="right") - 1
    order = np.argsort(owner, kind="stable")
    pieces = []
    for number in np.unique(owner).tolist():
        own = rows[owner == number] - first_rows[number]
        pieces.append(tables[number].take(own))
    if not pieces:
        return ANSWERS.empty_table()
    table = pa.concat_tables(pieces).combine_chunks()
    if (np.diff(order) == 1).all():
        return table
    inverse = np.empty(len(order), np.int64)
    inverse[order] = np.arange(len(order))
    return table.take(pa.array(inverse))
