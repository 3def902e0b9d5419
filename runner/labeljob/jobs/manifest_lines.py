"""The lines of a manifest: read, and written again with a label."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundtruth.errors import ContractError

MAX_LINE_LENGTH = 100_000


@dataclass(frozen=True)
class ManifestLine:
    """One data object."""

    object_id: str  # its line number from 0, which is the service's `datasetObjectId`
    text: str  # the line as it stands in the file
    values: Mapping[str, Any]  # the line, read
    # what says which data object it is: ``source-ref``, or ``source`` where the line holds it
    source_key: str = "source-ref"

    @property
    def source_ref(self) -> str:
        """Where the data object is, or the data object itself."""
        return str(self.values[self.source_key])


def read_lines(path: Path, source_key: str = "source-ref") -> tuple[ManifestLine, ...]:
    """Read an input manifest: JSON Lines, UTF-8; empty lines at its end are let pass.

    Raises `ContractError`.
    """
    lines: list[ManifestLine] = []
    try:
        texts = path.read_text(encoding="utf-8-sig").rstrip().split("\n")
    except UnicodeDecodeError as error:
        raise ContractError(f"is not UTF-8 ({error.reason})", path=str(path)) from error
    except OSError as error:
        raise ContractError(f"cannot be read ({error.strerror})", path=str(path)) from error
    for number, text in enumerate(texts):
        where = f"{path}, line {number + 1}"
        values = _values(text.rstrip("\r"), source_key, where)
        lines.append(ManifestLine(str(number), text.rstrip("\r"), values, source_key))
    return tuple(lines)


def _values(text: str, source_key: str, where: str) -> Mapping[str, Any]:
    if len(text) > MAX_LINE_LENGTH:
        raise ContractError(f"has {len(text)} characters, {MAX_LINE_LENGTH} at most", path=where)
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ContractError(f"is not JSON ({error})", path=where) from error
    if not isinstance(values, dict) or not isinstance(values.get(source_key), str):
        raise ContractError(f'is no JSON object with a text "{source_key}"', path=where)
    return values


def labeled_line(line: ManifestLine, additions: Mapping[str, Any]) -> str:
    """The line with more keys; what was there is kept letter for letter where it can be."""
    if any(key in line.values for key in additions):
        kept = {key: value for key, value in line.values.items() if key not in additions}
        return compact_json({**kept, **additions})
    return f"{line.text.rstrip()[:-1].rstrip()},{compact_json(additions)[1:]}"


def compact_json(value: Any) -> str:
    """JSON on one line without blanks, as the service writes manifests."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
