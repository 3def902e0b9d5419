"""What the lines of an output manifest tell of their job, one line at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from groundtruth.finishing.manifest import compact_json
from groundtruth.finishing.outcomes import (
    METADATA,
    AttributeEvidence,
    list_attributes,
    metadata_of,
)
from groundtruth.tasks.registry import decode_label
from labeljob.tasks.base import LabelParts
from labeljob.tasks.plain_labels import PlainLabels
from labeljob.tasks.registry import JOB_TYPES

NOT_THERE = object()
FROM_ANSWERS = "answers"


@dataclass
class LineFacts:
    """What lines tell of the labels under one attribute, and of the attributes there are.

    Attributes
    ----------
    attribute : str
        The label attribute name.
    evidence : AttributeEvidence
        What tells which attribute is the job's.
    attributes : set of str
        Those that have labels, or metadata of labels.
    with_metadata : set of str
        Those that have labels and metadata of them.
    types : dict of str to int
        Labels of each job type, by its schema name, in the order in which they come.
    styles : set of str
        The labels' styles.
    names : dict of str to int
        Labels that have each class, in the order in which they come.
    numbered : set of (int, str)
        Indices and names of the classes of all labels but those whose classes nobody had named.
    job_name : str
        The first name of a job in the labels' metadata; empty if there is none.
    latest : datetime or None
        When the last label was made that a human made, in UTC.
    """

    attribute: str
    evidence: AttributeEvidence
    attributes: set[str] = field(default_factory=set)
    with_metadata: set[str] = field(default_factory=set)
    types: dict[str, int] = field(default_factory=dict)
    styles: set[str] = field(default_factory=set)
    names: dict[str, int] = field(default_factory=dict)
    numbered: set[tuple[int, str]] = field(default_factory=set)
    job_name: str = ""
    latest: datetime | None = None

    def merge(self, later: LineFacts) -> None:
        """Take in what later lines tell."""
        self.evidence.merge(later.evidence)
        self.attributes |= later.attributes
        self.with_metadata |= later.with_metadata
        for own, other in ((self.types, later.types), (self.names, later.names)):
            for name, count in other.items():
                own[name] = own.get(name, 0) + count
        self.styles |= later.styles
        self.numbered |= later.numbered
        self.job_name = self.job_name or later.job_name
        self.note_date(later.latest)

    def note_date(self, moment: datetime | None) -> None:
        """Take in when a label was made."""
        if moment is not None and (self.latest is None or moment > self.latest):
            self.latest = moment


class LineRow(NamedTuple):
    """The parts of a line as columns have them.

    `kept` is the JSON of what is not of the label; None if the line says nothing. `label` is the
    JSON of value and metadata where the other columns do not tell the classes.
    """

    kept: str | None
    label: str | None = None
    class_name: str | None = None
    class_names: tuple[str, ...] | None = None
    confidence: float | None = None
    style: str | None = None


class LineReader:
    """Reads lines and adds up what they tell.

    Parameters
    ----------
    attribute : str
        The label attribute name.
    job_name : str
        That of the job's folder.
    """

    def __init__(self, attribute: str, job_name: str) -> None:
        self._facts = LineFacts(attribute, AttributeEvidence(job_name))
        self._keys = (attribute, f"{attribute}{METADATA}")
        self._labels: Counter[tuple[Any, ...]] = Counter()
        self._origins: set[tuple[object, ...]] = set()
        self._origin_getters: dict[tuple[str, ...], Callable[[Mapping[str, Any]], Any]] = {}
        self._types = [(item, item.read_plain_label) for item in JOB_TYPES.values()]
        self._plain = [
            (lines, item.single_choice)
            for item in JOB_TYPES.values()
            if attribute != "source-ref"
            for lines in item.plain_lines(attribute)
        ]

    def read(self, values: Mapping[str, Any]) -> LineRow:
        """Take in a line, and take it apart."""
        if not values:
            return LineRow(None)
        attribute, key = self._keys
        rest = dict(values)
        value, metadata = rest.pop(attribute, NOT_THERE), rest.pop(key, NOT_THERE)
        if len(rest) == 1 and type(rest.get("source-ref")) is str:
            kept = _encode_texts(rest)
        else:
            kept = self._read_others(rest)
        if type(metadata) is dict:
            self._note_origin(attribute, value, metadata)
        elif value is NOT_THERE:
            return LineRow(kept)
        return self._read_label(kept, value, metadata)

    def read_plain(self, texts: Sequence[bytes]) -> list[pa.Array] | None:
        """Take in lines that have nothing but a source and a label, all written the same way.

        Gives the sources and, column by column, what `read` gives, sooner; None, and nothing is
        taken in, if they are others.
        """
        for plain, is_single in self._plain:
            try:
                lines = list(map(plain.decode, texts))
            except (msgspec.MsgspecError, RecursionError):
                continue
            if (read := plain.read(lines)) is not None:
                return self._take_plain(lines, read, is_single)
        return None

    def _take_plain(
        self, lines: Sequence[Any], read: PlainLabels, is_single: bool
    ) -> list[pa.Array]:
        counts = np.bincount(read.codes, minlength=len(read.labels)).tolist()
        for (parts, classes_from), count in zip(read.labels, counts, strict=True):
            self._labels[parts[:4], classes_from == FROM_ANSWERS, True] += count
        for origin in dict.fromkeys(map(_FIND_ORIGIN, lines)):
            metadata = dict(zip(_PLAIN_ORIGIN, origin, strict=True))
            self._note_origin(self._facts.attribute, True, metadata)
        sources = pa.array([line.source for line in lines], pa.string())
        names = [parts.names for parts, _ in read.labels]
        several = pa.array([None] * len(names) if is_single else names, pa.list_(pa.string()))
        single = [own[0] if own and is_single else None for own in names]
        styles = [parts.style for parts, _ in read.labels]
        codes = pa.array(read.codes, pa.int32())
        return [
            sources,
            _keep_sources(sources),
            pa.nulls(len(lines), pa.string()),
            pa.array(single, pa.string()).take(codes),
            several.take(codes),
            pa.array(read.confidences, pa.float64()),
            pa.array(styles, pa.string()).take(codes),
        ]

    def _read_label(self, kept: str, value: Any, metadata: Any) -> LineRow:
        known = metadata if type(metadata) is dict else {}
        for job_type, read in self._types:
            if (parts := read(value, known)) is not None:
                self._note_label(parts, value, metadata)
                if not job_type.single_choice:
                    return LineRow(kept, None, None, parts.names, parts.confidence, parts.style)
                name = parts.names[0] if parts.names else None
                return LineRow(kept, None, name, None, parts.confidence, parts.style)
        label = None if value is NOT_THERE else decode_label(value, known)
        if label is None:
            return LineRow(kept)
        parts = LabelParts(
            label.task,
            label.style,
            tuple(item.class_id for item in label.classes),
            tuple(item.name for item in label.classes),
            label.confidence,
        )
        self._note_label(parts, value, metadata)
        text = compact_json([value, known])
        return LineRow(kept, text, None, None, parts.confidence, parts.style)

    def _read_others(self, values: Mapping[str, Any]) -> str:
        """The JSON of what is not of the label."""
        if any(type(value) is dict for value in values.values()):
            self._note_others(values)
        elif all(type(value) is str for value in values.values()):
            return _encode_texts(values)
        return compact_json(values)

    def _note_label(self, parts: LabelParts, value: Any, metadata: Any) -> None:
        nobody = type(value) is dict and value.get("classes-from") == FROM_ANSWERS
        self._labels[parts[:4], nobody, metadata is not NOT_THERE] += 1

    def take_facts(self) -> LineFacts:
        """What the lines told, once all are read."""
        facts = self._facts
        for ((task, style, class_ids, names), nobody, has_metadata), count in self._labels.items():
            facts.types[task] = facts.types.get(task, 0) + count
            facts.styles.add(style)
            for name in names:
                facts.names[name] = facts.names.get(name, 0) + count
            if not nobody:
                facts.numbered.update(zip(class_ids, names, strict=True))
            facts.attributes.add(facts.attribute)
            facts.with_metadata.update([facts.attribute] if has_metadata else ())
        self._labels.clear()
        return facts

    def _note_origin(self, attribute: str, value: Any, metadata: Mapping[str, Any]) -> None:
        """Take in where a label comes from; many labels of a job say the same of it."""
        keys = tuple(metadata)
        get = self._origin_getters.get(keys)
        if get is None:
            known = _ORIGIN_KEYS.intersection(keys)
            get = itemgetter(*known) if known else len
            self._origin_getters[keys] = get
        try:
            origin = (attribute, value is NOT_THERE, keys, get(metadata))
            if origin in self._origins:
                return
            self._origins.add(origin)
        except TypeError:  # one of them is a list or an object, so that it cannot be compared
            pass
        line = {f"{attribute}{METADATA}": metadata}
        if value is not NOT_THERE:
            line[attribute] = value
        self._facts.evidence.add(line)
        self._facts.attributes.update(list_attributes(line))
        if attribute == self._facts.attribute:
            name = metadata.get("job-name", metadata.get("job_name"))
            if isinstance(name, str) and name:
                self._facts.job_name = self._facts.job_name or name
            self._facts.note_date(creation_date(metadata))

    def _note_others(self, values: Mapping[str, Any]) -> None:
        """Take in the labels under other attributes, as far as they are not known yet."""
        facts = self._facts
        for name in dict.fromkeys(name.removesuffix(METADATA) for name in values):
            value, metadata = values.get(name, NOT_THERE), metadata_of(values, name)
            if metadata:
                self._note_origin(name, value, metadata)
            elif not isinstance(value, dict):
                continue
            has_metadata = f"{name}{METADATA}" in values
            if name in (facts.with_metadata if has_metadata else facts.attributes):
                continue
            if value is not NOT_THERE and decode_label(value, metadata) is not None:
                facts.attributes.add(name)
                facts.with_metadata.update([name] if has_metadata else ())


_ENCODER = msgspec.json.Encoder()
_PLAIN_ORIGIN = ("type", "job-name", "human-annotated", "creation-date")
_FIND_ORIGIN = attrgetter(*(f"metadata.{name.replace('-', '_')}" for name in _PLAIN_ORIGIN))
_ORIGIN_KEYS = frozenset(
    {"job-name", "job_name", "creation-date", "creation_date", "human-annotated"}
)


def creation_date(metadata: Mapping[str, Any]) -> datetime | None:
    """When a label was made, in UTC; None if no human made it or nobody says when."""
    if metadata.get("human-annotated") == "no":
        return None
    text = metadata.get("creation-date", metadata.get("creation_date"))
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _encode_texts(values: Mapping[str, Any]) -> str:
    """What `compact_json` gives of texts, sooner."""
    try:
        return msgspec.json.encode(values).decode()
    except UnicodeEncodeError:  # half of a character
        return compact_json(values)


def _keep_sources(sources: pa.Array) -> pa.Array:
    """The JSON of lines with nothing but a source."""
    if pc.any(pc.match_substring_regex(sources, r'["\\\x00-\x1f]')).as_py():
        kept = _ENCODER.encode_lines([{"source-ref": source} for source in sources.to_pylist()])
        return pa.array(kept.decode().split("\n")[:-1], pa.string())
    return pc.binary_join_element_wise('{"source-ref":"', sources, '"}', "")


def collect_facts(
    lines: Iterable[Mapping[str, Any]], attribute: str, job_name: str = ""
) -> LineFacts:
    """What lines tell of their job and of the labels under an attribute."""
    reader = LineReader(attribute, job_name)
    for values in lines:
        reader.read(values)
    return reader.take_facts()
