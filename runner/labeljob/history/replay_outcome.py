"""A whole replay: new manifests beside the old, what they change, and how good they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.finishing.outcomes import METADATA
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import ObjectStore, S3Store
from groundtruth.tasks.base import BUILTIN, Label, algorithm_of
from groundtruth.tasks.registry import decode_label
from groundtruth.worker_history.store import SkillStore
from labeljob.history.auxiliary_inputs import SideFiles
from labeljob.history.differences import Differences, compare
from labeljob.history.job import JobOnFile, decoded_mask, job_mask
from labeljob.history.replay import Call, Replayed, replay
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace, ReadOnly
from labeljob.jobs.manifest_lines import compact_json
from labeljob.metrics.scores import score_labels
from labeljob.tasks.base import Truth

MASKS = "masks"
JOB_FOLDERS = ("annotations", "manifests")


@dataclass(frozen=True)
class OutcomeFolder:
    """A folder for what a replay writes.

    Attributes
    ----------
    store : ObjectStore
        Where it is.
    root : str
        Its URI, without a slash at its end.
    masks_uri : str
        What the manifests call the folder of masks: its URI, or a path from the manifest.
    """

    store: ObjectStore
    root: str
    masks_uri: str

    def write(self, name: str, body: bytes, *, content_type: str) -> None:
        """Create or replace a file; raises `StorageError`."""
        self.store.write(f"{self.root}/{name}", body, content_type=content_type, kms_key=None)

    def read(self, name: str) -> bytes:
        """Content of a file; raises `StorageError`."""
        return self.store.read(f"{self.root}/{name}")

    def shown(self, name: str) -> str:
        """A file as a person finds it: a path, or the URI itself."""
        uri = f"{self.root}/{name}" if name else self.root
        return str(self.store.path(uri)) if isinstance(self.store, FolderStore) else uri


def outcome_folder(place: JobPlace, out: str | None, default: str) -> OutcomeFolder:
    """The folder that the command line names, or one of its own in the job's.

    Parameters
    ----------
    place : JobPlace
        The job.
    out : str or None
        A folder or ``s3://bucket/prefix``.
    default : str
        Path below the job's folder if `out` is None.

    Raises
    ------
    JobError
        If it is the job's own folder, or lies among the job's own files.
    """
    if out is None:
        root = f"{place.root}/{default}"
        return OutcomeFolder(place.store, root, MASKS if place.is_copy else f"{root}/{MASKS}")
    if out.startswith("s3://"):
        root = out.rstrip("/")
        _check(root, place.root, out)
        return OutcomeFolder(S3Store(), root, f"{root}/{MASKS}")
    folder = Path(out).resolve()
    if isinstance(place.store, FolderStore):
        _check(str(folder), str(place.store.path(place.root)), out)
    return OutcomeFolder(
        FolderStore(folder.parents[1]), f"s3://{folder.parts[-2]}/{folder.name}", MASKS
    )


def _check(chosen: str, job: str, out: str) -> None:
    own = [f"{job}/{name}/" for name in JOB_FOLDERS]
    if chosen == job or any(f"{chosen}/".startswith(path) for path in own):
        raise JobError(f"--output {out} lies among the job's own files, which stay as they are")


class ReplayStore(ReadOnly):
    """Reads the job, and writes masks beside the new manifests.

    Parameters
    ----------
    place : JobPlace
        The job.
    outcome : OutcomeFolder
        Where masks go.
    """

    def __init__(self, place: JobPlace, outcome: OutcomeFolder) -> None:
        super().__init__(place)
        self._outcome = outcome

    def write(self, uri: str, body: bytes, *, content_type: str, kms_key: str | None) -> None:
        """Write a mask into the outcome's folder; raises `StorageError`."""
        name = f"{MASKS}/{uri.removeprefix(f'{self._outcome.masks_uri}/')}"
        self._outcome.write(name, body, content_type=content_type)


STYLES = ("object", "builtin")
SUMMARY = "replay.json"

type Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class ReplayOutcome:
    """What came of a replay.

    Attributes
    ----------
    job : JobOnFile
        The job, with the settings that were used.
    folder : OutcomeFolder
        Where the files are.
    calls : tuple of Call
        What was consolidated together.
    manifests : tuple of str
        Names of the new manifests.
    differences : Differences
        From the job's own manifest.
    before, after : dict of str to float
        Measures of the old and the new labels against the truth; empty without one.
    """

    job: JobOnFile
    folder: OutcomeFolder
    calls: tuple[Call, ...]
    manifests: tuple[str, ...]
    differences: Differences
    before: Figures
    after: Figures

    def as_json(self) -> dict[str, Any]:
        """The outcome for `--json`; a figure that cannot be had is null."""
        job = self.job
        return {
            "job": job.name,
            "task": job.task.name,
            "algorithm": algorithm_of(job.core, job.settings),
            "classes": list(job.classes),
            "classes-from": job.classes_from,
            "calls": [len(call.object_ids) for call in self.calls],
            "manifests": {name: self.folder.shown(name) for name in self.manifests},
            "differences": self.differences.as_json(),
            "against-truth": {"before": _nulled(self.before), "after": _nulled(self.after)}
            if self.after
            else None,
            "damage": job.damage.as_json(),
        }


