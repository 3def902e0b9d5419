"""What runs on a worker, around the work itself.

This module loads no numerics: a worker's process is set up before they are loaded.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from groundtruth.errors import GroundTruthError, StorageError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why there is no result, in a form that every engine carries from one process to another.

    Attributes
    ----------
    problem : str
        One line.
    trace : str
        The traceback, if no `GroundTruthError` but a mistake in the program is behind it.
    may_pass : bool
        Whether the same work can succeed later.
    worker_died : bool
        Whether the work could not say anything itself.
    """

    problem: str
    trace: str = ""
    may_pass: bool = True
    worker_died: bool = False


def attempt(function: Callable[[Item], Result], item: Item) -> Result | Failure:
    """Call a function; what it raises is returned."""
    try:
        return function(item)
    except GroundTruthError as error:
        may_pass = isinstance(error, StorageError) and error.reason == "unavailable"
        return Failure(problem=str(error), may_pass=may_pass)
    except (OSError, MemoryError) as error:
        return Failure(problem=f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 (raised again, or named, where the work came from)
        problem = f"{type(error).__name__}: {error}"
        return Failure(problem=problem, trace=traceback.format_exc(), may_pass=False)


def set_up_process() -> None:
    """Leave Ctrl-C to the process that started this one, and the other cores to its siblings.

    When that one ends, however it ends, so does this one: nobody else could use its results.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    _keep_freed_memory()
    if multiprocessing.parent_process() is not None:
        threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


KEPT_MEMORY = 1 << 27
"""Bytes of freed memory that a worker keeps at most for its next arrays."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h
_LARGEST_MMAP_THRESHOLD = 1 << 25


def _keep_freed_memory() -> None:
    """Have glibc keep the memory of arrays that come and go, where it gives it back each time.

    Whatever is got anew from the kernel is filled with zeros, page by page.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:  # not with every C library
        set_option(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        set_option(_TRIM_THRESHOLD, KEPT_MEMORY)
