"""The masks of labels, read with all that can be wrong with them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from groundtruth.errors import StorageError
from labeljob.analysis.job_on_file import JobOnFile


def decoded_mask(body: bytes) -> NDArray[np.uint8]:
    """Class of each pixel of a consolidated mask.

    Raises
    ------
    ValueError
        If it is no PNG with one class index per pixel.
    """
    try:
        with Image.open(io.BytesIO(body), formats=("PNG",)) as image:
            if image.mode not in ("P", "L"):
                raise ValueError(f"is in mode {image.mode}, not one class a pixel")
            return np.array(image)
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def job_mask(job: JobOnFile, uri: str | None) -> NDArray[np.uint8] | None:
    """A mask of the job; None if it cannot be read, which is noted."""
    if uri is None:
        return None
    try:
        return decoded_mask(job.place.read(uri))
    except (StorageError, ValueError) as error:
        job.damage.add(job.place.shown(uri), f"the mask cannot be read ({error})")
        return None
