"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from groundtruth.errors import GroundTruthError

STANDARD_OUTPUT = Path("-")


class OutputError(GroundTruthError):
    """A file cannot be written; the text names it and says why."""


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, with the folders above it; ``-`` is standard output.

    A file that was there stays as it was until the new one is complete.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if path == STANDARD_OUTPUT:
        sys.stdout.write(text)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text.encode("utf-8"))
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _replace(path: Path, body: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
        draft.chmod(0o644)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
