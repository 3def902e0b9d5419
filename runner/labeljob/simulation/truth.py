"""What a perfect worker would answer: read from a file, or invented.

A truth file is JSON Lines, one data object a line, found by its ``source-ref``::

    {"source-ref": "s3://bucket/images/1.jpg", "label": "cat"}
    {"source-ref": "s3://bucket/images/1.jpg", "labels": ["cat", "grass"]}
    {"source-ref": "s3://bucket/images/1.jpg", "mask": "masks/1.png"}

A mask lies at a path relative to the truth file: a PNG in mode P or grey (8 bits), whose pixel
is 0 for background, else the class's index in the label category file + 1.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from labeljob.simulation.masks import star_shapes
from labeljob.simulation.workers import generator

type Truth = str | frozenset[str] | NDArray[np.uint8]
"""A class's name, the set of labels that apply, or a mask of class indices."""

TASKS = ("image-multi-class", "image-multi-class-multi-label", "semantic-segmentation")

_MEMBER = dict(zip(TASKS, ("label", "labels", "mask"), strict=True))


class TruthError(ValueError):
    """A truth file cannot be used; the text names file, line and problem.

    Attributes
    ----------
    path : Path
        The truth file.
    line : int
        Counted from 1; 0 if it is the file as a whole.
    """

    def __init__(self, problem: str, *, path: Path, line: int = 0) -> None:
        super().__init__(f"{path}{f', line {line}' if line else ''}: {problem}")
        self.path = path
        self.line = line


@dataclass(frozen=True)
class _MaskFile:
    file: Path
    line: int


class TruthTable(Mapping[str, Truth]):
    """The truth of each data object by its ``source-ref``; a mask is read when asked for."""

    def __init__(
        self, path: Path, entries: Mapping[str, str | frozenset[str] | _MaskFile], n_labels: int
    ) -> None:
        self._path = path
        self._entries = entries
        self._n_labels = n_labels

    def __getitem__(self, source_ref: str) -> Truth:
        """Return one truth; raises KeyError if there is none, TruthError for a bad mask."""
        entry = self._entries[source_ref]
        if isinstance(entry, _MaskFile):
            return _read_mask(entry, self._n_labels, self._path)
        return entry

    def __iter__(self) -> Iterator[str]:
        """Go through the data objects in the order of the file."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Count the data objects."""
        return len(self._entries)


def read_truth(path: Path, task: str, labels: Sequence[str]) -> TruthTable:
    """Read a truth file.

    Parameters
    ----------
    path : Path
        JSON Lines as described at the top of this module; empty lines are skipped.
    task : str
        One of `TASKS`.
    labels : sequence of str
        All classes, in the order of the label category file.

    Returns
    -------
    TruthTable
        Every line is checked now; a mask's size and pixels are when it is asked for.

    Raises
    ------
    TruthError
        If the file or a line of it cannot be used.
    ValueError
        If `task` is unknown.
    """
    if task not in TASKS:
        raise ValueError(f"{task!r} is no task; there are {', '.join(TASKS)}")
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TruthError(f"cannot be read ({error})", path=path) from error
    entries: dict[str, str | frozenset[str] | _MaskFile] = {}
    for number, text in enumerate(lines, start=1):
        if text.strip():
            record = _record(text, path, number)
            source_ref = record["source-ref"]
            if source_ref in entries:
                raise TruthError(f"{source_ref} is there twice", path=path, line=number)
            entries[source_ref] = _entry(record, task, labels, path, number)
    return TruthTable(path, entries, len(labels))


def invented_truth(
    task: str, labels: Sequence[str], object_id: str, shape: tuple[int, int] | None, seed: int
) -> Truth:
    """Invent the truth of a data object, for manifests whose truth nobody knows.

    The crowd needs something to agree on.  What it then says has nothing to do with what the
    image shows: it exercises the machinery, and says nothing about the images.

    Parameters
    ----------
    task : str
        One of `TASKS`.
    labels : sequence of str
        All classes.
    object_id : str
        The data object.
    shape : tuple of int, optional
        Rows and columns of the image; needed for semantic segmentation.
    seed : int
        Together with `object_id`, decides.

    Returns
    -------
    str, frozenset of str, or ndarray of uint8, shape (rows, columns)
        A random class; one to three random labels; three to six random star-shaped regions.

    Raises
    ------
    ValueError
        If `task` is unknown, there is no label, or `shape` is missing.

    Examples
    --------
    >>> invented_truth("image-multi-class", ["cat"], "0", None, seed=7)
    'cat'
    """
    if task not in TASKS or not labels:
        raise ValueError(f"{task!r} with {len(labels)} labels: no truth can be invented")
    rng = generator(seed, "truth", object_id)
    if task == "image-multi-class":
        return labels[int(rng.integers(len(labels)))]
    if task == "image-multi-class-multi-label":
        count = int(rng.integers(1, min(3, len(labels)) + 1))
        return frozenset(labels[place] for place in rng.permutation(len(labels))[:count])
    if shape is None:
        raise ValueError("the image's shape is needed to invent a mask")
    return star_shapes(shape, len(labels), int(rng.integers(3, 7)), rng)


def _record(text: str, path: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except ValueError as error:
        raise TruthError(f"is not JSON ({error})", path=path, line=number) from error
    if not isinstance(record, dict) or not isinstance(record.get("source-ref"), str):
        raise TruthError('is no object with a text "source-ref"', path=path, line=number)
    return record


def _entry(
    record: Mapping[str, Any], task: str, labels: Sequence[str], path: Path, number: int
) -> str | frozenset[str] | _MaskFile:
    member = _MEMBER[task]
    value = record.get(member)
    if member == "mask":
        if isinstance(value, str) and (path.parent / value).is_file():
            return _MaskFile(path.parent / value, number)
        raise TruthError(f'"mask" names no file: {value!r}', path=path, line=number)
    names = value if member == "labels" else [value]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        wanted = "a list of one or more names" if member == "labels" else "a name"
        raise TruthError(f'"{member}" is not {wanted}: {value!r}', path=path, line=number)
    unknown = [name for name in names if name not in labels]
    if unknown:
        known = ", ".join(labels)
        raise TruthError(f"{unknown[0]!r} is not a label ({known})", path=path, line=number)
    return frozenset(names) if member == "labels" else str(names[0])


def _read_mask(entry: _MaskFile, n_labels: int, path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(entry.file) as image:
            mode = image.mode
            mask = np.array(image)
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise TruthError(
            f"{entry.file} cannot be read ({error})", path=path, line=entry.line
        ) from error
    if mode not in {"P", "L"}:
        raise TruthError(f"{entry.file} is in mode {mode}, not P or L", path=path, line=entry.line)
    if mask.size and int(mask.max()) > n_labels:
        text = f"{entry.file} has a pixel {int(mask.max())}, but there are {n_labels} labels"
        raise TruthError(text, path=path, line=entry.line)
    return mask
