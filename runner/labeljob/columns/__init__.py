"""A finished job's answers and lines as columns, read once and kept beside the job."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

Spread: TypeAlias = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Like `map`: reads parts, in other processes perhaps, and gives what they hold in order."""
