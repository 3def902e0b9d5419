"""Label Studio's JSON export: tasks, each with the annotations of several people [1]_.

References
----------
.. [1] Label Studio documentation, "Label Studio JSON format of annotated tasks" and "BrushLabels".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from labeljob.formats.imports.foreign import (
    Choice,
    ForeignAnswer,
    ForeignImages,
    ImportProblem,
    Region,
    fill_polygon,
    parse_time,
)

CHANNELS = 4


def draw_brush(rle: Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels that a brush painted, from its stream of bytes; raises `ValueError`."""
    bits = np.unpackbits(np.array(rle, dtype=np.uint8))
    reader = _BitReader(bits)
    n_values, width = reader.number(32), reader.number(5) + 1
    sizes = [reader.number(4) + 1 for _ in range(4)]
    if n_values != size[0] * size[1] * CHANNELS:
        raise ValueError(f"holds {n_values // CHANNELS} pixels, not {size[0]} x {size[1]}")
    values = np.zeros(n_values, dtype=np.int64)
    start = 0
    while start < n_values:
        repeats = reader.number(1)
        length = reader.number(sizes[reader.number(2)]) + 1
        end = min(start + length, n_values)
        if repeats:
            values[start:end] = reader.number(width)
        else:
            values[start:end] = reader.numbers(width, length)[: end - start]
        start = end
    return values.reshape(*size, CHANNELS)[:, :, 3] > 0


class _BitReader:
    """Numbers from a stream of bits, the highest bit first."""

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        self._bits = bits
        self._position = 0

    def number(self, width: int) -> int:
        """The next number of so many bits."""
        return int(self.numbers(width, 1)[0])

    def numbers(self, width: int, count: int) -> NDArray[np.int64]:
        """The next numbers of so many bits each."""
        end = self._position + width * count
        if end > self._bits.size:
            raise ValueError("ends too soon")
        taken = self._bits[self._position : end].reshape(count, width).astype(np.int64)
        self._position = end
        return np.asarray(taken @ (1 << np.arange(width - 1, -1, -1)))


CHOICES, BRUSH, POLYGON = "choices", "brushlabels", "polygonlabels"
RELATION = "relation"
LONGEST = 365 * 86_400
"""Seconds that an answer may have taken; what is said to have taken longer has no duration."""
_IMAGE = re.compile(r"\.(jpe?g|png|gif|bmp|tiff?|webp)($|[?#&])", re.IGNORECASE)


def read_labelstudio(
    paths: Sequence[Path], *, control: str | None = None, image_key: str | None = None
) -> ForeignImages:
    """Read JSON exports of Label Studio; predictions and cancelled annotations are skipped.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    control : str, optional
        The ``from_name`` of the labels that are read. [default: all]
    image_key : str, optional
        What the image is called among a task's data. [default: ``image``, or what looks like one]

    Raises
    ------
    ImportProblem
        If a file is no such export, an image cannot be told, or no label has that control.
    """
    found = ForeignImages(origin={"tool": "labelstudio"})
    controls: set[str] = set()
    for path in paths:
        for index, task in enumerate(_read_tasks(path)):
            if not isinstance(task, Mapping) or "annotations" not in task:
                raise ImportProblem(
                    "has no 'annotations'; export as JSON, not JSON-MIN",
                    where=f"{path}, entry {index + 1}",
                )
            where = f"{path}, task {task.get('id', index)}"
            data = _require(task, "data", dict, where)
            key = _find_image(data, image_key, where)
            found.origin.setdefault("image-key", key)
            source = data[key]
            given = found.answers.setdefault(source, [])
            for annotation in sorted(_require(task, "annotations", list, where), key=_time_text):
                known = annotation.get("id") if isinstance(annotation, Mapping) else "?"
                place = f"{where}, annotation {known}"
                try:
                    given.append(_read_answer(annotation, place, control, controls, found.origin))
                except ImportProblem as error:
                    found.skipped.append(str(error))
            if task.get("predictions"):
                found.leave_out("predictions of models", where)
    if control is not None and control not in controls:
        known = ", ".join(sorted(controls)) or "no control"
        raise ImportProblem(f"--control {control} is not there; there is {known}", where=paths[0])
    return found


