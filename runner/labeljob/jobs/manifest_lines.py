"""The lines of a manifest: read, and written again with a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundtruth.errors import ContractError
from groundtruth.finishing.manifest import compact_json
from groundtruth.finishing.manifest import read_lines as read_manifest

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
    """Read an input manifest: JSON Lines, UTF-8; blank lines are no data objects.

    Raises `ContractError`.
    """
    lines: list[ManifestLine] = []
    try:
        with path.open("rb") as file:
            for line in read_manifest(file, name=str(path)):
                where = f"{path}, line {line.number + 1}"
                if (length := len(line.text)) > MAX_LINE_LENGTH:
                    problem = f"has {length} characters, {MAX_LINE_LENGTH} at most"
                    raise ContractError(problem, path=where)
                if not isinstance(line.values.get(source_key), str):
                    raise ContractError(f'has no text "{source_key}"', path=where)
                lines.append(ManifestLine(str(len(lines)), line.text, line.values, source_key))
    except OSError as error:
        raise ContractError(f"cannot be read ({error.strerror})", path=str(path)) from error
    if not lines:
        raise ContractError("has no data objects: not one line that is not blank", path=str(path))
    return tuple(lines)


def labeled_line(line: ManifestLine, additions: Mapping[str, Any]) -> str:
    """The line with more keys; what was there is kept letter for letter where it can be."""
    if any(key in line.values for key in additions):
        kept = {key: value for key, value in line.values.items() if key not in additions}
        return compact_json({**kept, **additions})
    return f"{line.text.rstrip()[:-1].rstrip()},{compact_json(additions)[1:]}"
