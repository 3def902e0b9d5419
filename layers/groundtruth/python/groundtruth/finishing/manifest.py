"""Lines of a manifest, changed in one attribute and kept letter for letter in all others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from groundtruth.contract.fields import compact_json as compact_json
from groundtruth.errors import ContractError

OBJECT_ID_KEY = "dataset-objectid-attribute-name"
"""In a line of a streaming job: the key that holds its data object's id."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class Member:
    """One `"key": value` of a line: the key, and all between the commas or braces around it."""

    key: str
    text: str


@dataclass(frozen=True)
class Line:
    """One data object of a manifest."""

    number: int  # lines before it, which is the service's `datasetObjectId`
    text: str  # the line, without its end
    members: tuple[Member, ...]  # its parts, in order
    values: Mapping[str, Any]  # the line, decoded

    @classmethod
    def parse(cls, text: str, number: int, *, name: str = "manifest") -> Self:
        r"""Take a line apart.

        Parameters
        ----------
        text : str
            The line, without its end.
        number : int
            Lines before it.
        name : str, optional
            What the manifest is called in an error.

        Raises
        ------
        ContractError
            If it is not one JSON object.

        Examples
        --------
        >>> line = Line.parse('{"source-ref": "a.jpg",  "kind":[1, 2]}', 0)
        >>> [member.text for member in line.members]
        ['"source-ref": "a.jpg"', '  "kind":[1, 2]']
        """
        where = f"{name}, line {number + 1}"
        members = []
        values: dict[str, Any] = {}
        try:
            for key, value, part in _parts(text):
                members.append(Member(key, part))
                values[key] = value
        except json.JSONDecodeError as error:
            raise ContractError(f"is not JSON ({error})", path=where) from error
        except RecursionError as error:
            raise ContractError("is nested too deeply", path=where) from error
        except ValueError as error:
            raise ContractError(f"is no JSON object ({error})", path=where) from error
        return cls(number, text, tuple(members), values)

    def with_members(self, removed: Iterable[str], added: Mapping[str, Any]) -> str:
        """The line without some keys, and others in the place of the first of them.

        Parameters
        ----------
        removed : iterable of str
            Keys that shall not stay.
        added : mapping
            What comes in their place, or at the end if the line has none of them.

        Examples
        --------
        >>> line = Line.parse('{"source-ref": "a.jpg","kind":7,"site": "north"}', 0)
        >>> line.with_members(["kind"], {"kind": {"class": 7}})
        '{"source-ref": "a.jpg","kind":{"class":7},"site": "north"}'
        >>> line.with_members(["kind"], {})
        '{"source-ref": "a.jpg","site": "north"}'
        """
        gone = {*removed, *added}
        texts = [member.text for member in self.members if member.key not in gone]
        before = 0
        for member in self.members:
            if member.key in gone:
                break
            before += 1
        texts[before:before] = [
            f"{compact_json(key)}:{compact_json(value)}" for key, value in added.items()
        ]
        return "{" + ",".join(texts) + "}"


def _parts(text: str) -> Iterator[tuple[str, Any, str]]:
    """Key, value and text of each member; raises `ValueError` where there is no JSON object."""
    position = _expect(text, 0, "{")
    if text[_blanks(text, position) :][:1] == "}":
        position = _blanks(text, position) + 1
    else:
        while True:
            start = position
            key, position = _DECODER.raw_decode(text, _blanks(text, position))
            if not isinstance(key, str):
                raise ValueError("a key is not a text")
            value, position = _DECODER.raw_decode(text, _blanks(text, _expect(text, position, ":")))
            position = _blanks(text, position)
            yield key, value, text[start:position]
            if text[position : position + 1] != ",":
                position = _expect(text, position, "}")
                break
            position += 1
    if _blanks(text, position) != len(text):
        raise ValueError("something stands behind it")


def _blanks(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return position if blanks is None else blanks.end()


def _expect(text: str, position: int, mark: str) -> int:
    """Where the text goes on behind a mark."""
    position = _blanks(text, position)
    if text[position : position + 1] != mark:
        raise ValueError(f"{mark} is missing at character {position + 1}")
    return position + 1


def read_lines(lines: Iterable[bytes], *, name: str) -> Iterator[Line]:
    """Read a manifest line by line; blank lines are left out but counted.

    Raises
    ------
    ContractError
        If a line is not UTF-8 or not a JSON object; the path is `name` and its number, from 1.
    """
    for number, body in enumerate(lines):
        start = _BYTE_ORDER_MARK if number == 0 else b""
        try:
            text = body.removeprefix(start).decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise ContractError(
                f"is not UTF-8 ({error.reason})", path=f"{name}, line {number + 1}"
            ) from error
        if text.strip():
            yield Line.parse(text, number, name=name)


def candidate_ids(values: Mapping[str, Any], number: int, position: int) -> tuple[str, str, str]:
    """The ids that a line's data object may have in the files of its job.

    They are the one the line of a streaming job names; its number, from 0; and its number if
    blank lines do not count, as where an editor left them.

    Examples
    --------
    >>> candidate_ids({"dataset-objectid-attribute-name": "key", "key": "img-7"}, 5, 4)
    ('img-7', '5', '4')
    """
    key = values.get(OBJECT_ID_KEY)
    named = values.get(key) if isinstance(key, str) else None
    own = str(named) if isinstance(named, str | int) and named != "" else str(number)
    return own, str(number), str(position)


class IdChoice:
    """Finds out which of the lines' `candidate_ids` the files of a job know."""

    def __init__(self, is_known: Callable[[str], bool]) -> None:
        self._is_known = is_known
        self._counts = [0, 0, 0]

    def add(self, ids: Sequence[str]) -> None:
        """Take in a line; one whose ids are all the same tells nothing."""
        if len(set(ids)) > 1:
            for kind, object_id in enumerate(ids):
                self._counts[kind] += self._is_known(object_id)

    @property
    def best(self) -> int:
        """Which of the ids most lines are known by; of equal ones the first."""
        return self._counts.index(max(self._counts))
