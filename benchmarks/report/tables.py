"""Markdown for docs/benchmarks.md: tables, numbers and what every figure says of its run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NAMES = {
    "ck-majority": "crowd-kit MajorityVote",
    "ck-wawa": "crowd-kit Wawa",
    "ck-dawid-skene": "crowd-kit DawidSkene",
    "ck-one-coin": "crowd-kit OneCoinDawidSkene",
    "ck-glad": "crowd-kit GLAD",
    "ck-mace": "crowd-kit MACE",
    "ck-dawid-skene-20-rounds": "crowd-kit DawidSkene, 20 rounds",
    "calibrated": "**`calibrated`** (default)",
    "builtin": "`builtin` (AWS's rule, its posterior before rounding)",
    "majority": "`majority` (the plain baseline)",
    "weighted": "`weighted`",
    "dawid-skene": "`dawid-skene`",
    "calibrated-20-rounds": "`calibrated`, 20 rounds",
    "dawid-skene-20-rounds": "`dawid-skene`, 20 rounds",
}


def name_of(method: str) -> str:
    """A method as the page calls it."""
    return NAMES.get(method, method)


def markdown_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, rule: str = "---:|"
) -> list[str]:
    """Lines of a table; all columns but the first are numbers, flush right, unless told."""
    lines = [f"| {' | '.join(headings)} |", f"|---|{rule * (len(headings) - 1)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def folded(summary: str, lines: Iterable[str]) -> list[str]:
    """Lines that are shown when the reader opens them; HTML, with Markdown inside."""
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "</details>", ""]


def number(value: float | None, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    """A difference, with its sign."""
    if value is None:
        return "-"
    text = f"{value:+.{digits}f}"
    return text if float(text) else f"{0:.{digits}f}"


def interval(row: Mapping[str, Any], name: str, *, sign: bool = False) -> str:
    """A number with its middle 95 %."""
    show = signed if sign else number
    return f"{show(row[name])} [{show(row[f'{name}_low'])}, {show(row[f'{name}_high'])}]"


def mean(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Mean over rows that have the number."""
    values = [row[name] for row in rows if row[name] is not None]
    return sum(values) / len(values) if values else None


def made_by(run: Mapping[str, Any]) -> list[str]:
    """The line that says how a figure was made, and where."""
    machine, versions = run["machine"], dict(run["versions"])
    peers = versions.pop("peers", {})
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    others = ", ".join(f"{name} {version}" for name, version in peers.items())
    place = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    lines = [f"Made by `{run['command']}` on {run['date']} ({place}; seed {run['seed']}).  "]
    lines.append(f"Versions: {used}" + (f"; peers: {others}." if others else "."))
    return [*lines, ""]
