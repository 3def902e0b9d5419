"""The labeled images of a job, one at a time, as every export wants them."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from groundtruth.errors import StorageError
from groundtruth.tasks.base import Label
from groundtruth.tasks.segmentation.task import BACKGROUND
from labeljob.history.job import JobOnFile, decode_mask
from labeljob.history.job_files import OutputLine
from labeljob.jobs.image_files import image_name
from labeljob.output_files import escape_halves


@dataclass(frozen=True, kw_only=True)
class LabeledImage:
    """One image with its label.

    Attributes
    ----------
    object_id, source : str
        The data object.
    name : str
        A file name that no other image has, without its suffix or with it.
    label : Label
        Its label.
    indices : tuple of int
        Of its classes in the export's order; of a mask all that the label lists.
    mask : ndarray of uint8, shape (rows, columns), or None
        0 for the background, else the class's index + 1.
    split : str
        The part of the export that it belongs to; empty if there are no parts.
    """

    object_id: str
    source: str
    name: str
    label: Label
    indices: tuple[int, ...]
    mask: NDArray[np.uint8] | None
    read: Callable[[], bytes]
    split: str = ""

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.name).stem

    @cached_property
    def content(self) -> bytes | None:
        """The image file; None if it cannot be read."""
        try:
            return self.read()
        except (OSError, StorageError):
            return None

    @cached_property
    def size(self) -> tuple[int, int] | None:
        """Rows and columns; None if neither mask nor image tells."""
        if self.mask is not None:
            return (int(self.mask.shape[0]), int(self.mask.shape[1]))
        return next(iter(self.image_sizes), None)

    @cached_property
    def image_sizes(self) -> list[tuple[int, int]]:
        """Rows and columns of the image file, and as it is shown if its Exif turns it on its side.

        Empty if it cannot be read.
        """
        if self.content is None:
            return []
        try:
            with Image.open(io.BytesIO(self.content)) as image:
                on_its_side = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
                sizes = [(image.height, image.width), (image.width, image.height)]
                return sizes[: 1 + on_its_side]
        except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
            return []


@dataclass
class LeftOut:
    """Data objects that are not in an export, by the reason."""

    by_reason: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, object_id: str) -> None:
        """Note a data object."""
        self.by_reason[reason].append(object_id)

    def count(self) -> int:
        """How often one was noted."""
        return sum(map(len, self.by_reason.values()))


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which labels are exported.

    Attributes
    ----------
    above : float
        The least confidence of a label, in [0, 1]; of several labels of an image each one's.
    below : float or None
        Only images whose label has less confidence than this, or none.
    manifest : Path or None
        A manifest that was made of the job's answers; its masks lie beside it.
    unlabeled : bool
        Whether images without a label are exported too, as if their label had no class.
    """

    above: float = 0.0
    below: float | None = None
    manifest: Path | None = None
    unlabeled: bool = False


def labeled_images(
    job: JobOnFile,
    lines: Sequence[OutputLine],
    choice: Choice,
    left_out: LeftOut,
    splits: Mapping[str, str] | None = None,
) -> Iterator[LabeledImage]:
    """The labeled images of a job, in the order of the lines.

    `splits` is the part that each data object's image belongs to, by its id.
    """
    taken: set[str] = set()
    for line in lines:
        name = _name(line, taken)
        found = _image(job, line, name, choice)
        if isinstance(found, str):
            left_out.add(found, line.object_id)
        else:
            yield replace(found, split=splits.get(line.object_id, "")) if splits else found


def choose_label(job: JobOnFile, line: OutputLine, choice: Choice) -> Label | str:
    """The label that is exported, or why there is none."""
    label = line.label(job.attribute)
    if label is None or not label.classes:
        return Label(task=job.core.schema_name) if choice.unlabeled else "no label"
    if label.task != job.core.schema_name:
        return f"a label of {label.task}"
    if choice.below is not None and (label.confidence or 0.0) >= choice.below:
        return f"confidence not below {choice.below}"
    sure = [one for one in label.classes if (one.confidence or 0.0) >= choice.above]
    if not sure:
        return "no confidence" if label.confidence is None else f"confidence below {choice.above}"
    if not job.task.label_is_mask:
        label = replace(label, classes=tuple(sure))
    if unknown := [one for one in class_names(job, label) if one not in job.choices]:
        return f"class {unknown[0]!r}, which is not the job's"
    return label


def class_names(job: JobOnFile, label: Label) -> list[str]:
    """The classes of a label; of a mask all but the background."""
    is_mask = job.task.label_is_mask
    return [one.name for one in label.classes if not (is_mask and one.name == BACKGROUND)]


def _image(job: JobOnFile, line: OutputLine, name: str, choice: Choice) -> LabeledImage | str:
    """The image, or why there is none."""
    label = choose_label(job, line, choice)
    if isinstance(label, str):
        return label
    has_mask = job.task.label_is_mask and bool(label.classes)
    mask = read_mask_by_classes(job, label, choice.manifest) if has_mask else None
    if isinstance(mask, str):
        return mask
    image = LabeledImage(
        object_id=escape_halves(line.object_id),
        source=escape_halves(line.source),
        name=name,
        label=label,
        indices=tuple(job.choices.index(one) for one in class_names(job, label)),
        mask=mask,
        read=partial(job.place.read, line.source),
    )
    if mask is not None and image.image_sizes and image.size not in image.image_sizes:
        (height, width), *_ = image.image_sizes
        rows, columns = mask.shape
        return f"the mask has {columns} x {rows} pixels, its image {width} x {height}"
    return image


def read_mask_by_classes(
    job: JobOnFile, label: Label, manifest: Path | None = None
) -> NDArray[np.uint8] | str:
    """The mask with the job's own indices, or why there is none.

    A mask of a `manifest` that was made of the job's answers may lie beside it.
    """
    uri = label.mask_uri or ""
    try:
        if manifest is not None and not uri.startswith("s3://"):
            body = (manifest.parent / uri).read_bytes()
        else:
            body = job.place.read(uri)
        pixels = decode_mask(body, label, job.damage)
    except (OSError, StorageError):
        return "the mask cannot be read"
    except ValueError as error:
        return f"the mask {error}"
    index = np.full(256, -1, dtype=np.int16)
    index[0] = 0
    for one in (one for one in label.classes if one.class_id < index.size):
        known = one.name in job.choices
        index[one.class_id] = job.choices.index(one.name) + 1 if known else 0
    if (index[np.unique(pixels)] < 0).any():
        return "the mask has pixels of no class"
    return index[pixels].astype(np.uint8)


def _name(line: OutputLine, taken: set[str]) -> str:
    """The image's own file name, with the data object's id before it if another has that stem."""
    name = escape_halves(image_name(line.source)) or f"{line.object_id}.jpg"
    while PurePosixPath(name).stem.lower() in taken:
        name = f"{line.object_id}_{name}"
    taken.add(PurePosixPath(name).stem.lower())
    return name
