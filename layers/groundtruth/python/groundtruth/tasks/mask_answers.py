"""One worker's answer to a segmentation task, before its PNG is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from groundtruth.answers import find_by_shape
from groundtruth.contract.labels import is_label_name
from groundtruth.errors import UnusableAnswer
from groundtruth.masks.answers import decode_base64_png
from groundtruth.masks.colors import normalize_color

ELEMENT = "crowd-semantic-segmentation"
BACKGROUND = "BACKGROUND"
NOT_OF_THE_JOB = "(not of the job)"
"""What a message calls a label that only the answer names."""


@dataclass(frozen=True, kw_only=True)
class MaskAnswer:
    """One worker's mask and how to read it.

    Attributes
    ----------
    png : bytes
        The file as it came.
    size : tuple of int or None
        (rows, columns) of the image, as the answer tells it.
    colors : dict of str to str
        ``#rrggbb`` of each label the answer lists, by the label's name.
    """

    png: bytes
    size: tuple[int, int] | None
    colors: dict[str, str]


def mask_answer(content: Any) -> MaskAnswer:
    """Read a decoded answer.

    Raises
    ------
    UnusableAnswer
        ``empty-answer``, ``unexpected-shape``, ``ambiguous-answer``, ``unknown-label``,
        ``bad-color``, ``bad-size`` or ``bad-base64``.
    """
    value = find_by_shape(content, element=ELEMENT, has_shape=_holds_mask)
    return MaskAnswer(
        png=decode_base64_png(value["labeledImage"]["pngImageData"]),
        size=_size(value.get("inputImageProperties")),
        colors=_colors(value.get("labelMappings")),
    )


def colors_by_index(answer: MaskAnswer, labels: Sequence[str]) -> tuple[dict[int, str], list[str]]:
    """Colours by index of the class, and the name of each index.

    Parameters
    ----------
    answer : MaskAnswer
        One worker's answer.
    labels : sequence of str
        The job's labels without BACKGROUND; index i + 1 is label i, index 0 BACKGROUND.

    Returns
    -------
    colors : dict of int to str
        A label that is not the job's has an index after all the job's.
    names : list of str
        Name of each index, for messages.
    """
    names = [BACKGROUND, *labels]
    index = {name: at for at, name in enumerate(names)}
    colors = {}
    for name, color in answer.colors.items():
        if name not in index:
            index[name] = len(names)
            names.append(NOT_OF_THE_JOB)
        colors[index[name]] = color
    return colors, names


def _holds_mask(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("labeledImage"), dict):
        return False
    return isinstance(value["labeledImage"].get("pngImageData"), str)


def _size(properties: Any) -> tuple[int, int] | None:
    if not isinstance(properties, dict):
        return None
    size = (properties.get("height"), properties.get("width"))
    if size == (None, None):
        return None
    rows, columns = size
    if type(rows) is not int or type(columns) is not int or min(rows, columns) < 1:
        raise UnusableAnswer("bad-size", "inputImageProperties is not a height and a width")
    return rows, columns


def _colors(mappings: Any) -> dict[str, str]:
    if not isinstance(mappings, dict):
        raise UnusableAnswer("unexpected-shape", "the answer has no labelMappings")
    colors = {}
    for name, mapping in mappings.items():
        if not is_label_name(name):
            raise UnusableAnswer("unknown-label", "labelMappings names what can be no label")
        color = mapping.get("color") if isinstance(mapping, dict) else mapping
        if not isinstance(color, str):
            raise UnusableAnswer("bad-color", f"label {name!r} has no color in labelMappings")
        colors[name] = normalize_color(color, label=name)
    return colors
