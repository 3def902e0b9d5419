"""Arrays by name as bytes, the same bytes for the same arrays."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Arrays = Mapping[str, NDArray[Any]]


def pack(arrays: Arrays) -> bytes:
    """Arrays in NumPy's ``npz`` format, sorted by name."""
    buffer = io.BytesIO()
    by_name: dict[str, Any] = {name: np.asarray(arrays[name]) for name in sorted(arrays)}
    np.savez(buffer, **by_name)
    return buffer.getvalue()


def unpack(body: bytes) -> dict[str, NDArray[Any]]:
    """Read what `pack` wrote; raises `ValueError` if it did not."""
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def add(total: Arrays | None, more: Arrays) -> dict[str, NDArray[Any]]:
    """Add arrays of the same names and shapes."""
    if total is None:
        return dict(more)
    return {name: total[name] + more[name] for name in more}
