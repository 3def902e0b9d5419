"""Pieces of text in Arrow: many labels as JSON without Python for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from groundtruth.tasks.texts import Choice, Counts, Grouped, Numbers, Piece, StyledTexts

TEXT = pa.large_binary()
"""Texts as UTF-8, of more than 2 GB perhaps."""

_PLAIN = 1e-4
"""From here on `repr` writes a number below 1 without an exponent."""


def write_texts(texts: StyledTexts, n_rows: int) -> Any:
    """The text of each row, a `pyarrow.LargeBinaryArray`.

    Parameters
    ----------
    texts : StyledTexts
        What the rows are made of.
    n_rows : int
        How many there are.

    Examples
    --------
    >>> pieces = ("p=", Choice(("a", "b"), np.array([1, 0])), Numbers(np.array([0.25, 1e-05]), 6))
    >>> write_texts(StyledTexts(pieces, {}), 2).to_pylist()
    [b'p=b0.25', b'p=a1e-05']
    """
    pieces = [write_piece(piece, n_rows) for piece in texts.pieces]
    written = join_pieces([*pieces, pa.repeat(to_text(""), n_rows)])
    return replace_texts(written, texts.instead)


def join_pieces(pieces: Sequence[Any]) -> Any:
    """Texts and arrays of texts, joined row by row; null where any of them is."""
    return pc.binary_join_element_wise(*pieces, to_text(""))


def to_text(text: str) -> Any:
    """One text that all rows have."""
    return pa.scalar(text.encode(), TEXT)


def to_texts(texts: Sequence[str]) -> Any:
    """A text for each row."""
    return pa.array([text.encode() for text in texts], TEXT)


def as_texts(written: Any) -> Any:
    """An array of strings as texts."""
    return pc.cast(pc.cast(written, pa.binary()), TEXT)


def body_of(texts: Any) -> bytes:
    """All texts, one behind the other."""
    _, ends, body = texts.buffers()
    bounds = np.frombuffer(ends, np.int64)[[texts.offset, texts.offset + len(texts)]]
    return memoryview(body)[slice(*bounds.tolist())].tobytes() if body else b""


def replace_texts(written: Any, instead: Mapping[int, str]) -> Any:
    """The texts with others in some rows."""
    if not instead:
        return written
    rows = sorted(instead)
    is_other = np.zeros(len(written), np.bool_)
    is_other[rows] = True
    others = to_texts([instead[row] for row in rows])
    return pc.replace_with_mask(written, pa.array(is_other), others)


def write_piece(piece: Piece, n_rows: int) -> Any:
    """A piece of the rows' texts, a scalar if all rows have the same."""
    match piece:
        case str():
            return to_text(piece)
        case Choice():
            return to_texts(piece.texts).take(pa.array(piece.index))
        case Counts():
            return as_texts(pc.cast(pa.array(piece.values), pa.string()))
        case Numbers():
            return _write_numbers(piece.values, piece.digits)
        case Grouped():
            parts = [write_piece(part, len(piece.rows)) for part in piece.pieces]
            ends = np.cumsum(np.bincount(piece.rows, minlength=n_rows))
            offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
            groups = pa.ListArray.from_arrays(offsets, join_pieces(parts))
            return pc.binary_join(groups, to_text(","))


def _write_numbers(values: NDArray[np.float64], digits: int) -> Any:
    """What `repr` gives of rounded numbers, by their digits where it writes these alone."""
    is_plain = (values >= _PLAIN) & (values < 1)
    units = np.rint(np.where(is_plain, values, 0) * 10.0**digits).astype(np.int64)
    padded = pc.utf8_lpad(pc.cast(pa.array(units), pa.string()), width=digits, padding="0")
    trimmed = pc.utf8_rtrim(padded, characters="0")
    written = join_pieces([to_text("0."), as_texts(trimmed)])
    if is_plain.all():
        return written
    # By their bits, which tell -0.0 from 0.0.
    others, index = np.unique(values[~is_plain].view(np.int64), return_inverse=True)
    texts = to_texts(list(map(repr, others.view(np.float64).tolist())))
    return pc.replace_with_mask(written, pa.array(~is_plain), texts.take(pa.array(index)))
