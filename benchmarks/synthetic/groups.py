"""Means over groups of jobs, with intervals: the crews at one size and at all, and each kind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.common.scores import SUMMARY, item_counts, summarize, summary_draws
from benchmarks.synthetic.crews import Floats, Ints

COLUMNS = (
    *("group", "cases", "method"),
    *(f"{name}{end}" for name in SUMMARY for end in ("", "_low", "_high")),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """The data objects of jobs that differ in their seed alone, and what each method says."""

    gold: Ints
    tables: Mapping[str, Floats]  # by method


def group_rows(group: str, pools: Sequence[Pool]) -> Iterator[dict[str, Any]]:
    """Means over the pools of the methods that have all; objects are drawn again in each."""
    draws: dict[str, list[Floats]] = {}
    for number, pool in enumerate(pools):
        counts = item_counts(pool.gold.size, number)
        for method, table in pool.tables.items():
            draws.setdefault(method, []).append(summary_draws(table, pool.gold, counts))
    for method, found in draws.items():
        if len(found) == len(pools):
            yield {"group": group, "cases": len(pools), "method": method} | summarize(found)


def pool_tables(golds: Sequence[Ints], tables: Mapping[str, Sequence[Floats]]) -> Pool:
    """Put the jobs of several seeds together."""
    joined = {method: np.concatenate(found) for method, found in tables.items()}
    return Pool(gold=np.concatenate(golds), tables=joined)
