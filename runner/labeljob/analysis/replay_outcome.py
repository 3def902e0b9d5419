"""A whole replay: new manifests beside the old, what they change, and how good they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundtruth.finishing.labels import FoundLabel, found_label
from groundtruth.finishing.outcomes import METADATA
from groundtruth.tasks.base import algorithm_of
from groundtruth.worker_history.store import SkillStore
from labeljob.analysis.calls import Call
from labeljob.analysis.differences import Differences, compare
from labeljob.analysis.job_on_file import JobOnFile
from labeljob.analysis.label_masks import decoded_mask, job_mask
from labeljob.analysis.outcome_folder import MASKS, OutcomeFolder, ReplayStore
from labeljob.analysis.replaying import Replayed, replay
from labeljob.analysis.scores import scored
from labeljob.analysis.side_files import SideFiles
from labeljob.crowd.truth import Truth
from labeljob.job.lines import compact_json

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
            "task": job.task.value,
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
    labels: Mapping[str, FoundLabel | None],
    truths: Mapping[str, Truth] | None,
    job: JobOnFile,
    read_mask: Callable[[FoundLabel], NDArray[np.uint8] | None],
) -> Figures:
    known = {object_id: label for object_id, label in labels.items() if label}
    return scored(known, truths, job.classes, read_mask) if truths else {}


def _labels_like(
    before: Mapping[str, FoundLabel | None], replayed: Mapping[str, Replayed], job: JobOnFile
) -> dict[str, FoundLabel | None]:
    """The new labels in the style of the old ones, so that nothing but the label can differ."""
    builtin = any(label and label.account is None for label in before.values())
    style = "builtin" if builtin else "object"
    after = dict(before)
    for object_id, item in replayed.items():
        content = item.content(job, style)
        metadata = content.get(f"{job.attribute}{METADATA}")
        after[object_id] = found_label(content.get(job.attribute), metadata)
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


def _mask(label: FoundLabel, job: JobOnFile, folder: OutcomeFolder) -> NDArray[np.uint8] | None:
    """Class of each pixel of a label's mask, of the job or of the replay."""
    uri = label.mask_uri
    if uri is None or not uri.startswith(f"{folder.masks_uri}/"):
        return job_mask(job, uri)
    return decoded_mask(folder.read(f"{MASKS}/{uri.removeprefix(f'{folder.masks_uri}/')}"))


def _nulled(figures: Figures) -> dict[str, float | None]:
    """JSON knows no NaN."""
    return {name: None if value != value else value for name, value in figures.items()}
