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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.compare_figures import Name, cut_off, is_cut_off, quality, ratios

MOVED = 1.15
MOST_LINES = 60
_NOWHERE = object()


@dataclass
class Comparison:
    """What two folders of results have in common.

    Attributes
    ----------
    equal : int
        Quality figures that are the same.
    differing : list of str
        A line for each one that is not, or that only one folder has.
    cut_off : int
        Figures that differ, but are those of peers that were cut off.
    ratios : int
        Ratios in both folders.
    moved : list of str
        A line for each ratio that moved by more than 15 %.
    alone : list of str
        Files in one folder only, which are not compared.
    """

    equal: int = 0
    differing: list[str] = field(default_factory=list)
    cut_off: int = 0
    ratios: int = 0
    moved: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)


def compare(old: Path, new: Path) -> Comparison:
    """Compare the results in two folders.

    Raises
    ------
    FileNotFoundError
        If the folders have no file of results in common.
    """
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
