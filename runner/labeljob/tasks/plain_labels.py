"""Labels of names that are written as usual, read without all that a label can hold.

`groundtruth.tasks` reads any label. What is here tells the same of those that the functions and
the service write, and nothing of all others, which are few; a whole job has millions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta, field

from groundtruth.tasks.base import BUILTIN, OBJECT
from labeljob.tasks.base import LabelParts

_SINGLE, _SEVERAL = "image-classification", "image-classification-multilabel"

_Index: TypeAlias = Annotated[int, Meta(ge=0)]
_Name: TypeAlias = Annotated[str, Meta(min_length=1)]
_Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


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
    classes_from: str = field(name="classes-from", default="")
    answers: _Answers = field(default_factory=_Answers)
    algorithm: _Algorithm | None = None

    def __post_init__(self) -> None:
        """Refuse what an algorithm tells of dependence if it does not tell all of it."""
        found = self.algorithm
        if found and found.dependence is not None and None in (found.correlation, found.pairs):
            raise ValueError("a part of the dependence is missing")


class _SingleClass(_ObjectStyle, kw_only=True):
    schema: Literal["consolidated-label/image-classification/1"]
    class_id: _Index | None = field(name="class-id")
    class_name: _Name | None = field(name="class-name")
    confidence: _Share | None = None


class _SeveralClasses(_ObjectStyle, kw_only=True):
    schema: Literal["consolidated-label/image-classification-multilabel/1"]
    class_ids: list[_Index] = field(name="class-ids")
    class_map: dict[str, _Name] = field(name="class-map")
    confidence_map: dict[str, _Share | None] = field(name="confidence-map", default_factory=dict)


class _BuiltinClass(msgspec.Struct, kw_only=True):
    type: Literal["groundtruth/image-classification", "image-classification"]
    class_name: _Name = field(name="class-name")
    confidence: _Share | None = None


class _BuiltinClasses(msgspec.Struct, kw_only=True):
    type: Literal["groundtruth/image-classification-multilabel", "image-classification-multilabel"]
    class_map: dict[str, _Name] = field(name="class-map")
    confidence_map: dict[str, _Share | None] = field(name="confidence-map", default_factory=dict)


_NOT_PLAIN = (msgspec.ValidationError, UnicodeEncodeError)
"""What says that a label is not as usual; the second is of half a character."""


def read_plain_class(value: Any, metadata: Mapping[str, Any]) -> LabelParts | None:
    """The one class of a label of image-multi-class; None if it is not written as usual."""
    try:
        if type(value) is int and value >= 0:
            return _read_builtin_class(value, msgspec.convert(metadata, _BuiltinClass))
        if type(value) is dict:
            return _read_object_class(msgspec.convert(value, _SingleClass), None)
    except _NOT_PLAIN:
        pass
    return None


def read_plain_classes(value: Any, metadata: Mapping[str, Any]) -> LabelParts | None:
    """The classes of a label of image-multi-class-multi-label; None if it is not as usual."""
    try:
        if type(value) is list:
            class_ids = msgspec.convert(value, list[_Index])
            return _read_builtin_classes(class_ids, msgspec.convert(metadata, _BuiltinClasses))
        if type(value) is dict:
            return _read_object_classes(msgspec.convert(value, _SeveralClasses), None)
    except _NOT_PLAIN:
        pass
    return None


def _read_builtin_class(value: int, metadata: _BuiltinClass) -> LabelParts:
    return LabelParts(_SINGLE, BUILTIN, (value,), (metadata.class_name,), metadata.confidence)


def _read_object_class(value: _SingleClass, metadata: object) -> LabelParts | None:
    if value.class_id is None:
        return LabelParts(_SINGLE, OBJECT, (), (), None)
    if value.class_name is None:
        return None
    return LabelParts(_SINGLE, OBJECT, (value.class_id,), (value.class_name,), value.confidence)


def _read_builtin_classes(value: list[int], metadata: _BuiltinClasses) -> LabelParts | None:
    return _name_classes(value, BUILTIN, metadata)


def _read_object_classes(value: _SeveralClasses, metadata: object) -> LabelParts | None:
    return _name_classes(value.class_ids, OBJECT, value)


def _name_classes(
    class_ids: list[int], style: str, names_of: _SeveralClasses | _BuiltinClasses
) -> LabelParts | None:
    keys = [str(class_id) for class_id in class_ids]
    try:
        names = tuple(names_of.class_map[key] for key in keys)
    except KeyError:
        return None
    known = [names_of.confidence_map.get(key) for key in keys]
    confidence = min((share for share in known if share is not None), default=None)
    return LabelParts(_SEVERAL, style, tuple(class_ids), names, confidence)


class _CustomMetadata(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    type: str
    job_name: str = field(name="job-name")
    human_annotated: str = field(name="human-annotated")
    creation_date: str = field(name="creation-date")


class _ClassMetadata(_BuiltinClass, kw_only=True, forbid_unknown_fields=True):
    job_name: str = field(name="job-name")
    human_annotated: str = field(name="human-annotated")
    creation_date: str = field(name="creation-date")


class _ClassesMetadata(_BuiltinClasses, kw_only=True, forbid_unknown_fields=True):
    job_name: str = field(name="job-name")
    human_annotated: str = field(name="human-annotated")
    creation_date: str = field(name="creation-date")


class PlainLabels(NamedTuple):
    """The labels of some lines.

    `labels` are different ones, without a confidence, each with what `classes_from` says; `codes`
    are by line which of them it has, and `confidences` how sure it is.
    """

    labels: list[tuple[LabelParts, str]]
    codes: list[int]
    confidences: list[float | None]


class PlainLines(NamedTuple):
    """Reads manifest lines that hold a file's URI, a label and its metadata, and nothing else.

    `decode` gives an object with `source`, `value` and `metadata`, which tells `type`, `job_name`,
    `human_annotated` and `creation_date`, or raises `msgspec.MsgspecError`. `read` takes such
    objects; None if one has a label that is not as usual.
    """

    decode: Callable[[bytes], Any]
    read: Callable[[Sequence[Any]], PlainLabels | None]


def plain_class_lines(attribute: str) -> list[PlainLines]:
    """Lines of image-multi-class."""
    builtin = partial(
        _read_by_key,
        read=_read_builtin_class,
        find_key=attrgetter("value", "metadata.class_name"),
        find_confidence=attrgetter("metadata.confidence"),
    )
    own = partial(
        _read_by_key,
        read=_read_object_class,
        find_key=attrgetter("value.class_id", "value.class_name", "value.classes_from"),
        find_confidence=_find_confidence,
    )
    return [
        _plain_lines(attribute, _Index, _ClassMetadata, builtin),
        _plain_lines(attribute, _SingleClass, _CustomMetadata, own),
    ]


def _find_confidence(line: Any) -> float | None:
    return None if line.value.class_id is None else line.value.confidence


def plain_classes_lines(attribute: str) -> list[PlainLines]:
    """Lines of image-multi-class-multi-label."""
    builtin = partial(_read_each, read=_read_builtin_classes)
    own = partial(_read_each, read=_read_object_classes)
    return [
        _plain_lines(attribute, list[_Index], _ClassesMetadata, builtin),
        _plain_lines(attribute, _SeveralClasses, _CustomMetadata, own),
    ]


def _plain_lines(
    attribute: str,
    value: Any,
    metadata: Any,
    read: Callable[[Sequence[Any]], PlainLabels | None],
) -> PlainLines:
    fields = [
        ("source", str, field(name="source-ref")),
        ("value", value, field(name=attribute)),
        ("metadata", metadata, field(name=f"{attribute}-metadata")),
    ]
    line = msgspec.defstruct("Line", fields, forbid_unknown_fields=True, gc=False)
    return PlainLines(msgspec.json.Decoder(line).decode, read)


_Read: TypeAlias = Callable[[Any, Any], LabelParts | None]


def _read_by_key(
    lines: Sequence[Any],
    *,
    read: _Read,
    find_key: Callable[[Any], Any],
    find_confidence: Callable[[Any], float | None],
) -> PlainLabels | None:
    """Labels of which a key tells all but the confidence: each key is read once."""
    keys = list(map(find_key, lines))
    confidences = list(map(find_confidence, lines))
    different = dict(zip(keys, lines, strict=True))
    code_of = {key: code for code, key in enumerate(different)}
    each = _read_each(list(different.values()), read=read)
    return each and PlainLabels(
        [each.labels[code] for code in each.codes], [code_of[key] for key in keys], confidences
    )


def _read_each(lines: Sequence[Any], *, read: _Read) -> PlainLabels | None:
    code_of: dict[tuple[LabelParts, str], int] = {}
    codes, confidences = [], []
    for line in lines:
        parts = read(line.value, line.metadata)
        if parts is None:
            return None
        label = parts._replace(confidence=None), getattr(line.value, "classes_from", "")
        codes.append(code_of.setdefault(label, len(code_of)))
        confidences.append(parts.confidence)
    return PlainLabels(list(code_of), codes, confidences)
