"""Data frames in and out, of the library that the caller uses: pandas, Polars or Arrow.

None of them but Arrow is a dependency: whoever hands in a frame has its library. What comes in is
read column by column as plain lists, and what goes out is a column or a table by the ids of tasks
or workers, of the same library.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]
    import polars as pl
    import pyarrow as pa  # type: ignore[import-untyped]

Frame = Union["pd.DataFrame", "pl.DataFrame", "pa.Table"]
"""A table of pandas, Polars or Arrow."""

ByTask = Any
"""Values by task, of the library that the answers came in.

With pandas a Series, or a DataFrame if there are several columns, whose index are the tasks; else a
table whose first column is ``task``. It is typed `Any`: what can be done with it is the library's.
"""

ByWorker = Any
"""The same by worker."""


class FrameError(ValueError):
    """A data frame cannot be used as it is: the message says why, and what to do."""


class MissingColumnError(FrameError, KeyError):
    """A data frame lacks a column; a `KeyError` too, as in pandas."""

    def __str__(self) -> str:
        return ValueError.__str__(self)


class FrameLibrary(ABC):
    """What is asked of a library of data frames."""

    name: str

    @abstractmethod
    def owns(self, frame: Any) -> bool:
        """Whether a frame is of this library."""

    @abstractmethod
    def column_names(self, frame: Any) -> list[Any]:
        """Names of the columns, in order."""

    @abstractmethod
    def column(self, frame: Any, name: str) -> Any:
        """One column, as the library holds it."""

    @abstractmethod
    def is_missing(self, column: Any) -> NDArray[np.bool_]:
        """Which rows of a column hold nothing: null, None or NaN."""

    @abstractmethod
    def to_list(self, column: Any) -> list[Any]:
        """The values of a column as Python objects."""

    @abstractmethod
    def categories(self, column: Any) -> list[Any] | None:
        """Every value that a column of a categorical type may have, in order; else None."""

    @abstractmethod
    def make_column(self, values: Any, like: Any = None) -> Any:
        """A column of a list or an array, of the type of another one if that can hold it."""

    @abstractmethod
    def by_id(self, ids: Mapping[str, Any], name: str, values: Any) -> Any:
        """Values by one id or two: columns, as `make_column` gives them, the ids by their names."""

    @abstractmethod
    def table_by_id(self, ids: Mapping[str, Any], columns: Mapping[str, Any]) -> Any:
        """Several columns by one id or two."""

    @abstractmethod
    def matrix_by_id(
        self, ids: Mapping[str, Any], names: Any, rows: NDArray[np.float64], *, title: str = ""
    ) -> Any:
        """Numbers by one id or two: `names` has those of the columns, and `title` what they are."""


class _Pandas(FrameLibrary):
    name = "pandas"

    def owns(self, frame: Any) -> bool:
        pandas = sys.modules.get("pandas")
        return pandas is not None and isinstance(frame, pandas.DataFrame)

    def column_names(self, frame: Any) -> list[Any]:
        return list(frame.columns)

    def column(self, frame: Any, name: str) -> Any:
        return frame[name]

    def is_missing(self, column: Any) -> NDArray[np.bool_]:
        missing: NDArray[np.bool_] = column.isna().to_numpy()
        return missing

    def to_list(self, column: Any) -> list[Any]:
        values: list[Any] = column.tolist()
        return values

    def categories(self, column: Any) -> list[Any] | None:
        import pandas as pd

        if not isinstance(column.dtype, pd.CategoricalDtype):
            return None
        return list(column.dtype.categories)

    def make_column(self, values: Any, like: Any = None) -> Any:
        import pandas as pd

        if like is None:
            return pd.Series(values)
        if like.dtype == bool and None in list(values):  # which pandas would take for False
            return pd.Series(values, dtype=object)
        try:
            return pd.Series(values, dtype=like.dtype)
        except (TypeError, ValueError):
            return pd.Series(values, dtype=object)

    def by_id(self, ids: Mapping[str, Any], name: str, values: Any) -> Any:
        import pandas as pd

        if not len(values):  # without an index, as from crowd-kit
            return pd.Series(dtype=float, name=name)
        return pd.Series(values.array, index=self._index(ids), name=name)

    def table_by_id(self, ids: Mapping[str, Any], columns: Mapping[str, Any]) -> Any:
        import pandas as pd

        table = pd.DataFrame(dict(columns))
        table.index = self._index(ids)
        return table

    def matrix_by_id(
        self, ids: Mapping[str, Any], names: Any, rows: NDArray[np.float64], *, title: str = ""
    ) -> Any:
        import pandas as pd

        if not len(rows):  # as from crowd-kit
            return pd.DataFrame()
        columns = pd.Index(names.array, name=title or None)
        return pd.DataFrame(rows, index=self._index(ids), columns=columns)

    def _index(self, ids: Mapping[str, Any]) -> Any:
        import pandas as pd

        if len(ids) > 1:
            return pd.MultiIndex.from_arrays([ids[name].array for name in ids], names=list(ids))
        ((name, values),) = ids.items()
        return pd.Index(values.array, name=name)


class _Polars(FrameLibrary):
    name = "polars"

    def owns(self, frame: Any) -> bool:
        polars = sys.modules.get("polars")
        return polars is not None and isinstance(frame, polars.DataFrame)

    def column_names(self, frame: Any) -> list[Any]:
        return list(frame.columns)

    def column(self, frame: Any, name: str) -> Any:
        return frame[name]

    def is_missing(self, column: Any) -> NDArray[np.bool_]:
        missing = column.is_null()
        if column.dtype.is_float():
            missing |= column.is_nan().fill_null(False)
        table: NDArray[np.bool_] = missing.to_numpy()
        return table

    def to_list(self, column: Any) -> list[Any]:
        values: list[Any] = column.to_list()
        return values

    def categories(self, column: Any) -> list[Any] | None:
        import polars as pl

        return column.dtype.categories.to_list() if isinstance(column.dtype, pl.Enum) else None

    def make_column(self, values: Any, like: Any = None) -> Any:
        import polars as pl

        try:
            return pl.Series(values=values, dtype=None if like is None else like.dtype)
        except (TypeError, ValueError):
            return pl.Series(values=values)

    def by_id(self, ids: Mapping[str, Any], name: str, values: Any) -> Any:
        return self.table_by_id(ids, {name: values})

    def table_by_id(self, ids: Mapping[str, Any], columns: Mapping[str, Any]) -> Any:
        import polars as pl

        return pl.DataFrame({**ids, **columns})

    def matrix_by_id(
        self, ids: Mapping[str, Any], names: Any, rows: NDArray[np.float64], *, title: str = ""
    ) -> Any:
        return self.table_by_id(ids, _name_columns(self.to_list(names), rows, ids))


class _Arrow(FrameLibrary):
    name = "arrow"

    def owns(self, frame: Any) -> bool:
        arrow = sys.modules.get("pyarrow")
        return arrow is not None and isinstance(frame, arrow.Table)

    def column_names(self, frame: Any) -> list[Any]:
        return list(frame.column_names)

    def column(self, frame: Any, name: str) -> Any:
        return frame[name]

    def is_missing(self, column: Any) -> NDArray[np.bool_]:
        missing: NDArray[np.bool_] = column.is_null(nan_is_null=True).to_numpy()
        return missing

    def to_list(self, column: Any) -> list[Any]:
        values: list[Any] = column.to_pylist()
        return values

    def categories(self, column: Any) -> list[Any] | None:
        """None: Arrow's dictionaries are a way to store values, and differ from chunk to chunk."""
        return None

    def make_column(self, values: Any, like: Any = None) -> Any:
        import pyarrow as pa

        try:
            return pa.array(values, type=None if like is None else like.type)
        except (TypeError, ValueError):
            return pa.array(values)

    def by_id(self, ids: Mapping[str, Any], name: str, values: Any) -> Any:
        return self.table_by_id(ids, {name: values})

    def table_by_id(self, ids: Mapping[str, Any], columns: Mapping[str, Any]) -> Any:
        import pyarrow as pa

        return pa.table({**ids, **columns})

    def matrix_by_id(
        self, ids: Mapping[str, Any], names: Any, rows: NDArray[np.float64], *, title: str = ""
    ) -> Any:
        return self.table_by_id(ids, _name_columns(self.to_list(names), rows, ids))


