"""The side files of a job that is consolidated again: gold, a model's answers, confidence map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundtruth.aggregation.classification.calibration_maps import ConfidenceMap
from groundtruth.auxiliary_inputs import NO_LABELS, AuxiliaryLabels, parse_auxiliary_labels
from groundtruth.confidence_maps import parse_confidence_map
from groundtruth.errors import ContractError, StorageError
from labeljob.history.job import JobOnFile
from labeljob.jobs.description import JobError

_READERS: Mapping[str, tuple[str, Callable[..., AuxiliaryLabels | ConfidenceMap]]] = {
    "gold_labels_s3_uri": ("gold", parse_auxiliary_labels),
    "model_answers_s3_uri": ("model", parse_auxiliary_labels),
    "confidence_map_s3_uri": ("confidence_map", parse_confidence_map),
}


@dataclass(frozen=True, kw_only=True)
class SideFiles:
    """What side files know.

    Attributes
    ----------
    gold, model : AuxiliaryLabels
        Labels that are known beforehand, and a model's answers.
    confidence_map : ConfidenceMap or None
        How confidences are put right.
    """

    gold: AuxiliaryLabels = NO_LABELS
    model: AuxiliaryLabels = NO_LABELS
    confidence_map: ConfidenceMap | None = None


def with_side_files(
    job: JobOnFile, given: Mapping[str, Path | None] | None = None
) -> tuple[JobOnFile, SideFiles]:
    """A job with its side files: those of its settings, or those on this machine.

    Parameters
    ----------
    job : JobOnFile
        The job. A file of its settings that cannot be read is added to its damage, and the job
        is consolidated without it.
    given : mapping of str to Path or None, optional
        By the setting they stand for: ``gold_labels_s3_uri``, ``model_answers_s3_uri``,
        ``confidence_map_s3_uri``.

    Returns
    -------
    JobOnFile
        With the settings that fit.
    SideFiles
        What the files know.

    Raises
    ------
    JobError, ContractError
        If a given file cannot be read or understood, or the job is one of masks.
    """
    settings: dict[str, str] = {}
    found: dict[str, Any] = {}
    for setting, (name, parse) in _READERS.items():
        path, uri = (given or {}).get(setting), getattr(job.settings, setting)
        if path is not None:
            if not job.task.takes_auxiliary_inputs:
                raise JobError(f"{path}: masks know no gold, no model and no confidence map")
            settings[setting] = path.resolve().as_uri()
            found[name] = parse(_content(path), path=str(path))
        elif uri and job.task.takes_auxiliary_inputs:
            try:
                found[name] = parse(job.place.read(uri), path=uri)
            except (StorageError, ContractError) as error:
                job.damage.add(uri, str(error).removeprefix(f"{uri}: "))
                settings[setting] = ""
    known = SideFiles(**found)
    for side in (known.gold, known.model):
        _note_foreign_labels(side, job)
    return job.with_settings(**settings), known


def _note_foreign_labels(side: AuxiliaryLabels, job: JobOnFile) -> None:
    """Add the data objects whose known labels the job does not have to its damage."""
    for key, names in {**side.by_source, **side.by_id}.items():
        if unknown := sorted(set(names) - set(job.choices)):
            job.damage.add(key, f"its known label {unknown[0]!r} is none of the job's")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise JobError(f"{path} cannot be read ({error})") from error
