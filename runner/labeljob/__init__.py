"""Labeling jobs on one machine: the `labeljob` command, and aggregators over data frames.

The names below are loaded when they are first asked for, so that the command starts without them.

Examples
--------
>>> import pandas as pd
>>> from labeljob import CalibratedDawidSkene
>>> answers = pd.DataFrame({"task": [1, 1], "worker": ["ada", "bob"], "label": ["cat", "cat"]})
>>> CalibratedDawidSkene().fit_predict(answers)[1]
'cat'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labeljob.api.classification import (
        EBCC,
        AwsBuiltin,
        CalibratedDawidSkene,
        DawidSkene,
        MajorityVote,
        OneCoinDawidSkene,
        WeightedVote,
    )
    from labeljob.api.frames import FrameError, MissingColumnError
    from labeljob.api.jobs import JobFrames, read_job
    from labeljob.api.multilabel import (
        BinaryRelevance,
        MultiLabelAwsBuiltin,
        MultiLabelCalibrated,
        MultiLabelMajorityVote,
    )
    from labeljob.api.quality import label_quality, worker_quality
    from labeljob.api.segmentation import SegmentationFusion

__all__ = [
    "EBCC",
    "AwsBuiltin",
    "BinaryRelevance",
    "CalibratedDawidSkene",
    "DawidSkene",
    "FrameError",
    "JobFrames",
    "MajorityVote",
    "MissingColumnError",
    "MultiLabelAwsBuiltin",
    "MultiLabelCalibrated",
    "MultiLabelMajorityVote",
    "OneCoinDawidSkene",
    "SegmentationFusion",
    "WeightedVote",
    "label_quality",
    "read_job",
    "worker_quality",
]

_MODULES = {
    "labeljob.api.classification": (
        "EBCC",
        "AwsBuiltin",
        "CalibratedDawidSkene",
        "DawidSkene",
        "MajorityVote",
        "OneCoinDawidSkene",
        "WeightedVote",
    ),
    "labeljob.api.frames": ("FrameError", "MissingColumnError"),
    "labeljob.api.multilabel": (
        "BinaryRelevance",
        "MultiLabelAwsBuiltin",
        "MultiLabelCalibrated",
        "MultiLabelMajorityVote",
    ),
    "labeljob.api.quality": ("label_quality", "worker_quality"),
    "labeljob.api.jobs": ("JobFrames", "read_job"),
    "labeljob.api.segmentation": ("SegmentationFusion",),
}
"""Where each name is."""


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
