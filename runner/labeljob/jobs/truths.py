"""What a perfect worker would answer to each data object of a job."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from groundtruth.errors import StorageError
from groundtruth.storage.s3 import ObjectStore
from labeljob.jobs.description import JobDescription, JobError
from labeljob.jobs.manifest_lines import ManifestLine
from labeljob.simulation.truth import TruthError, invented_truth, read_truth
from labeljob.tasks.base import Truth


def truths(description: JobDescription, store: ObjectStore) -> Callable[[ManifestLine], Truth]:
    """The truth of the job's file, or one that is invented from the seed; raises `TruthError`."""
    if description.truth:
        return _from_file(description)
    return _invented(description, store)


def _from_file(description: JobDescription) -> Callable[[ManifestLine], Truth]:
    path = Path(description.truth)
    table = read_truth(path, description.task, description.labels)

    def known(line: ManifestLine) -> Truth:
        if line.source_ref not in table:
            raise TruthError(f"says nothing of {line.source_ref}", path=path)
        return table[line.source_ref]

    return known


def _invented(description: JobDescription, store: ObjectStore) -> Callable[[ManifestLine], Truth]:
    folder = Path(description.manifest).parent

    def invented(line: ManifestLine) -> Truth:
        shape = _image_shape(line, folder, store) if description.task.label_is_mask else None
        return invented_truth(
            description.task, description.labels, line.object_id, shape, description.seed
        )

    return invented


def _image_shape(line: ManifestLine, folder: Path, store: ObjectStore) -> tuple[int, int]:
    """Rows and columns of an image, which a worker's mask has too."""
    where = f"manifest line {int(line.object_id) + 1}, {line.source_ref}"
    try:
        body = image_bytes(line.source_ref, folder, store)
        with Image.open(io.BytesIO(body)) as image:
            return image.height, image.width
    except (StorageError, OSError, UnidentifiedImageError) as error:
        raise JobError(f"{where}: the image cannot be read ({error})") from error


def image_bytes(source_ref: str, folder: Path, store: ObjectStore) -> bytes:
    """An image of a manifest: an object of the store, or a file."""
    if source_ref.startswith("s3://"):
        return store.read(source_ref)
    return (folder / source_ref).read_bytes()