LIBRARIES: Mapping[str, FrameLibrary] = {
    library.name: library for library in (_Pandas(), _Polars(), _Arrow())
}
"""The libraries by the names that callers say: ``pandas``, ``polars``, ``arrow``."""


def find_library(frame: Any) -> FrameLibrary:
    """The library that a frame is of.

    Raises
    ------
    TypeError
        If it is a frame of none of them.

    Examples
    --------
    >>> import pyarrow as pa
    >>> find_library(pa.table({"task": ["t1"]})).name
    'arrow'
    """
    for library in LIBRARIES.values():
        if library.owns(frame):
            return library
    kind = type(frame)
    hint = "; call its collect() first" if kind.__name__ == "LazyFrame" else ""
    raise TypeError(
        f"a DataFrame of pandas or Polars or an Arrow Table is needed, not "
        f"{kind.__module__}.{kind.__qualname__}{hint}"
    )


def read_columns(frame: Frame, names: Sequence[str]) -> dict[str, Any]:
    """Some columns of a frame, as the library holds them; none may hold nothing in a row.

    Raises
    ------
    TypeError
        If it is no frame.
    MissingColumnError
        If there is no such column.
    FrameError
        If a column is there twice, or a row has no value in it.

    Examples
    --------
    >>> import pyarrow as pa
    >>> read_columns(pa.table({"task": ["t1"]}), ["task", "worker"])
    Traceback (most recent call last):
    ...
    labeljob.api.frames.MissingColumnError: there is no column 'worker': the columns are 'task'
    """
    library = find_library(frame)
    present = library.column_names(frame)
    columns = {}
    for name in names:
        if name not in present:
            listed = ", ".join(map(repr, present)) or "none"
            raise MissingColumnError(f"there is no column {name!r}: the columns are {listed}")
        if present.count(name) > 1:
            raise FrameError(f"{present.count(name)} columns are called {name!r}")
        columns[name] = library.column(frame, name)
        rows = np.flatnonzero(library.is_missing(columns[name]))
        if rows.size:
            raise FrameError(
                f"column {name!r} holds nothing in {rows.size:,} of {len(columns[name]):,} rows, "
                f"first in row {rows[0]} counted from 0: leave these rows out"
            )
    return columns


