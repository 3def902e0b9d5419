"""Masks as COCO's run lengths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode_regions(mask: NDArray[np.uint8]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each class of a mask but the background, and its region: ``size`` and ``counts``."""
    from pycocotools import mask as coder  # type: ignore[import-untyped]

    for index in np.unique(mask[mask > 0]).tolist():
        region = coder.encode(np.asfortranarray(mask == index, dtype=np.uint8))
        yield index, {"size": region["size"], "counts": region["counts"].decode("ascii")}
