"""Custom pre-annotation and annotation consolidation for SageMaker Ground Truth.

What is listed in `__all__` stays as it is within a major version. Names are loaded when they are
asked for, so that importing the package loads no numerics.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from groundtruth.consolidation import AcsFunction, consolidate_batch
    from groundtruth.errors import GroundTruthError
    from groundtruth.finishing.job import finish_job
    from groundtruth.pre_annotation import prepare_task
    from groundtruth.settings import Settings
    from groundtruth.storage.folder import FolderStore
    from groundtruth.storage.s3 import ObjectStore, S3Store
    from groundtruth.tasks.base import Label, Task
    from groundtruth.tasks.registry import find_task, register
    from groundtruth.worker_history.store import SkillStore

_MODULES = {
    "AcsFunction": "consolidation",
    "FolderStore": "storage.folder",
    "GroundTruthError": "errors",
    "Label": "tasks.base",
    "ObjectStore": "storage.s3",
    "S3Store": "storage.s3",
    "Settings": "settings",
    "SkillStore": "worker_history.store",
    "Task": "tasks.base",
    "consolidate_batch": "consolidation",
    "find_task": "tasks.registry",
    "finish_job": "finishing.job",
    "prepare_task": "pre_annotation",
    "register": "tasks.registry",
}

__all__ = [
    "AcsFunction",
    "FolderStore",
    "GroundTruthError",
    "Label",
    "ObjectStore",
    "S3Store",
    "Settings",
    "SkillStore",
    "Task",
    "consolidate_batch",
    "find_task",
    "finish_job",
    "prepare_task",
    "register",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
