"""Label Studio's JSON export: tasks, each with the annotations of several people [1]_.

References
----------
.. [1] Label Studio documentation, "Label Studio JSON format of annotated tasks" and "BrushLabels".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeljob.formats.imports.foreign import (
    ForeignAnswer,
    ForeignImages,
    ImportProblem,
    Region,
    moment_of,
    polygon_pixels,
    required,
)

CHANNELS = 4


def brush_pixels(rle: Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels that a brush painted, from its stream of bytes; raises `ValueError`."""
    bits = np.unpackbits(np.array(rle, dtype=np.uint8))
    reader = _Bits(bits)
    n_values, width = reader.number(32), reader.number(5) + 1
    sizes = [reader.number(4) + 1 for _ in range(4)]
    if n_values != size[0] * size[1] * CHANNELS:
        raise ValueError(f"holds {n_values // CHANNELS} pixels, not {size[0]} x {size[1]}")
    values = np.zeros(n_values, dtype=np.int64)
    at = 0
    while at < n_values:
        repeats = reader.number(1)
        length = reader.number(sizes[reader.number(2)]) + 1
        end = min(at + length, n_values)
        if repeats:
            values[at:end] = reader.number(width)
        else:
            values[at:end] = reader.numbers(width, length)[: end - at]
        at = end
    return values.reshape(*size, CHANNELS)[:, :, 3] > 0


class _Bits:
    """Numbers from a stream of bits, the highest bit first."""

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        self._bits = bits
        self._at = 0

    def number(self, width: int) -> int:
        """The next number of so many bits."""
        return int(self.numbers(width, 1)[0])

    def numbers(self, width: int, count: int) -> NDArray[np.int64]:
        """The next numbers of so many bits each."""
        end = self._at + width * count
        if end > self._bits.size:
            raise ValueError("ends too soon")
        taken = self._bits[self._at : end].reshape(count, width).astype(np.int64)
        self._at = end
        return np.asarray(taken @ (1 << np.arange(width - 1, -1, -1)))


CHOICES, BRUSH, POLYGON = "choices", "brushlabels", "polygonlabels"
UNDERSTOOD = (CHOICES, BRUSH, POLYGON)


def read_labelstudio(
    paths: Sequence[Path], *, advance: Callable[[], object] = lambda: None
) -> ForeignImages:
    """Read JSON exports of Label Studio; raises `ImportProblem`.

    Predictions and cancelled annotations are skipped, and so are annotations with anything in
    them that is neither choice, brush nor polygon.
    """
    found = ForeignImages()
    for path in paths:
        for at, task in enumerate(_tasks(path)):
            _read_task(task, found, path, at)
            advance()
    return found


def _tasks(path: Path) -> list[Any]:
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ImportProblem(f"is not JSON ({error})", path=path) from error
    if not isinstance(tasks, list):
        raise ImportProblem("is no list of tasks; export as JSON, not JSON-MIN", path=path)
    return tasks


def _read_task(task: Any, found: ForeignImages, path: Path, at: int) -> None:
    name = task.get("id", at) if isinstance(task, Mapping) else at
    where = f"task {name}"
    source = _source(required(task, "data", dict, path=path, where=where), path, where)
    given = found.answers.setdefault(source, [])
    annotations = required(task, "annotations", list, path=path, where=where)
    for annotation in sorted(annotations, key=_moment_text):
        number = annotation.get("id") if isinstance(annotation, Mapping) else "?"
        place = f"{where}, annotation {number}"
        try:
            given.append(_answer(annotation, path, place))
        except ImportProblem as error:
            found.skipped.append(str(error))
    if predictions := task.get("predictions"):
        found.skipped.append(f"{path}, {where}: {len(predictions)} predictions of models")


def _moment_text(annotation: Any) -> str:
    return str(annotation.get("created_at", "")) if isinstance(annotation, Mapping) else ""


def _source(data: Mapping[str, Any], path: Path, where: str) -> str:
    """The image: the member called so, else the only text."""
    texts = {key: value for key, value in data.items() if isinstance(value, str) and value}
    if "image" in texts:
        return texts["image"]
    if len(texts) != 1:
        raise ImportProblem(
            f"which of {', '.join(data) or 'nothing'} is the image?", path=path, where=where
        )
    return next(iter(texts.values()))


def _answer(annotation: Any, path: Path, where: str) -> ForeignAnswer:
    result = required(annotation, "result", list, path=path, where=where)
    if annotation.get("was_cancelled"):
        raise ImportProblem("was cancelled", path=path, where=where)
    choices: list[str] = []
    regions: list[Region] = []
    size = None
    for item in result:
        kind = item.get("type") if isinstance(item, Mapping) else None
        if kind == "relation":
            continue
        if kind not in UNDERSTOOD:
            raise ImportProblem(
                f"{kind!r} is none of {', '.join(UNDERSTOOD)}", path=path, where=where
            )
        value = required(item, "value", dict, path=path, where=where)
        names = required(value, kind, list, path=path, where=where)
        if kind == CHOICES:
            choices += map(str, names)
            continue
        size = (
            required(item, "original_height", int, path=path, where=where),
            required(item, "original_width", int, path=path, where=where),
        )
        drawn = partial(_pixels, kind, item, value, size, path, where)
        regions += [Region(str(name), drawn) for name in names]
    seconds = annotation.get("lead_time")
    return ForeignAnswer(
        worker=_worker(annotation, path, where),
        choices=tuple(dict.fromkeys(choices)),
        regions=tuple(regions),
        size=size,
        submitted=moment_of(annotation.get("created_at")),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
    )


def _pixels(kind: str, item: Any, value: Any, size: tuple[int, int], path: Path, where: str) -> Any:
    if item.get("image_rotation"):
        raise ImportProblem("a region is of a rotated image", path=path, where=where)
    try:
        if kind == BRUSH:
            return brush_pixels(required(value, "rle", list, path=path, where=where), size)
        points = required(value, "points", list, path=path, where=where)
        rows, columns = size
        corners = [(float(x) * columns / 100, float(y) * rows / 100) for x, y in points]
        return polygon_pixels(corners, size)
    except (ValueError, TypeError, OverflowError, IndexError) as error:
        raise ImportProblem(f"{kind}: {error}", path=path, where=where) from error


def _worker(annotation: Mapping[str, Any], path: Path, where: str) -> str:
    """Who annotated: an e-mail address if there is one, else a number."""
    given = annotation.get("completed_by")
    if isinstance(given, Mapping):
        given = given.get("email") or given.get("id")
    if given is None or given == "":
        raise ImportProblem("'completed_by' tells no annotator", path=path, where=where)
    return str(given)
