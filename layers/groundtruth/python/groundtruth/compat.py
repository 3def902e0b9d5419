"""What newer Pythons have in the standard library, for those that do not have it yet."""

import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

if sys.version_info >= (3, 12):
    from itertools import batched
else:
    Item = TypeVar("Item")

    def batched(iterable: Iterable[Item], n: int) -> Iterator[tuple[Item, ...]]:
        """Cut into tuples of `n`, the last of which may be shorter: `itertools.batched`."""
        items = iter(iterable)
        while some := tuple(islice(items, n)):
            yield some


if sys.version_info >= (3, 13):
    from os import process_cpu_count
else:

    def process_cpu_count() -> int | None:
        """Count the processors that this process may use: `os.process_cpu_count`."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


__all__ = ["batched", "process_cpu_count"]
