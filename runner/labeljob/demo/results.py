"""Read what a job left behind: labels, workers' answers, masks."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True, kw_only=True)
class LabeledObject:
    """One line of an output manifest with the answers behind it.

    Attributes
    ----------
    object_id : str
        Number of the line, from 0.
    source_ref : str
        S3 URI of the image.
    label : mapping
        The label in ``object`` style; empty if the data object got none.
    answers : tuple of (str, mapping)
        Worker's id and answer's content, sorted by id.
    """

    object_id: str
    source_ref: str
    label: Mapping[str, Any]
    answers: tuple[tuple[str, Mapping[str, Any]], ...]

    @property
    def status(self) -> str:
        """What became of the data object: ``consensus``, ``tie`` …."""
        return str(self.label.get("status", "no-usable-answer"))


def read_results(job_folder: Path, label_attribute_name: str) -> list[LabeledObject]:
    """Read a job's output manifest and worker responses.

    Parameters
    ----------
    job_folder : Path
        The folder that holds ``manifests/`` and ``annotations/``.
    label_attribute_name : str
        Where the labels are in the manifest.

    Returns
    -------
    list of LabeledObject
        In the order of the manifest.

    Raises
    ------
    OSError
        If the output manifest is not there.
    ValueError
        If a file is no JSON.
    """
    manifest = job_folder / "manifests" / "output" / "output.manifest"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    results = []
    for number, line in enumerate(line for line in lines if line.strip()):
        record = json.loads(line)
        label = record.get(label_attribute_name)
        results.append(
            LabeledObject(
                object_id=str(number),
                source_ref=record["source-ref"],
                label=label if isinstance(label, dict) else {},
                answers=_answers(job_folder, str(number)),
            )
        )
    return results


def local_path(uri: str, store: Path) -> Path:
    """Say where an S3 URI's object lies in a store that is a folder.

    Examples
    --------
    >>> local_path("s3://bucket/images/1.jpg", Path("store")).as_posix()
    'store/bucket/images/1.jpg'
    """
    return store / uri.removeprefix("s3://")


def answer_mask(content: Mapping[str, Any], labels: Sequence[str]) -> NDArray[np.uint8] | None:
    """Decode the mask of an answer from the segmentation page.

    Parameters
    ----------
    content : mapping
        The answer's content.
    labels : sequence of str
        All classes, in the order of the label category file.

    Returns
    -------
    ndarray of uint8, shape (rows, columns), or None
        0 for background, else the class's index + 1; None if there is no mask to be read.
    """
    try:
        answer = content["crowd-semantic-segmentation"]
        data = base64.b64decode(answer["labeledImage"]["pngImageData"], validate=True)
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.array(image.convert("RGBA"))
        colors = {
            name: np.frombuffer(bytes.fromhex(entry["color"].removeprefix("#")), dtype=np.uint8)
            for name, entry in answer["labelMappings"].items()
        }
    except (KeyError, TypeError, AttributeError, ValueError, OSError, SyntaxError):
        return None
    mask = np.zeros(pixels.shape[:2], dtype=np.uint8)
    for place, name in enumerate(labels, start=1):
        if name in colors:
            mask[(pixels[..., :3] == colors[name]).all(axis=-1) & (pixels[..., 3] > 0)] = place
    return mask


def _answers(job_folder: Path, object_id: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Answers of one data object: its newest file in the latest iteration that has one."""
    responses = job_folder / "annotations" / "worker-response"
    found = [
        (int(path.parents[1].name.removeprefix("iteration-")), path.name, path)
        for path in responses.glob(f"iteration-*/{object_id}/*.json")
    ]
    if not found:
        return ()
    answers = json.loads(max(found)[2].read_text(encoding="utf-8"))["answers"]
    return tuple(sorted(((a["workerId"], a["answerContent"]) for a in answers), key=lambda a: a[0]))