def replay_job(
    job: JobOnFile,
    calls: Sequence[Call],
    folder: OutcomeFolder,
    *,
    styles: Sequence[str] = STYLES,
    truths: Mapping[str, Truth] | None = None,
    side_files: SideFiles | None = None,
    skills: SkillStore | None = None,
    advance: Callable[[], object] = lambda: None,
) -> ReplayOutcome:
    """Consolidate a job again, write the new manifests and compare them with the old one.

    Parameters
    ----------
    job : JobOnFile
        The job, with the settings to use.
    calls : sequence of Call
        What is consolidated together.
    folder : OutcomeFolder
        Where manifests, masks and a summary go.
    styles : sequence of str
        Output styles to write a manifest in.
    truths : mapping of str to Truth, optional
        By the data objects' ids.
    side_files : SideFiles, optional
        What is known besides the answers.
    skills : SkillStore, optional
        Keeps what a call teaches about its workers for the calls after it.
    advance : callable
        Called as each data object is taken up.

    Raises
    ------
    StorageError
        If something cannot be written.
    """
    again = replay(
        job,
        calls,
        store=ReplayStore(job.place, folder),
        masks_uri=folder.masks_uri,
        side_files=side_files,
        skills=skills,
        advance=advance,
    )
    replayed = {item.object_id: item for item in again}
    manifests = tuple(_manifest(job, replayed, folder, style) for style in styles)
    before = {line.object_id: line.label(job.attribute) for line in job.lines}
    after = _labels_like(before, replayed, job)
    read_mask = partial(_mask, job=job, folder=folder)
    sources = {line.object_id: line.source for line in job.lines}
    figures = [_figures(labels, truths, job, read_mask) for labels in (before, after)]
    outcome = ReplayOutcome(
        job=job,
        folder=folder,
        calls=tuple(calls),
        manifests=manifests,
        differences=compare(before, after, sources, read_mask),
        before=figures[0],
        after=figures[1],
    )
    summary = json.dumps(outcome.as_json(), indent=2, ensure_ascii=False) + "\n"
    folder.write(SUMMARY, summary.encode(), content_type="application/json")
    return outcome


def _figures(
    labels: Mapping[str, Label | None],
    truths: Mapping[str, Truth] | None,
    job: JobOnFile,
    read_mask: Callable[[Label], NDArray[np.uint8] | None],
) -> Figures:
    known = {object_id: label for object_id, label in labels.items() if label}
    return score_labels(job.task, known, truths, job.classes, read_mask) if truths else {}


def _labels_like(
    before: Mapping[str, Label | None], replayed: Mapping[str, Replayed], job: JobOnFile
) -> dict[str, Label | None]:
    """The new labels in the style of the old ones, so that nothing but the label can differ."""
    builtin = any(label and label.style == BUILTIN for label in before.values())
    style = "builtin" if builtin else "object"
    after = dict(before)
    for object_id, item in replayed.items():
        content = item.content(job, style)
        metadata = content.get(f"{job.attribute}{METADATA}")
        after[object_id] = decode_label(content.get(job.attribute), metadata)
    return after


def _manifest(
    job: JobOnFile, replayed: Mapping[str, Replayed], folder: OutcomeFolder, style: str
) -> str:
    """Write the manifest in one style; a line without answers stays letter for letter."""
    keys = (job.attribute, f"{job.attribute}{METADATA}")
    texts = []
    for line in job.lines:
        item = replayed.get(line.object_id)
        if item is None or (line.text and not line.values):
            texts.append(line.text or compact_json(dict(line.values)))
        else:
            kept = {key: value for key, value in line.values.items() if key not in keys}
            texts.append(compact_json({**kept, **item.content(job, style)}))
    name = f"{style}.manifest"
    body = "".join(f"{text}\n" for text in texts)
    folder.write(name, body.encode(), content_type="application/jsonlines")
    return name


def _mask(label: Label, job: JobOnFile, folder: OutcomeFolder) -> NDArray[np.uint8] | None:
    """Class of each pixel of a label's mask, of the job or of the replay."""
    uri = label.mask_uri
    if uri is None or not uri.startswith(f"{folder.masks_uri}/"):
        return job_mask(job, uri)
    return decoded_mask(folder.read(f"{MASKS}/{uri.removeprefix(f'{folder.masks_uri}/')}"))


def _nulled(figures: Figures) -> dict[str, float | None]:
    """JSON knows no NaN."""
    return {name: None if value != value else value for name, value in figures.items()}
