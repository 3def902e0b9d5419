"""Files beside a job's own: true labels, gold labels, a model's answers, a confidence map."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from groundtruth.aggregation.classification.calibration_maps import ConfidenceMap
from groundtruth.auxiliary_inputs import (
    NO_LABELS,
    AuxiliaryLabels,
    parse_auxiliary_labels,
    parse_confidence_map,
)
from groundtruth.errors import ContractError, StorageError
from labeljob.history.job import JobOnFile
from labeljob.history.job_files import OutputLine
from labeljob.jobs.description import JobError
from labeljob.simulation.truth import TruthError, read_truth
from labeljob.tasks.base import JobType, Truth

_READERS: Mapping[str, tuple[str, Callable[..., AuxiliaryLabels | ConfidenceMap]]] = {
    "gold_labels_s3_uri": ("gold", parse_auxiliary_labels),
    "model_answers_s3_uri": ("model", parse_auxiliary_labels),
    "confidence_map_s3_uri": ("confidence_map", parse_confidence_map),
}


@dataclass(frozen=True, kw_only=True)
class AuxiliaryInputs:
    """What side files know."""

    gold: AuxiliaryLabels = NO_LABELS
    model: AuxiliaryLabels = NO_LABELS
    confidence_map: ConfidenceMap | None = None


def add_auxiliary_inputs(
    job: JobOnFile, paths: Mapping[str, Path | None] | None = None
) -> tuple[JobOnFile, AuxiliaryInputs]:
    """A job with its side files: those of its settings, or those on this machine.

    `paths` are by the setting they stand for. A file of the settings that cannot be read is
    added to the job's damage, and the job is consolidated without it.

    Raises `JobError` or `ContractError` if a given file cannot be read or understood, or the job is
    one of masks.
    """
    settings: dict[str, str] = {}
    known: dict[str, Any] = {}
    for setting, (name, parse) in _READERS.items():
        path, uri = (paths or {}).get(setting), getattr(job.settings, setting)
        if path is not None:
            if not job.task.takes_auxiliary_inputs:
                raise JobError(f"{path}: masks know no gold, no model and no confidence map")
            settings[setting] = path.resolve().as_uri()
            known[name] = parse(_content(path), path=str(path))
        elif uri and job.task.takes_auxiliary_inputs:
            try:
                known[name] = parse(job.place.read(uri), path=uri)
            except (StorageError, ContractError) as error:
                job.damage.add(uri, str(error).removeprefix(f"{uri}: "))
                settings[setting] = ""
    auxiliary = AuxiliaryInputs(**known)
    for side in (auxiliary.gold, auxiliary.model):
        _note_foreign_labels(side, job)
    return job.with_settings(**settings), auxiliary


def _note_foreign_labels(side: AuxiliaryLabels, job: JobOnFile) -> None:
    """Add the data objects whose known labels the job does not have to its damage."""
    for key, names in {**side.by_source, **side.by_id}.items():
        if unknown := sorted(set(names) - set(job.choices)):
            job.damage.add(key, f"its known label {unknown[0]!r} is none of the job's")
        elif names:
            try:
                job.task.name_truth(names)
            except ValueError as error:
                job.damage.add(key, f"what is known of it is not used: it {error}")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise JobError(f"{path} cannot be read ({error})") from error


SEPARATOR = ";"
"""Between the labels of one image in a CSV file."""

_ITEM_KEYS = ("ImageId", "item", "image", "id", "source-ref")
_LABEL_KEYS = ("Label", "label", "labels", "class")


def read_truths(
    path: Path, job_type: JobType, classes: Sequence[str], lines: Iterable[OutputLine]
) -> Mapping[str, Truth]:
    """The truth of data objects, by their ids.

    The file is JSON Lines as `labeljob run --truth` takes them (``source-ref`` and ``label``,
    ``labels`` or ``mask``); a JSON list of ``{"ImageId": …, "Label": …}``; or CSV with the columns
    ``item,label``. Several labels of one image are a JSON list, or one CSV cell with semicolons
    between them. A data object is found by its URI, its file name with or without its suffix, or
    its number, whichever comes first in the file.

    Raises `TruthError` if the file cannot be used, or names none of the data objects.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TruthError(f"cannot be read ({error})", path=path) from error
    start = text.lstrip()[:1]
    table: Mapping[str, Truth]
    if start == "{":
        table = read_truth(path, job_type, classes)
    else:
        records = _json_records(text, path) if start == "[" else _csv_records(text, path)
        table = dict(_checked(records, job_type, classes, path))
    truths = {}
    for line in lines:
        for name in _names_of(line):
            if name in table:
                truths[line.object_id] = table[name]
                break
    if not truths:
        raise TruthError("names none of the job's data objects", path=path)
    return truths


def _names_of(line: OutputLine) -> tuple[str, ...]:
    name = PurePosixPath(line.source)
    return (line.source, name.name, name.stem, line.object_id)


def _json_records(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    try:
        records = json.loads(text)
    except ValueError as error:
        raise TruthError(f"is not JSON ({error})", path=path) from error
    for number, record in enumerate(records, start=1):
        item = _first(record, _ITEM_KEYS)
        if item is None:
            raise TruthError(f"entry {number} has none of {', '.join(_ITEM_KEYS)}", path=path)
        yield str(item), _first(record, _LABEL_KEYS)


def _csv_records(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not row or (
            number == 1 and [cell.strip().lower() for cell in row[:2]] == ["item", "label"]
        ):
            continue
        if len(row) < 2:
            raise TruthError("has no second column, the label", path=path, line=number)
        yield row[0], [name.strip() for name in row[1].split(SEPARATOR)]


def _first(record: Any, keys: Sequence[str]) -> Any:
    values = record if isinstance(record, dict) else {}
    return next((values[key] for key in keys if key in values), None)


def _checked(
    records: Iterable[tuple[str, Any]], job_type: JobType, classes: Sequence[str], path: Path
) -> Iterator[tuple[str, Truth]]:
    if job_type.label_is_mask:
        raise TruthError("the truth of masks is JSON Lines with source-ref and mask", path=path)
    for item, value in records:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names:
            raise TruthError(f"the label of {item} is no name: {value!r}", path=path)
        if unknown := [name for name in names if name not in classes]:
            raise TruthError(
                f"{unknown[0]!r} (of {item}) is not a label ({', '.join(classes)})", path=path
            )
        try:
            yield item, job_type.name_truth(names)
        except ValueError as error:
            raise TruthError(f"{item} {error}", path=path) from error
