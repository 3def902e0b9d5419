"""Whether a second run reproduces a first one.

    python -m benchmarks.compare OLD_FOLDER NEW_FOLDER

Reads the results (*.json) in both folders. Prints every quality figure that differs, of which
there must be none, and every ratio of CPU times stated on the page that moved by more than 15 %.
Exits with 1 if a quality figure differs; a ratio on a busy machine is no reason.

Figures of peers that were cut off after some CPU seconds may differ and are counted apart. Times
and memory themselves are not compared: they are those of a machine.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.common.record import rows_of
from benchmarks.report.figures import PEER
from benchmarks.scaling.__main__ import PAIRS

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

Name: TypeAlias = tuple[tuple[str, str], ...]
Row: TypeAlias = Mapping[str, Any]


def quality(file: str, record: Row) -> dict[Name, Any]:
    """Every figure that a second run has to give again."""
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


MOVED = 1.15
MOST_LINES = 60
_NOWHERE = object()


@dataclass
class Comparison:
    """What two folders of results have in common."""

    equal: int = 0  # quality figures that are the same
    differing: list[str] = field(default_factory=list)
    cut_off: int = 0  # figures that differ, but are those of peers that were cut off
    ratios: int = 0  # ratios in both folders
    moved: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)


def compare(old: Path, new: Path) -> Comparison:
    """Compare the results in two folders."""
    names = [{path.stem for path in folder.glob("*.json")} for folder in (old, new)]
    if not names[0] & names[1]:
        raise FileNotFoundError(f"{old} and {new} have no results (*.json) in common")
    found = Comparison(alone=sorted(names[0] ^ names[1]))
    for name in sorted(names[0] & names[1]):
        first, second = (
            json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            for folder in (old, new)
        )
        _compare_quality(name, first, second, found)
        _compare_ratios(ratios(name, first), ratios(name, second), found)
    return found


def report(found: Comparison) -> Iterator[str]:
    """Lines on a comparison; the first ones are the findings, the last one adds up."""
    yield from (f"not compared, in one folder only: {name}.json" for name in found.alone)
    yield from found.differing[:MOST_LINES]
    if len(found.differing) > MOST_LINES:
        yield f"… and {len(found.differing) - MOST_LINES} quality figures more"
    yield from found.moved
    yield (
        f"{found.equal} quality figures equal, {len(found.differing)} differ, {found.cut_off} of "
        f"peers that were cut off differ; {len(found.moved)} of {found.ratios} ratios moved by "
        "more than 15 %"
    )


def main() -> None:
    """Compare the folders that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("old", type=Path, help="folder of the first run's results")
    parser.add_argument("new", type=Path, help="folder of the second run's results")
    options = parser.parse_args()
    try:
        found = compare(options.old, options.new)
    except FileNotFoundError as error:
        parser.error(str(error))
    print("\n".join(report(found)))
    if found.differing:
        raise SystemExit(1)


def _compare_quality(
    file: str, old: Mapping[str, Any], new: Mapping[str, Any], found: Comparison
) -> None:
    first, second = quality(file, old), quality(file, new)
    ended = [*cut_off(old), *cut_off(new)]
    for name in dict.fromkeys([*first, *second]):
        was, now = first.get(name, _NOWHERE), second.get(name, _NOWHERE)
        if was == now:
            found.equal += 1
        elif is_cut_off(name, ended):
            found.cut_off += 1
        else:
            found.differing.append(f"{_told(name)}: {_shown(was)} -> {_shown(now)}")


def _compare_ratios(old: Mapping[str, float], new: Mapping[str, float], found: Comparison) -> None:
    for name in old.keys() & new.keys():
        found.ratios += 1
        if max(old[name], new[name]) > MOVED * min(old[name], new[name]):
            change = 100 * (new[name] / old[name] - 1)
            line = f"ratio {name}: {old[name]:.3g} -> {new[name]:.3g} ({change:+.0f} %)"
            found.moved.append(line)
    found.moved.sort()


def _told(name: Name) -> str:
    (_, file), (_, table), *row, (_, figure) = name
    where = "".join(f", {key} {value}" for key, value in row)
    return f"{file}, {table}{where}: {figure}"


def _shown(value: Any) -> str:
    return "not there" if value is _NOWHERE else str(value)


if __name__ == "__main__":
    main()
