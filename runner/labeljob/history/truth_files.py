"""True labels from a file: JSON Lines, a JSON list, or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from labeljob.history.output_labels import OutputLine
from labeljob.simulation.truth import TruthError, read_truth
from labeljob.tasks.base import JobType, Truth

SEPARATOR = ";"
"""Between the labels of one image in a CSV file."""

_ITEM_KEYS = ("ImageId", "item", "image", "id", "source-ref")
_LABEL_KEYS = ("Label", "label", "labels", "class")


def read_truths(
    path: Path, job_type: JobType, classes: Sequence[str], lines: Iterable[OutputLine]
) -> Mapping[str, Truth]:
    """The truth of data objects, by their ids.

    Parameters
    ----------
    path : Path
        JSON Lines as `labeljob run --truth` takes them (``source-ref`` and ``label``, ``labels``
        or ``mask``); a JSON list of ``{"ImageId": …, "Label": …}``; or CSV with the columns
        ``item,label``. Several labels of one image are a JSON list, or one CSV cell with
        semicolons between them.
    job_type : JobType
        The job type.
    classes : sequence of str
        In label order.
    lines : iterable of OutputLine
        The data objects. One is found by its URI, its file name with or without its suffix, or
        its number, whichever comes first in the file.

    Raises
    ------
    TruthError
        If the file cannot be used, or names none of the data objects.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TruthError(f"cannot be read ({error})", path=path) from error
    start = text.lstrip()[:1]
    table: Mapping[str, Truth]
    if start == "{":
        table = read_truth(path, job_type, classes)
    else:
        records = _json_records(text, path) if start == "[" else _csv_records(text, path)
        table = dict(_checked(records, job_type, classes, path))
    found = {}
    for line in lines:
        for name in _names_of(line):
            if name in table:
                found[line.object_id] = table[name]
                break
    if not found:
        raise TruthError("names none of the job's data objects", path=path)
    return found


def _names_of(line: OutputLine) -> tuple[str, ...]:
    name = PurePosixPath(line.source)
    return (line.source, name.name, name.stem, line.object_id)


def _json_records(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    try:
        records = json.loads(text)
    except ValueError as error:
        raise TruthError(f"is not JSON ({error})", path=path) from error
    for at, record in enumerate(records, start=1):
        item = _first(record, _ITEM_KEYS)
        if item is None:
            raise TruthError(f"entry {at} has none of {', '.join(_ITEM_KEYS)}", path=path)
        yield str(item), _first(record, _LABEL_KEYS)


def _csv_records(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    for at, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not row or (at == 1 and [cell.strip().lower() for cell in row[:2]] == ["item", "label"]):
            continue
        if len(row) < 2:
            raise TruthError("has no second column, the label", path=path, line=at)
        yield row[0], [name.strip() for name in row[1].split(SEPARATOR)]


def _first(record: Any, keys: Sequence[str]) -> Any:
    values = record if isinstance(record, dict) else {}
    return next((values[key] for key in keys if key in values), None)


def _checked(
    records: Iterable[tuple[str, Any]], job_type: JobType, classes: Sequence[str], path: Path
) -> Iterator[tuple[str, Truth]]:
    if not job_type.classifies:
        raise TruthError("the truth of masks is JSON Lines with source-ref and mask", path=path)
    for item, value in records:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names:
            raise TruthError(f"the label of {item} is no name: {value!r}", path=path)
        if unknown := [name for name in names if name not in classes]:
            raise TruthError(
                f"{unknown[0]!r} (of {item}) is not a label ({', '.join(classes)})", path=path
            )
        try:
            yield item, job_type.name_truth(names)
        except ValueError as error:
            raise TruthError(f"{item} {error}", path=path) from error