def read_by_id(values: Any, id_name: str) -> dict[Any, Any]:
    """Values by id, of a mapping, a pandas Series or a frame with a column of ids and another one.

    Those that hold nothing are left out.

    Raises
    ------
    TypeError
        If it is none of these.
    FrameError
        If an id is there twice, or a frame has other columns.

    Examples
    --------
    >>> read_by_id({"t1": "cat", "t2": None}, "task")
    {'t1': 'cat'}
    """
    if isinstance(values, Mapping):
        pairs = list(values.items())
    elif hasattr(values, "index") and hasattr(values, "tolist"):  # a Series of pandas
        pairs = list(zip(values.index.tolist(), values.tolist(), strict=True))
    else:
        library = find_library(values)
        names = library.column_names(values)
        if len(names) != 2 or id_name not in names:
            raise FrameError(
                f"a column {id_name!r} and one of values are needed: the columns are "
                f"{', '.join(map(repr, names))}"
            )
        ids, (name,) = library.column(values, id_name), set(names) - {id_name}
        column = library.column(values, name)
        pairs = list(zip(library.to_list(ids), library.to_list(column), strict=True))
    known = dict(pairs)
    if len(known) < len(pairs):
        raise FrameError(f"a {id_name} is there twice, with a value each time")
    return {key: value for key, value in known.items() if not holds_nothing(value)}


def holds_nothing(value: Any) -> bool:
    """Whether a value is None, NaN or what pandas has for nothing; a list or an array is not."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return not isinstance(value, (Collection, np.ndarray)) and bool(value != value)


def _name_columns(
    names: Sequence[Any], rows: NDArray[np.float64], ids: Mapping[str, Any]
) -> dict[str, NDArray[np.float64]]:
    """Columns by names that are texts, as Polars and Arrow want them."""
    columns = dict(zip(map(str, names), rows.T[: len(names)], strict=True))
    if len(columns) < len(names) or set(columns) & set(ids):
        raise FrameError(
            f"labels cannot be names of columns beside {', '.join(ids)}: two are the same as "
            "texts, or one is called like that; hand in a pandas DataFrame instead"
        )
    return columns
