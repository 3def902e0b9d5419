"""Masks of an earlier job: whether the workers of one that shows them can see them."""

from __future__ import annotations

import struct
from typing import BinaryIO

from groundtruth.errors import GroundTruthError, StorageError
from groundtruth.pre_annotation import find_earlier
from labeljob.jobs.manifest_lines import ManifestLine
from labeljob.portal.portal_job import PortalJob
from labeljob.portal.thumbnails import open_picture

MOST_LINES = 1_000
"""Of so many lines the masks are looked at."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">4x4sIIBB2xB")  # IHDR: width, height, bits, color type, interlace
_BITS = {0: (1, 2, 4, 8), 2: (8,), 3: (1, 2, 4, 8), 4: (8,), 6: (8,)}  # by color type


def find_mask_problem(job: PortalJob) -> str:
    """What is wrong with the first earlier mask that workers will not see, and with how many.

    Empty if nothing is wrong. Only the beginnings of files are read.
    """
    found = [(line, _examine(job, line)) for line in job.lines[:MOST_LINES]]
    masks = [(line, problem) for line, problem in found if problem is not None]
    wrong = [(line, problem) for line, problem in masks if problem]
    if not wrong:
        return ""
    line, problem = wrong[0]
    most = f"the first {len(masks)}" if len(job.lines) > MOST_LINES else len(masks)
    return (
        f"{job.description.manifest}, line {int(line.object_id) + 1}: {problem}; it is one of "
        f"{len(wrong)} among {most} earlier masks that cannot be shown"
    )


def _examine(job: PortalJob, line: ManifestLine) -> str | None:
    """What is wrong with a line's mask, empty if nothing is; None if it has none."""
    earlier = find_earlier(line.values, job.settings.earlier_attribute)
    if "initialValue" not in earlier:
        return None
    uri = earlier["initialValue"]["src"]
    try:
        with job.location.open(uri) as file:
            size = _read_size(file)
        if (image := _find_image_size(job, line)) not in (None, size):
            raise ValueError("has {} x {} pixels, the image {} x {}".format(*size, *image))
    except StorageError as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"{uri}: {error}"
    return ""


def _read_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height of a mask that the editor can read; raises `ValueError`."""
    start = file.read(len(_SIGNATURE) + _HEADER.size)
    if not start.startswith(_SIGNATURE) or len(start) < len(_SIGNATURE) + _HEADER.size:
        raise ValueError("is no PNG")
    kind, width, height, bits, color_type, interlace = _HEADER.unpack_from(start, len(_SIGNATURE))
    if kind != b"IHDR" or bits not in _BITS.get(color_type, ()) or interlace:
        raise ValueError("is not a PNG of at most 8 bits a channel and not interlaced")
    return width, height


def _find_image_size(job: PortalJob, line: ManifestLine) -> tuple[int, int] | None:
    """Stored width and height of a line's image; None if it cannot be read, which others tell."""
    try:
        with job.location.open(line.source_ref) as file, open_picture(file) as image:
            return image.size
    except (GroundTruthError, OSError):
        return None
