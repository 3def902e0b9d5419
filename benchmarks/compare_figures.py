"""The figures of a benchmark's result, each under its name, and the ratios that the page states."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.common.record import rows_of
from benchmarks.report.figures import PEER
from benchmarks.scaling.curves import PAIRS

MEASURED_FILES = ("lambda",)
MEASURED_TABLES = {
    "classification-speed": ("exponents",),
    "scaling": ("exponents", "synthesis"),
    "segmentation": ("ratios",),
}
"""Files (by how their names begin) and tables that hold times and memory alone."""

_MEASURED = re.compile(r"(^|_)(seconds|repetitions|ms|mb|mib|ratio)(_|$)")
# Numbers in these columns say which row it is.
_SIZES = frozenset(
    {"answers", "bin", "call_size", "classes", "draws", "labels", "per_item", "size"}
    | {"votes", "workers"}
)
_WHY, _CUT = ("why", "seconds"), "cut off"

type Name = tuple[tuple[str, str], ...]
type Row = Mapping[str, Any]


def quality(file: str, record: Row) -> dict[Name, Any]:
    """Every figure that a second run has to give again.

    Parameters
    ----------
    file : str
        The result's name, without its ending.
    record : mapping
        The result.

    Returns
    -------
    dict
        Value by name: the file, the table, the row by its texts and sizes, and the column. Times
        and memory are left out, and so is the record of the run.
    """
    if file.startswith(MEASURED_FILES):
        return {}
    left_out = ("run", "cut_off", *MEASURED_TABLES.get(file, ()))
    found: dict[Name, Any] = {}
    for table, value in record.items():
        if table not in left_out and not _MEASURED.search(table):
            seen: Counter[Name] = Counter()
            for row in _rows(value):
                key = tuple((name, str(v)) for name, v in row.items() if _is_key(name, v))
                seen[key] += 1
                again = (("again", str(seen[key])),) if seen[key] > 1 else ()
                where = (("file", file), ("table", table), *key, *again)
                found |= {
                    (*where, ("figure", name)): v
                    for name, v in row.items()
                    if not _is_key(name, v) and not _MEASURED.search(name)
                }
    return found


def cut_off(record: Row) -> list[Row]:
    """Cases of peers that were ended after some CPU seconds: how far they come is chance."""
    entries = _rows(record.get("cut_off", []))
    ended = (entry for entry in entries if str(entry.get("why", _CUT)).startswith(_CUT))
    return [{k: str(v) for k, v in entry.items() if k not in _WHY} for entry in ended]


def is_cut_off(name: Name, entries: Sequence[Row]) -> bool:
    """Whether a figure is of a case in `entries`, or of a mean that such a case is part of."""
    row = dict(name)
    return any(
        "method" in row and all(row[key] == value for key, value in entry.items() if key in row)
        for entry in entries
    )


def ratios(file: str, record: Row) -> dict[str, float]:
    """The ratios of CPU times that the page states, a peer's to ours in the same case."""
    if file == "segmentation":
        return {row["figure"]: row["ratio"] for row in record["ratios"]}
    if file == "classification-speed":
        return dict(_of_speed(rows_of(record["times"])))
    return dict(_of_scaling(rows_of(record["times"]))) if file == "scaling" else {}


def _of_speed(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    peers = {(r["answers"], r["classes"]): r["cpu_seconds"] for r in rows if r["method"] == PEER}
    for row in rows:
        case = (row["answers"], row["classes"])
        if row["method"] != PEER and case in peers:
            name = f"{PEER} / {row['method']}, {case[0]:,} answers, {case[1]} classes"
            yield name, peers[case] / row["cpu_seconds"]


def _of_scaling(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    found = {(row["curve"], row["size"], row["method"]): row["cpu_seconds"] for row in rows}
    for (curve, size, method), seconds in found.items():
        for peer, ours in PAIRS.get(curve, ()):
            if method == ours and (curve, size, peer) in found:
                yield f"{peer} / {ours}, {curve} {size:,}", found[curve, size, peer] / seconds


def _rows(value: Any) -> list[Row]:
    """A part of a result as rows without rows in them."""
    if isinstance(value, Mapping) and "columns" in value:
        return [_flat(row) for row in rows_of(value)]
    if isinstance(value, Mapping):
        return [_flat(value)]
    if isinstance(value, list) and all(isinstance(row, Mapping) for row in value):
        return [_flat(row) for row in value]
    return [{"value": value}]


def _flat(row: Row, before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        found |= (
            _flat(value, f"{before}{name}.")
            if isinstance(value, Mapping)
            else {f"{before}{name}": value}
        )
    return found


def _is_key(name: str, value: Any) -> bool:
    return isinstance(value, str) or name in _SIZES
