"""The beginning of the page: the figures most readers come for, and the table of contents."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.report.summary_quality import birds_rows, crews_rows, quality_rows, replay_rows
from benchmarks.report.summary_speed import lambda_rows, mask_rows, speed_rows
from benchmarks.report.tables import markdown_table

type Record = Mapping[str, Any]
type Line = tuple[str, str, str]

_ROWS: Mapping[str, Callable[[Record], Iterator[Line]]] = {
    "birds": birds_rows,
    "classification-quality": quality_rows,
    "classification-replay": replay_rows,
    "synthetic": crews_rows,
    "classification-speed": speed_rows,
    "segmentation": mask_rows,
    "lambda": lambda_rows,
}


def summary(records: Mapping[str, Record]) -> list[str]:
    """A table of a few rows; no line if no result is there.

    Parameters
    ----------
    records : mapping of str to mapping
        The results by the names of their files.
    """
    found = [row for name, rows in _ROWS.items() if name in records for row in rows(records[name])]
    if not found:
        return []
    lines = ["In short; what is not shown and where we lose is said below:", ""]
    return [*lines, *markdown_table(("question", "ours", "beside it"), found, rule="---|")]


def contents(lines: Sequence[str]) -> list[str]:
    """Links to the sections of a page."""
    titles = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    return [*(f"- [{title}](#{_anchor(title)})" for title in titles), ""] if titles else []


def _anchor(title: str) -> str:
    """What a heading is called in a link."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
