"""What the consolidation function answered for each data object, looked up by its id.

A job has up to 100,000 data objects and as many response files, so the index is a file.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import Any, Self

from groundtruth.contract.fields import embedded_json
from groundtruth.finishing.manifest_lines import compact_json
from groundtruth.storage import ObjectStore

READERS = 8
"""Response files read at once; each is 6 MB at most, the size of a function's answer."""

METADATA = "-metadata"

_ITERATION = re.compile(r"/iteration-(\d+)/[^/]+$")


@dataclass(frozen=True)
class Response:
    """The last answer for one data object.

    Attributes
    ----------
    content : mapping
        The job's label attribute and its metadata, as far as the answer has them.
    file_time : datetime or None
        When the answer was stored, in UTC, as its file's name says.
    """

    content: Mapping[str, Any]
    file_time: datetime | None


class ResponseIndex:
    """The last answer for each data object of a job.

    Parameters
    ----------
    path : Path
        File of the index, which is made.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE response (id TEXT PRIMARY KEY, place TEXT, content TEXT) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def read(self, prefix: str, attribute: str | None, store: ObjectStore) -> str | None:
        """Take in all response files of a job.

        Parameters
        ----------
        prefix : str
            URI that theirs begin with.
        attribute : str or None
            The label attribute name; None for that of the first answer.
        store : ObjectStore
            Where they are.

        Returns
        -------
        str or None
            The label attribute name, if it is known now.

        Raises
        ------
        StorageError, ContractError
            If a file cannot be read or is not JSON.
        """
        with ThreadPoolExecutor(READERS) as pool:
            for uris in batched(store.list(prefix), READERS, strict=False):
                for uri, body in zip(uris, pool.map(store.read, uris), strict=True):
                    contents = list(_contents(embedded_json(body, path=uri)))
                    attribute = attribute or _attribute(contents)
                    if attribute is not None:
                        self._take(contents, attribute, _place(uri))
        return attribute

    def _take(
        self, contents: list[tuple[str, Mapping[str, Any]]], attribute: str, place: str
    ) -> None:
        keys = (attribute, f"{attribute}{METADATA}")
        rows = [
            (object_id, place, compact_json({key: content[key] for key in keys if key in content}))
            for object_id, content in contents
        ]
        self._database.executemany(
            "INSERT INTO response VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
            "SET place = excluded.place, content = excluded.content "
            "WHERE excluded.place >= response.place",
            rows,
        )

    def get(self, object_id: str) -> Response | None:
        """The last answer for a data object; None if there is none."""
        row = self._database.execute(
            "SELECT place, content FROM response WHERE id = ?", (object_id,)
        ).fetchone()
        return None if row is None else Response(json.loads(row[1]), _time(row[0]))

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM response").fetchone()
        return int(count)


def _contents(response: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Id and content of each entry; what has another shape is not from functions like ours."""
    for item in response if isinstance(response, list) else ():
        annotation = item.get("consolidatedAnnotation") if isinstance(item, dict) else None
        content = annotation.get("content") if isinstance(annotation, dict) else None
        object_id = item.get("datasetObjectId") if isinstance(item, dict) else None
        if isinstance(content, dict) and isinstance(object_id, str | int):
            yield str(object_id), content


def _attribute(contents: list[tuple[str, Mapping[str, Any]]]) -> str | None:
    """The label attribute name, from the first key there is."""
    keys = (key for _, content in contents for key in content)
    return next((key.removesuffix(METADATA) for key in keys), None)


def _place(uri: str) -> str:
    """A text that orders files by iteration, then by time."""
    found = _ITERATION.search(uri)
    iteration = int(found[1]) if found else 0
    return f"{iteration:09d} {uri.rpartition('/')[2].removesuffix('.json')}"


def _time(place: str) -> datetime | None:
    """The time in a file's name: ``2026-03-02_10:15:28``, with or without a fraction."""
    numbers = re.findall(r"\d+", place.partition(" ")[2])
    if not 6 <= len(numbers) <= 7:
        return None
    microseconds = int(numbers[6][:6].ljust(6, "0")) if len(numbers) == 7 else 0
    year, month, day, hour, minute, second = (int(number) for number in numbers[:6])
    try:
        return datetime(year, month, day, hour, minute, second, microseconds, tzinfo=UTC)
    except ValueError:
        return None
