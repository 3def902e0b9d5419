"""Labels of names that are written as usual, read without all that a label can hold.

`groundtruth.tasks` reads any label. What is here tells the same of those that the functions and
the service write, and nothing of all others, which are few; a whole job has millions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from groundtruth.tasks.base import BUILTIN, OBJECT
from labeljob.tasks.base import LabelParts

_SINGLE, _SEVERAL = "image-classification", "image-classification-multilabel"

type _Index = Annotated[int, Meta(ge=0)]
type _Name = Annotated[str, Meta(min_length=1)]
type _Share = Annotated[float, Meta(ge=0, le=1)]


class _Rejected(msgspec.Struct):
    worker: str = field(name="worker-id")
    reason: str
    detail: str = ""


class _Answers(msgspec.Struct):
    used: _Index = 0
    rejected: list[_Rejected] = field(name="set-aside", default_factory=list)


class _Algorithm(msgspec.Struct):
    name: str
    dependence: _Share | None = None
    correlation: float | None = None
    pairs: _Index | None = None
    earlier_pairs: _Index = field(name="earlier-pairs", default=0)


class _ObjectStyle(msgspec.Struct, kw_only=True):
    votes: dict[_Name, float] = field(default_factory=dict)
    answers: _Answers = field(default_factory=_Answers)
    algorithm: _Algorithm | None = None

    def is_whole(self) -> bool:
        """Whether an algorithm that tells of dependence tells all of it."""
        found = self.algorithm
        if found is None or found.dependence is None:
            return True
        return found.correlation is not None and found.pairs is not None


class _SingleClass(_ObjectStyle, kw_only=True):
    schema: Literal["consolidated-label/image-classification/1"]
    class_id: _Index | None = field(name="class-id")
    class_name: _Name | None = field(name="class-name")
    confidence: _Share | None = None


class _SeveralClasses(_ObjectStyle, kw_only=True):
    schema: Literal["consolidated-label/image-classification-multilabel/1"]
    class_ids: tuple[_Index, ...] = field(name="class-ids")
    class_map: dict[str, _Name] = field(name="class-map")
    confidence_map: dict[str, _Share | None] = field(name="confidence-map", default_factory=dict)


class _BuiltinClasses(msgspec.Struct, kw_only=True):
    type: Literal["groundtruth/image-classification-multilabel", "image-classification-multilabel"]
    class_map: dict[str, _Name] = field(name="class-map")
    confidence_map: dict[str, _Share | None] = field(name="confidence-map", default_factory=dict)


class _BuiltinClass(msgspec.Struct, kw_only=True):
    type: Literal["groundtruth/image-classification", "image-classification"]
    class_name: _Name = field(name="class-name")
    confidence: _Share | None = None


def read_plain_class(value: Any, metadata: Mapping[str, Any]) -> LabelParts | None:
    """The one class of a label of image-multi-class; None if it is not written as usual."""
    try:
        if type(value) is int and value >= 0:
            built = msgspec.convert(metadata, _BuiltinClass)
            return LabelParts(_SINGLE, BUILTIN, (value,), (built.class_name,), built.confidence)
        if type(value) is not dict:
            return None
        label = msgspec.convert(value, _SingleClass)
    except msgspec.ValidationError:
        return None
    if not label.is_whole():
        return None
    if label.class_id is None:
        return LabelParts(_SINGLE, OBJECT, (), (), None)
    if label.class_name is None:
        return None
    return LabelParts(_SINGLE, OBJECT, (label.class_id,), (label.class_name,), label.confidence)


def read_plain_classes(value: Any, metadata: Mapping[str, Any]) -> LabelParts | None:
    """The classes of a label of image-multi-class-multi-label; None if it is not as usual."""
    label: _SeveralClasses | _BuiltinClasses
    try:
        if type(value) is list:
            label = msgspec.convert(metadata, _BuiltinClasses)
            class_ids = msgspec.convert(value, tuple[_Index, ...])
            style = BUILTIN
        elif type(value) is dict:
            label = msgspec.convert(value, _SeveralClasses)
            class_ids, style = label.class_ids, OBJECT
            if not label.is_whole():
                return None
        else:
            return None
        keys = [str(class_id) for class_id in class_ids]
        names = tuple(label.class_map[key] for key in keys)
    except (msgspec.ValidationError, KeyError):
        return None
    known = (label.confidence_map.get(key) for key in keys)
    confidence = min((share for share in known if share is not None), default=None)
    return LabelParts(_SEVERAL, style, class_ids, names, confidence)
