"""What the Lambda figures are to stay below."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.common.record import rows_of
from benchmarks.report.tables import number

BATCH = "50 x 9"
NUMPY_ONLY = "a classification ACS function"

type Row = Mapping[str, Any]


class Aim:
    """A figure beside what it is to stay below."""

    def __init__(self, what: str, values: Sequence[float], limit: float, unit: str) -> None:
        """The largest of some values counts."""
        digits = 0 if min(values) >= 100 else 2 if max(values) < 5 else 1
        self.what = what
        self.reached = max(values) < limit
        self.text = f"{number(max(values), digits)} {unit}"
        self.aim = f"below {limit:g} {unit}"


def aims_of(record: Row) -> Iterator[Aim]:
    """The aims for which the result has a figure."""
    starts, warm = rows_of(record["starts"]), rows_of(record["warm"])
    sizes, imports = rows_of(record["sizes"]), rows_of(record["imports"])
    numpy_path = [row["cpu_ms"] for row in imports if row["what"] == NUMPY_ONLY]
    figures = (
        (
            "PRE: start (init), whole processor, slowest function's median",
            [r["init_ms"] for r in starts if _is_pre(r) and r["memory_mb"] is None],
            150,
            "ms",
        ),
        (
            "PRE: warm call, slowest function's median",
            [r["ms_p50"] for r in warm if _is_pre(r) and r["objects_from"] == "S3"],
            2,
            "ms",
        ),
        (
            f"ACS, classification: warm call, {BATCH}, without S3, slower function's median",
            [r["ms_p50"] for r in warm if _is_batch(r) and r["objects_from"] != "S3"],
            15,
            "ms",
        ),
        ("ACS, classification: processor time of imports, median", numpy_path, 150, "ms"),
        ("PRE: unzipped, largest function", [r["mb"] for r in sizes if _is_pre(r)], 10, "MB"),
        (
            "ACS, classification: unzipped, larger function",
            [r["mb"] for r in sizes if _is_classification(r)],
            90,
            "MB",
        ),
    )
    yield from (Aim(*figure) for figure in figures if figure[1])


def _is_pre(row: Row) -> bool:
    return bool(row["function"].startswith("pre_"))


def _is_classification(row: Row) -> bool:
    return bool(row["function"].startswith("acs_image_"))


def _is_batch(row: Row) -> bool:
    return _is_classification(row) and row["input"] == BATCH