def _read_tasks(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        tasks = json.loads(text)
        if "\\ud" in text.lower():  # perhaps half a surrogate pair, which no file can hold
            text = json.dumps(tasks, ensure_ascii=False)
            tasks = json.loads(text.encode(errors="xmlcharrefreplace"))
    except (OSError, ValueError, RecursionError) as error:
        raise ImportProblem(f"is not JSON ({error})", where=path) from error
    if not isinstance(tasks, list):
        raise ImportProblem("is no list of tasks; export as JSON", where=path)
    return tasks


def _time_text(annotation: Any) -> str:
    return str(annotation.get("created_at", "")) if isinstance(annotation, Mapping) else ""


def _require(values: Any, key: str, kind: type, where: str) -> Any:
    """A member of a JSON object; raises `ImportProblem` if it is missing or of another kind."""
    value = values.get(key) if isinstance(values, Mapping) else None
    if not isinstance(value, kind):
        raise ImportProblem(f"{key!r} is missing or not as documented", where=where)
    return value


def _find_image(data: Mapping[str, Any], key: str | None, where: str) -> str:
    """The key; without one the member ``image``, else the only image or text."""
    texts = {name: value for name, value in data.items() if isinstance(value, str) and value}
    if key is not None and key not in texts:
        raise ImportProblem(
            f"--image-key {key} is no text of its data, which are {', '.join(data) or 'empty'}",
            where=where,
        )
    if key is None and "image" in texts:
        key = "image"
    if key is None:
        names = [name for name, text in texts.items() if _IMAGE.search(text)] or list(texts)
        if len(names) != 1:
            raise ImportProblem(
                f"which of {', '.join(names or data) or 'nothing'} is the image? "
                "Say it with --image-key",
                where=where,
            )
        key = names[0]
    return key


def _read_answer(
    annotation: Any,
    where: str,
    control: str | None,
    controls: set[str],
    origin: dict[str, str],
) -> ForeignAnswer:
    result = _require(annotation, "result", list, where)
    if annotation.get("was_cancelled"):
        raise ImportProblem("was cancelled", where=where)
    items = [item if isinstance(item, Mapping) else {} for item in result]
    regions_made = (item for item in items if item.get("type") not in (CHOICES, RELATION))
    region_ids = {str(item["id"]) for item in regions_made if "id" in item}
    choices: list[Choice] = []
    regions: list[Region] = []
    others: list[str] = []
    size = None
    for item in items:
        kind, name = str(item.get("type")), str(item.get("from_name", ""))
        if kind == RELATION:
            continue
        if kind == CHOICES and str(item.get("id")) in region_ids:
            others.append("choices of a region")
            continue
        if kind not in (CHOICES, BRUSH, POLYGON):
            others.append(kind)
            continue
        controls.add(name)
        if control not in (None, name):
            others.append(f"{kind} of {name}")
            continue
        origin.setdefault("to_name", str(item.get("to_name", "")))
        value = _require(item, "value", dict, where)
        labels = map(str, _require(value, kind, list, where))
        if kind == CHOICES:
            choices += [Choice(label, (kind, name)) for label in labels]
            continue
        rows, columns = (
            int(_require(item, f"original_{side}", int, where)) for side in ("height", "width")
        )
        size = (rows, columns)
        draw = partial(_draw, kind, item, value, size, where)
        regions += [Region(label, (kind, name), draw) for label in labels]
    seconds = annotation.get("lead_time")
    times = (parse_time(annotation.get(key)) for key in ("created_at", "updated_at"))
    return ForeignAnswer(
        worker=_find_worker(annotation, where),
        where=where,
        choices=tuple(choices),
        regions=tuple(regions),
        others=tuple(others),
        size=size,
        submitted=next(filter(None, times), None),
        seconds=seconds if _is_duration(seconds) else None,
        is_gold=bool(annotation.get("ground_truth")),
    )


def _is_duration(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and 0 <= value <= LONGEST


def _draw(kind: str, item: Any, value: Any, size: tuple[int, int], where: str) -> Any:
    if item.get("image_rotation"):
        raise ImportProblem("a region is of a rotated image", where=where)
    try:
        if kind == BRUSH:
            return draw_brush(_require(value, "rle", list, where), size)
        points = _require(value, "points", list, where)
        rows, columns = size
        corners = [(float(x) * columns / 100, float(y) * rows / 100) for x, y in points]
        return fill_polygon(corners, size)
    except (ValueError, TypeError, OverflowError, IndexError) as error:
        raise ImportProblem(f"{kind}: {error}", where=where) from error


def _find_worker(annotation: Mapping[str, Any], where: str) -> str:
    """Who annotated: an e-mail address if there is one, else a number."""
    given = annotation.get("completed_by")
    if isinstance(given, Mapping):
        given = given.get("email") or given.get("id")
    if given is None or given == "":
        raise ImportProblem("'completed_by' tells no annotator", where=where)
    return str(given)
