"""Small image files for tests."""

import io

import numpy as np
from PIL import Image

ORIENTATION_TAG = 0x0112


def image_bytes(kind="PNG", *, seed=0, size=(48, 32), mode="RGB", orientation=None):
    """A file of noise: (width, height) pixels, the same for the same seed."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    exif = Image.Exif()
    if orientation is not None:
        exif[ORIENTATION_TAG] = orientation
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **({"exif": exif} if exif else {}))
    return buffer.getvalue()
