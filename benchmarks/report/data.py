"""The page's table of the real data sets and where they are from."""

from collections.abc import Mapping
from typing import Any

from benchmarks.report.tables import markdown_table


def data_section(record: Mapping[str, Any] | None) -> list[str]:
    """The section's lines; none without a list of sources.

    Parameters
    ----------
    record : mapping, optional
        `sets` has of each set its name (`set`), what it is (`what`), where it is from
        (`source`), perhaps the address (`url`) and what is to be cited (`cite`), and the licence
        (`licence`), null where none is stated.
    """
    if not record:
        return []
    rows = [
        [entry["set"], entry["what"], _source(entry), entry["licence"] or "none stated"]
        for entry in record["sets"]
    ]
    return [
        "## Data",
        "",
        "The real sets of the sections above, and where they are from. None of their files is part "
        "of this project. Crews that are not here are synthetic.",
        "",
        *markdown_table(("set", "what it is", "source", "licence"), rows, rule="---|"),
    ]


def _source(entry: Mapping[str, Any]) -> str:
    """A link where there is an address, and what is to be cited."""
    url = entry.get("url")
    place = f"[{entry['source']}]({url})" if url else entry["source"]
    return f"{place}; {entry['cite']}" if entry.get("cite") else place
