"""Arrow tables as the frames that somebody works with: pandas, Polars, or Arrow itself."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

PANDAS, POLARS, ARROW = "pandas", "polars", "arrow"
KINDS = (PANDAS, POLARS, ARROW)


def choose_kind(frames: str | None) -> str:
    """What frames are made of: what is asked for, else pandas, else Polars, else Arrow.

    Raises `ValueError` for another name, and `ImportError` if the package is not installed.
    """
    if frames is None:
        return next((kind for kind in (PANDAS, POLARS) if find_spec(kind)), ARROW)
    if frames not in KINDS:
        raise ValueError(f"frames={frames!r} is none of {', '.join(KINDS)}")
    if frames != ARROW and find_spec(frames) is None:
        raise ImportError(f"frames={frames!r} needs the package: pip install {frames}")
    return frames


def to_frame(
    table: pa.Table, kind: str, *, segmentations: Sequence[NDArray[Any]] | None = None
) -> Any:
    """A table as a frame of a kind, with a column ``segmentation`` of masks if there are any.

    What is categorical stays so: in Polars an `Enum` of the same categories.
    """
    if kind == ARROW:
        masks = segmentations
        return table if masks is None else table.append_column("segmentation", nest(masks))
    frame = table.to_pandas() if kind == PANDAS else _to_polars(table)
    if segmentations is None:
        return frame
    column = make_mask_column(kind, segmentations)
    if kind == PANDAS:
        return frame.assign(segmentation=column)
    return frame.with_columns(column.alias("segmentation"))


def _to_polars(table: pa.Table) -> Any:
    import polars as pl

    enums = {
        name: pl.Enum(table[name].unify_dictionaries().chunk(0).dictionary.to_pylist())
        for name, dtype in zip(table.column_names, table.schema.types, strict=True)
        if pa.types.is_dictionary(dtype) and table[name].num_chunks
    }
    return pl.DataFrame(table).with_columns(
        pl.col(name).cast(pl.String).cast(enums[name]) for name in enums
    )


def make_mask_column(kind: str, masks: Sequence[NDArray[Any]]) -> Any:
    """2-D arrays as a column: pandas holds them as they are, Polars and Arrow lists of rows."""
    if kind == PANDAS:
        import pandas as pd  # type: ignore[import-untyped]

        cells = np.empty(len(masks), object)
        cells[:] = list(masks)
        return pd.Series(cells)
    if kind == ARROW:
        return nest(masks)
    import polars as pl

    return pl.from_arrow(nest(masks))


def nest(arrays: Sequence[NDArray[Any]]) -> pa.Array:
    """2-D arrays as lists of rows, which are lists of values of one type."""
    dtype = np.result_type(*(array.dtype for array in arrays)) if arrays else np.uint8
    values = np.concatenate([np.zeros(0, dtype), *(array.ravel() for array in arrays)])
    widths = [np.full(len(array), array.shape[1]) for array in arrays]
    rows = pa.LargeListArray.from_arrays(_edges(widths), pa.array(values))
    heights = np.array([len(array) for array in arrays], np.int64)
    return pa.LargeListArray.from_arrays(_edges([heights]), rows)


def _edges(lengths: Sequence[NDArray[np.integer[Any]]]) -> pa.Array:
    return pa.array(np.concatenate([np.zeros(1, np.int64), *lengths]).cumsum().astype(np.int64))
