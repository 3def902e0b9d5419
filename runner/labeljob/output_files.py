"""Writing a file or a folder whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundtruth.errors import GroundTruthError
from groundtruth.storage.folder import PART_PREFIX, remove_parts

STANDARD_OUTPUT = Path("-")


class OutputError(GroundTruthError):
    """A file cannot be written; the text names it and says why."""


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, with the folders above it; ``-`` is standard output.

    A file that was there stays as it was until the new one is complete. A half of a surrogate
    pair, which no file can hold, becomes its escape.

    Raises `OutputError` if it cannot be written.
    """
    text = escape_halves(text)
    if path == STANDARD_OUTPUT:
        sys.stdout.write(text)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text.encode())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _replace(path: Path, body: bytes) -> None:
    remove_parts(path.parent, deep=False)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_part_prefix())
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
        draft.chmod(0o644)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def draft_folder(folder: Path) -> Iterator[Path]:
    """A new folder for files that come into `folder` at the end, and nowhere if that fails.

    Files of the same names are replaced, others stay.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    target = folder.resolve()
    beside = next(parent for parent in target.parents if parent.exists())
    if target.is_dir() and not os.access(beside, os.W_OK):
        beside = target
    try:
        remove_parts(beside, deep=False)
        with tempfile.TemporaryDirectory(dir=beside, prefix=_part_prefix()) as name:
            draft = Path(name) / target.name
            draft.mkdir()
            yield draft
            for path in sorted(draft.rglob("*")):
                place = target / path.relative_to(draft)
                if path.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                else:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(path, place)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error


def _part_prefix() -> str:
    return f"{PART_PREFIX}{os.getpid()}-"


def escape_halves(text: str) -> str:
    r"""The text with each half of a surrogate pair, which JSON can hold and no file, as its escape.

    Examples
    --------
    >>> print(escape_halves("dog\ud83d, Bläßhuhn"))
    dog\ud83d, Bläßhuhn
    """
    return text.encode(errors="backslashreplace").decode()
