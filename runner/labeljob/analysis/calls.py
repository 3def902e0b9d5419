"""The calls of the consolidation function that a job was made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from labeljob.analysis.output_lines import OutputLine

GAP = timedelta(seconds=5)
"""Labels that are further apart in time are of different calls."""

EPOCH = datetime.fromtimestamp(0, tz=UTC)


@dataclass(frozen=True)
class Call:
    """One call: which data objects were consolidated together, and when.

    Attributes
    ----------
    object_ids : tuple of str
        The data objects.
    made_at : datetime
        In UTC; the epoch if nothing tells.
    request : str or None
        URI of the call's own payload.
    """

    object_ids: tuple[str, ...]
    made_at: datetime
    request: str | None = None


def calls_by_date(lines: Sequence[OutputLine], attribute: str) -> list[Call]:
    """Tell calls apart by the labels' creation dates: a gap of more than 5 s begins a new call.

    Parameters
    ----------
    lines : sequence of OutputLine
        The output manifest.
    attribute : str
        The label attribute name.

    Returns
    -------
    list of Call
        In time order; the data objects of a call in the order of the manifest. Lines without a
        label of a human have no part in it.
    """
    dated = sorted(
        (moment, at)
        for at, line in enumerate(lines)
        if (moment := creation_date(line, attribute)) is not None
    )
    if not dated:
        return []
    starts = [0]
    starts += [at for at, (one, two) in enumerate(pairwise(dated), 1) if two[0] - one[0] > GAP]
    ends = [*starts[1:], len(dated)]
    return [_call(lines, dated[start:end]) for start, end in zip(starts, ends, strict=True)]


def _call(lines: Sequence[OutputLine], dated: Sequence[tuple[datetime, int]]) -> Call:
    places = sorted(at for _, at in dated)
    return Call(tuple(lines[at].object_id for at in places), dated[-1][0])


def creation_date(line: OutputLine, attribute: str) -> datetime | None:
    """When the label of a line was made, in UTC; None if no human made it or nobody says when."""
    metadata = line.metadata(attribute)
    if metadata.get("human-annotated") == "no":
        return None
    text = metadata.get("creation-date", metadata.get("creation_date"))
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def time_in_name(uri: str) -> datetime:
    """The time in the name of a call's file, in UTC; the epoch if there is none.

    Examples
    --------
    >>> time_in_name("s3://bucket/job/iteration-1/2026-03-02_10:15:28.json").isoformat()
    '2026-03-02T10:15:28+00:00'
    """
    numbers = [int(number) for number in re.findall(r"\d+", uri.rpartition("/")[2])[:6]]
    try:
        year, month, day, hour, minute, second = numbers
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return EPOCH
