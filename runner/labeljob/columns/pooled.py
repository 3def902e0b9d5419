"""The answers of several rounds as columns of one job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from labeljob.columns.answers import AnswerColumns, collect_answers
from labeljob.columns.kept import make_folder
from labeljob.columns.merging import CHUNK, ChunkOfParts, MergedParts
from labeljob.columns.parts import OBJECTS, PartRead


def pool_answers(
    rounds: Sequence[AnswerColumns], new_ids: Sequence[Mapping[str, str]]
) -> AnswerColumns:
    """Put the answers of rounds to the same data objects together.

    They are in the order of time where all answers to a data object have one, else in that of the
    rounds.

    Parameters
    ----------
    rounds : sequence of AnswerColumns
        The answers of each round.
    new_ids : sequence of mapping of str to str
        By round the pooled id of each data object; those without one are left out.
    """
    parts = [
        part for columns, ids in zip(rounds, new_ids, strict=True) for part in _rename(columns, ids)
    ]
    is_large = sum(columns.n_answers for columns in rounds) > CHUNK
    folder = make_folder() if is_large else None
    return collect_answers(_PooledParts(parts, (), joined=True), folder)


def _rename(columns: AnswerColumns, new_ids: Mapping[str, str]) -> Iterator[PartRead]:
    """The answers of a round, chunk by chunk, under the pooled ids."""
    ids = pa.array([new_ids.get(object_id) for object_id in columns.object_ids], pa.string())
    is_known = ids.is_valid().to_numpy(zero_copy_only=False)
    counts = columns.objects["answers"].to_numpy()
    for chunk in columns.iter_chunks():
        kept = np.flatnonzero(is_known[chunk.start : chunk.stop]) + chunk.start
        rows = np.flatnonzero(is_known[chunk.object])
        yield PartRead(
            objects=pa.table(
                [ids.take(pa.array(kept)), pa.nulls(kept.size, pa.string()), counts[kept]],
                schema=OBJECTS,
            ),
            answers=chunk.table.drop_columns("object").take(pa.array(rows)),
            workers=columns.codes.workers,
            names=columns.codes.names,
            reasons=columns.codes.reasons,
        )


class _PooledParts(MergedParts):
    """Answers of rounds, of which each data object's are put in the order of time."""

    def divide(self) -> list[ChunkOfParts]:
        """Where the answers of each chunk are."""
        return [_TimedChunk(**vars(chunk)) for chunk in super().divide()]


class _TimedChunk(ChunkOfParts):
    def read(self) -> pa.Table:
        """The answers, in the order of the data objects."""
        table = super().read()
        objects = table["object"].to_numpy() - self.start
        has_time = pc.is_valid(table["submitted"]).to_numpy()
        times = table["submitted"].cast(pa.int64()).fill_null(0).to_numpy()
        is_timed = np.bincount(objects, ~has_time) == 0
        order = np.lexsort((np.where(is_timed[objects], times, 0), objects))
        return table.take(pa.array(order))
