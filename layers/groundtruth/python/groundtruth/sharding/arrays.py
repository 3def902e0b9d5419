"""Arrays by name as bytes, the same bytes for the same arrays.

The format is safetensors [1]_, which needs no parser but JSON's and copies nothing twice: the
length of a header (8 bytes, little-endian), the header (JSON: of each array its type, its shape and
where its values begin and end), and the values in C order.

References
----------
.. [1] https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

_TYPES = {
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "F32": "<f4",
    "F64": "<f8",
}
_NAMES = {np.dtype(code): name for name, code in _TYPES.items()}
_LENGTH = 8


def pack(arrays: Arrays) -> bytes:
    """Arrays as bytes; raises `ValueError` if one holds no numbers of at most 64 bits."""
    # Wide values come first, so that all lie at a multiple of their width.
    by_name = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    names = sorted(by_name, key=lambda name: (-by_name[name].dtype.itemsize, name))
    header, end = {}, 0
    for name in names:
        kind = by_name[name].dtype
        if kind not in _NAMES:
            raise ValueError(f"{name} has values of type {kind}, which cannot be kept")
        start, end = end, end + by_name[name].nbytes
        header[name] = {
            "dtype": _NAMES[kind],
            "shape": list(np.shape(arrays[name])),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH)
    parts = [len(text).to_bytes(_LENGTH, "little"), text]
    return b"".join([*parts, *(by_name[name].reshape(-1).view(np.uint8) for name in names)])


def unpack(body: bytes) -> dict[str, NDArray[Any]]:
    """Read what `pack` wrote; raises `ValueError` if it did not."""
    try:
        begin = _LENGTH + int.from_bytes(body[:_LENGTH], "little")
        header = json.loads(body[_LENGTH:begin])
        values = bytearray(memoryview(body)[begin:])  # a copy: arrays can be written to
        arrays = {}
        for name, told in header.items():
            start, end = told["data_offsets"]
            kind, shape = np.dtype(_TYPES[told["dtype"]]), told["shape"]
            if end > len(values) or end - start != prod(shape) * kind.itemsize:
                raise ValueError(f"{name} is cut off")
            arrays[name] = np.ndarray(shape, kind, values, start)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"no arrays: {error}") from error
    return arrays


def add(total: Arrays | None, more: Arrays) -> dict[str, NDArray[Any]]:
    """Add arrays of the same names and shapes."""
    if total is None:
        return dict(more)
    return {name: total[name] + more[name] for name in more}
