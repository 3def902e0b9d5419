"""A job as four tables, in Parquet and in CSV: objects, answers, workers and pairs of workers.

The schemas are in `schemas`. Within a job, ``object_id`` joins objects and answers, ``worker_id``
answers and workers, and ``worker_a`` and ``worker_b`` pairs and workers.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any, TypeAlias

from groundtruth.compat import batched
from labeljob.history.job import JobOnFile, ObjectAnnotations
from labeljob.history.job_files import OutputLine
from labeljob.history.replay import read_creation_date
from labeljob.metrics.agreement import known, measure_agreement, measure_dispute, remember
from labeljob.metrics.workers import Worker, flag_workers, tabulate_workers
from labeljob.output_files import draft_folder, escape_halves
from labeljob.tasks.base import JobType

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "objects": {
        "object_id": "text",
        "source": "text",
        "labels": "texts",
        "label_ids": "wholes",
        "confidences": "numbers",
        "confidence": "number",
        "status": "text",
        "mask_uri": "text",
        "labeled_at": "time",
        "answers": "whole",
        "set_aside": "whole",
        "dispute": "number",
    },
    "answers": {
        "object_id": "text",
        "worker_id": "text",
        "usable": "bool",
        "labels": "texts",
        "reason": "text",
        "detail": "text",
        "submitted_at": "time",
        "seconds": "number",
        "agreement": "number",
        "comment": "text",
    },
    "workers": {
        "worker_id": "text",
        "answers": "whole",
        "set_aside": "whole",
        "agreement": "number",
        "agreement_low": "number",
        "agreement_high": "number",
        "median_seconds": "number",
        "median_pace": "number",
        "flags": "texts",
    },
    "pairs": {
        "worker_a": "text",
        "worker_b": "text",
        "objects": "whole",
        "agreement": "number",
    },
}
TABLES = tuple(COLUMNS)

TOGETHER = 50_000
"""Rows that are written at once."""

Row: TypeAlias = dict[str, Any]


def schemas() -> Mapping[str, Any]:
    """The schema of each table; shares and confidences are in [0, 1], times in UTC and seconds."""
    import pyarrow as pa  # type: ignore[import-untyped]

    kinds = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "number": pa.float64(),
        "numbers": pa.list_(pa.float64()),
        "whole": pa.int64(),
        "wholes": pa.list_(pa.int64()),
        "bool": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    return {
        table: pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
        for table, columns in COLUMNS.items()
    }


def write_tables(
    job: JobOnFile,
    objects: Sequence[ObjectAnnotations],
    folder: Path,
    *,
    advance: Callable[[], object] = lambda: None,
) -> dict[str, int]:
    """Write the tables of a job, all or none; raises `OutputError`."""
    import pyarrow as pa
    from pyarrow import parquet

    classes = job.unit_classes
    workers = tabulate_workers(objects, job.task, len(classes))
    flag_workers(workers, objects, job.task, classes)
    rows: dict[str, Iterator[Row]] = {
        "objects": _objects(job, objects, classes),
        "answers": _answers(objects, job.task, classes),
        "workers": map(_worker, workers.values()),
        "pairs": _pairs(objects, job.task),
    }
    counts = {}
    with draft_folder(folder) as draft:
        for name, schema in schemas().items():
            counts[name] = 0
            with (
                parquet.ParquetWriter(
                    draft / f"{name}.parquet", schema, compression="zstd"
                ) as table,
                (draft / f"{name}.csv").open("w", encoding="utf-8", newline="") as file,
            ):
                lines = csv.DictWriter(file, COLUMNS[name], lineterminator="\n")
                lines.writeheader()
                for some in batched(rows[name], TOGETHER):
                    content = [
                        {key: _storable(value) for key, value in row.items()} for row in some
                    ]
                    table.write_table(pa.Table.from_pylist(content, schema=schema))
                    lines.writerows(
                        {key: _cell(value, key) for key, value in row.items()} for row in content
                    )
                    counts[name] += len(content)
            advance()
    return counts


def _storable(value: Any) -> Any:
    """The value, without what no file can hold: halves of surrogate pairs, numbers too large."""
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, int) and value.bit_length() > 63:
        return None
    return escape_halves(value) if isinstance(value, str) else value


def _cell(value: Any, column: str) -> Any:
    """The value in a cell of a CSV file; what a worker wrote is no formula there."""
    if column == "comment" and value and value[0] in "=+-@\t\r":
        return f"'{value}"
    if isinstance(value, list):
        return ";".join("" if item is None else str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else value


def _objects(
    job: JobOnFile, objects: Sequence[ObjectAnnotations], classes: Sequence[str]
) -> Iterator[Row]:
    dispute = remember(lambda choices: measure_dispute(choices, job.task.n_values(len(classes))))
    for line, obj in _pair(job.lines, objects):
        label = line.label(job.attribute) if line else None
        source = (line.source if line else "") or (obj.source if obj else "")
        yield {
            "object_id": line.object_id if line else obj.object_id if obj else None,
            "source": source or None,
            "labels": [one.name for one in label.classes] if label else None,
            "label_ids": [one.class_id for one in label.classes] if label else None,
            "confidences": [one.confidence for one in label.classes] if label else None,
            "confidence": label.confidence if label else None,
            "status": (label.status or None) if label else None,
            "mask_uri": label.mask_uri if label else None,
            "labeled_at": read_creation_date(line, job.attribute) if line else None,
            "answers": len(obj.workers) if obj else 0,
            "set_aside": len(obj.rejected) if obj else 0,
            "dispute": dispute(obj.choices) if obj and obj.workers else None,
        }


def _pair(
    lines: Sequence[OutputLine], objects: Sequence[ObjectAnnotations]
) -> Iterator[tuple[OutputLine | None, ObjectAnnotations | None]]:
    """Each line with its answers, then the answers to no line."""
    left = {obj.object_id: obj for obj in objects}
    for line in lines:
        yield line, left.pop(line.object_id, None)
    for obj in left.values():
        yield None, obj


def _answers(
    objects: Sequence[ObjectAnnotations], task: JobType, classes: Sequence[str]
) -> Iterator[Row]:
    score = remember(
        lambda choices: [
            {
                "labels": task.name_choices(own, classes),
                "agreement": measure_agreement(choices, at, task, len(classes)),
            }
            for at, own in enumerate(choices)
        ]
    )
    for obj in objects:
        for worker, scored in zip(obj.workers, score(obj.choices), strict=True):
            yield {**_given(obj, worker), "usable": True, **scored}
        for item in obj.rejected:
            row = _given(obj, item.worker_id)
            yield {**row, "usable": False, "reason": item.reason, "detail": item.detail}


def _given(obj: ObjectAnnotations, worker: str) -> Row:
    answer_time = obj.answer_times.get(worker)
    return {
        "object_id": obj.object_id,
        "worker_id": worker,
        "submitted_at": answer_time.submitted if answer_time else None,
        "seconds": answer_time.seconds if answer_time else None,
        "comment": obj.comments.get(worker),
    }


def _worker(worker: Worker) -> Row:
    low, high = worker.interval
    return {
        "worker_id": worker.worker_id,
        "answers": worker.answers,
        "set_aside": worker.rejected,
        "agreement": known(worker.agreement),
        "agreement_low": low if worker.agreements else None,
        "agreement_high": high if worker.agreements else None,
        "median_seconds": known(worker.seconds),
        "median_pace": known(worker.pace),
        "flags": [flag for flag, _ in worker.flags],
    }


def _pairs(objects: Sequence[ObjectAnnotations], task: JobType) -> Iterator[Row]:
    """Of a single label the share of the same answers; else the mean Jaccard index or IoU."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    counts: Counter[tuple[str, str]] = Counter()
    compare = remember(
        lambda choices: [task.similarity(*pair) for pair in combinations(choices, 2)]
    )
    for obj in objects:
        order = sorted(range(len(obj.workers)), key=obj.workers.__getitem__)
        pairs = list(combinations([obj.workers[at] for at in order], 2))
        for pair, score in zip(pairs, compare(obj.choices[order]), strict=True):
            sums[pair] += score
        counts.update(pairs)
    for (one, other), count in sorted(counts.items()):
        mean = sums[one, other] / count
        yield {"worker_a": one, "worker_b": other, "objects": count, "agreement": mean}
