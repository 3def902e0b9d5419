"""What a command tells the person: on standard error, so that standard output stays clean."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    track,
)
from rich.table import Table
from rich.text import Text

from groundtruth.errors import GroundTruthError
from labeljob.output_files import escape_halves

Item = TypeVar("Item")

console = Console(stderr=True)

_WIDTH_OF_A_FILE = 10_000


def problem(text: str) -> None:
    """Say what is wrong, in one line."""
    _line("error", "bold red", text)


def warning(text: str) -> None:
    """Say what may not be as the person wants it, in one line."""
    _line("warning", "yellow", text)


def note(text: str) -> None:
    """Say something good to know, in one line."""
    _line("note", "cyan", text)


def done(text: str) -> None:
    """Say what was made, in one line."""
    console.print(Text(printable(text)), soft_wrap=True)


def table(title: str, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Show rows under headings; long texts are folded in a terminal, and none is cut."""
    grid = Table(title=title, title_justify="left", title_style="bold")
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    width = None if console.is_terminal else _WIDTH_OF_A_FILE
    Console(stderr=True, width=width).print(grid)


def progress(items: Sequence[Item], title: str) -> Iterable[Item]:
    """The items, with a bar that grows as they are taken; no bar outside a terminal."""
    return track(items, title, console=console, transient=True, disable=not console.is_terminal)


class Advance(Protocol):
    """Moves a bar on."""

    def __call__(self, count: int = 1) -> None:
        """Move it on by so many items."""


@contextmanager
def show_progress(title: str, total: int, *, transient: bool = True) -> Iterator[Advance]:
    """A bar that grows with each call of what it gives; none outside a terminal.

    A full one begins again, for what goes over its objects twice.
    """
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=console,
        transient=transient,
        disable=not console.is_terminal,
    )
    with progress:
        task = progress.add_task(title, total=total)

        def advance(count: int = 1) -> None:
            if progress.finished:
                progress.reset(task)
            progress.advance(task, count)

        yield advance


@contextmanager
def exit_on_error() -> Iterator[None]:
    """End the command with what is wrong, in one line, at a `GroundTruthError`."""
    try:
        yield
    except GroundTruthError as error:
        problem(str(error))
        raise typer.Exit(1) from error


def print_json(values: Any, *, ascii_only: bool = False) -> None:
    """Print a result as JSON on standard output."""
    typer.echo(escape_halves(json.dumps(values, indent=2, ensure_ascii=ascii_only)))


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows with the same keys as CSV on standard output; lists in them are JSON."""
    if not rows:
        return
    writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                key: json.dumps(value) if isinstance(value, (list, dict)) else value
                for key, value in row.items()
            }
        )


def format_count(number: int, noun: str, plural: str = "") -> str:
    """A number with what it counts, in words; `plural` if it is not the noun and an s.

    Examples
    --------
    >>> format_count(1, "answer"), format_count(12, "answer"), format_count(0, "copy", "copies")
    ('1 answer', '12 answers', '0 copies')
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def printable(text: str) -> str:
    r"""The text with every character that a terminal would obey written as an escape.

    Examples
    --------
    >>> print(printable("naïve\x1b[31m.jpg"))
    naïve\x1b[31m.jpg
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _line(kind: str, style: str, text: str) -> None:
    console.print(Text.assemble((f"{kind}: ", style), printable(text)), soft_wrap=True)
