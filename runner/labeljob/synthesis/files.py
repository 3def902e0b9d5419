"""The files of a synthetic job, written as they are made."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from PIL import Image

from groundtruth.contract.labels import label_category_file
from groundtruth.storage.folder import FolderStore
from labeljob.crowd.canvas import canvas_png, label_colors
from labeljob.crowd.truth import Truth
from labeljob.job.description import description_path
from labeljob.job.lines import compact_json
from labeljob.job.wire import acs_event, pre_event
from labeljob.output_files import write_text
from labeljob.synthesis.generation import Synthesis, Synthesized, SynthesizedObject
from labeljob.task_types import TaskType

MANIFEST, TRUTH, MASKS = "input.manifest", "truth.jsonl", "truth-masks"
PRE_EVENTS, ACS_EVENTS = "events/pre.jsonl", "events/acs.jsonl"
DESCRIPTIONS = ".labeling-jobs"
_JSON = "application/json"
_MEMBER = dict(zip(TaskType, ("label", "labels", "mask"), strict=True))


@dataclass
class Written:
    """How much was written."""

    objects: int = 0
    answers: int = 0
    late: int = 0
    calls: int = 0


def write_files(
    synthesis: Synthesis, folder: Path, *, tree: bool, advance: Callable[[int], None]
) -> Written:
    """Write all files of a synthetic job.

    Parameters
    ----------
    synthesis : Synthesis
        The job.
    folder : Path
        Where: manifest, truth, events and job description lie in it, the job's own files under
        ``labeljob/jobs/<job>`` as Ground Truth lays them out.
    tree : bool
        Whether each data object gets its worker-response file; the payloads hold the same
        answers in a few files.
    advance : callable
        Told how many data objects were written.

    Returns
    -------
    Written

    Raises
    ------
    OutputError
        If the job's description cannot be written.
    StorageError
        If a file of the job cannot be written.
    """
    description, store, written = synthesis.description, FolderStore(folder), Written()
    labels = json.dumps(label_category_file(list(description.labels))).encode()
    store.write(description.label_file, labels, content_type=_JSON, kms_key=None)
    job = json.dumps(description.as_json(), indent=2)
    write_text(description_path(folder / DESCRIPTIONS, description.name), f"{job}\n")
    (folder / "events").mkdir(exist_ok=True)
    with ExitStack() as stack:

        def opened(name: str) -> TextIO:
            return stack.enter_context((folder / name).open("w", encoding="utf-8", newline="\n"))

        manifest, truths = opened(MANIFEST), opened(TRUTH)
        pre_events, acs_events = opened(PRE_EVENTS), opened(ACS_EVENTS)
        for batch in synthesis.batches():
            for one in batch.objects:
                manifest.write(f"{one.line.text}\n")
                truths.write(f"{compact_json(_truth_line(synthesis, one, folder, store))}\n")
                pre_events.write(f"{compact_json(pre_event(description, one.line.values))}\n")
                if tree:
                    _write_response(synthesis, one, store)
            acs_events.write(f"{compact_json(_payload(synthesis, batch, store))}\n")
            _count(written, batch)
            advance(len(batch.objects))
    return written


def _payload(synthesis: Synthesis, batch: Synthesized, store: FolderStore) -> dict[str, Any]:
    """Write a batch's payload; its event."""
    uri = synthesis.description.layout.request(batch.called)
    store.write(uri, json.dumps(batch.payload).encode(), content_type=_JSON, kms_key=None)
    return acs_event(synthesis.description, uri)


def _write_response(synthesis: Synthesis, one: SynthesizedObject, store: FolderStore) -> None:
    uri = synthesis.description.layout.worker_response(one.line.object_id, one.submitted)
    body = compact_json(one.response).encode()
    store.write(uri, body, content_type=_JSON, kms_key=None)


def _truth_line(
    synthesis: Synthesis, one: SynthesizedObject, folder: Path, store: FolderStore
) -> dict[str, Any]:
    """A line of the truth file; a mask is written beside it, and an image that shows it."""
    value: Any = one.truth
    if isinstance(one.truth, frozenset):
        value = [name for name in synthesis.description.labels if name in one.truth]
    elif isinstance(one.truth, np.ndarray):
        value = f"{MASKS}/{one.line.object_id}.png"
        (folder / MASKS).mkdir(exist_ok=True)
        Image.fromarray(one.truth, mode="L").save(folder / value)
        body = _picture(one.truth, synthesis)
        store.write(one.line.source_ref, body, content_type="image/png", kms_key=None)
    return {"source-ref": one.line.source_ref, _MEMBER[synthesis.description.task]: value}


def _picture(truth: Truth, synthesis: Synthesis) -> bytes:
    """An image of a true mask: each class in its colour."""
    colors = label_colors(synthesis.description.labels)
    return canvas_png(np.asarray(truth, dtype=np.uint8), list(colors.values()))


def _count(written: Written, batch: Synthesized) -> None:
    for one in batch.objects:
        written.objects += 1
        written.answers += len(one.response["answers"])
        written.late += len(one.response["answers"]) - len(one.in_time["answers"])
    written.calls += 1
