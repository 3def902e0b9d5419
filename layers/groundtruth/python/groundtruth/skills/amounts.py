"""Amounts as whole numbers, so that a sum does not depend on its order."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from typing import Any

from groundtruth.skills.store import Amounts, History, SkillStoreError

PER_ONE = 1_000_000
"""Amounts are counted in millionths."""

LARGEST_AMOUNT = 1e6
LONGEST_CELL = 255

type Cells = dict[str, int]
"""Whole number by cell."""

type Units = dict[str, Cells]
"""Whole number by worker and cell."""


def whole_contributions(contributions: Mapping[str, Amounts]) -> dict[str, Units]:
    """Contributions in millionths; what rounds to zero is left out, up to whole objects.

    Raises
    ------
    ValueError
        If a cell is empty or too long, or an amount is negative, not finite or too large.

    Examples
    --------
    >>> whole_contributions({"7": {"ann": {"0:0": 0.75, "0:1": 0.0}, "bob": {}}, "8": {}})
    {'7': {'ann': {'0:0': 750000}}}
    """
    objects = {}
    for object_id, workers in contributions.items():
        units = {}
        for worker, cells in workers.items():
            numbers = {cell: _whole(cell, amount) for cell, amount in cells.items()}
            if kept := {cell: number for cell, number in numbers.items() if number}:
                units[worker] = kept
        if units:
            objects[object_id] = units
    return objects


def _whole(cell: str, amount: float) -> int:
    if not 1 <= len(cell.encode("utf-8")) <= LONGEST_CELL:
        raise ValueError(f"a cell has from 1 to {LONGEST_CELL} bytes, not {cell[:20]!r}…")
    if not (math.isfinite(amount) and 0 <= amount <= LARGEST_AMOUNT):
        raise ValueError(f"an amount is from 0 to {LARGEST_AMOUNT:g}, not {amount}")
    return round(amount * PER_ONE)


def as_history(units: Units, workers: Mapping[str, Any]) -> History:
    """History of the workers asked for, from millionths."""
    return History(
        {
            worker: {cell: units / PER_ONE for cell, units in units.get(worker, {}).items()}
            for worker in workers
        }
    )


def packed(units: Units) -> bytes:
    """Millionths as bytes: compressed, the same for the same content."""
    text = json.dumps(units, separators=(",", ":"), sort_keys=True)
    return zlib.compress(text.encode("ascii"), level=6)


def unpacked(content: bytes) -> Units:
    """Millionths from bytes.

    Raises
    ------
    SkillStoreError
        With reason ``damaged`` if these are no bytes of `packed`.
    """
    try:
        units: Units = json.loads(zlib.decompress(content))
    except (zlib.error, ValueError) as error:
        raise SkillStoreError("a kept answer is damaged", reason="damaged") from error
    return units
