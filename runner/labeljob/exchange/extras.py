"""Packages that only some commands need."""

from __future__ import annotations

import importlib
from typing import Any

from labeljob.job.description import JobError

EXTRA = "exports"


def extra(package: str) -> Any:
    """A package of the optional extra ``exports``.

    Raises
    ------
    JobError
        If it is not installed; the text says how to.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise JobError(
            f"{package.partition('.')[0]} is not installed; it comes with the extra {EXTRA}: "
            f"pip install 'groundtruth-consolidation[{EXTRA}]'"
        ) from error
