"""Labels as they are found after a job: in the `object` style or the `builtin` style, by shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SINGLE_LABEL = "image-classification"
MULTI_LABEL = "image-classification-multilabel"
SEGMENTATION = "semantic-segmentation"
TASKS = (SINGLE_LABEL, MULTI_LABEL, SEGMENTATION)

TYPE_PREFIX = "groundtruth/"


@dataclass(frozen=True, kw_only=True)
class FoundClass:
    """A class that a data object has.

    Attributes
    ----------
    class_id : int
        Its index: in label order, or in the mask.
    name : str
        Its name.
    confidence : float
        In [0, 1].
    color : str
        Of a mask's class, such as ``"#2ca02c"``.
    """

    class_id: int
    name: str
    confidence: float
    color: str = ""


@dataclass(frozen=True, kw_only=True)
class Account:
    """How a label came about; only the `object` style tells.

    Attributes
    ----------
    status : str
        One word of `tasks.statuses`.
    votes : mapping of str to float
        How many workers chose each class; empty if it is not known.
    used : int
        How many answers count.
    set_aside : tuple of (str, str)
        Worker and reason of each answer that does not.
    algorithm : tuple of (str, str) or None
        Its name and the settings' hash.
    """

    status: str = ""
    votes: Mapping[str, float] = field(default_factory=dict)
    used: int = 0
    set_aside: tuple[tuple[str, str], ...] = ()
    algorithm: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class FoundLabel:
    """The label of one data object, whichever style it had.

    Attributes
    ----------
    task : str
        The job type, one of `TASKS`.
    classes : tuple of FoundClass
        Its class, its labels or its mask's classes; empty if it has no label.
    confidence : float or None
        In [0, 1]: of several labels the lowest; None without a label.
    mask_uri : str or None
        S3 URI of the mask.
    account : Account or None
        None in the `builtin` style.
    """

    task: str
    classes: tuple[FoundClass, ...] = ()
    confidence: float | None = None
    mask_uri: str | None = None
    account: Account | None = None


def found_label(value: Any, metadata: Any) -> FoundLabel | None:
    """Recognize a label.

    Parameters
    ----------
    value, metadata : object
        Of the label attribute and of its metadata.

    Returns
    -------
    FoundLabel or None
        None if it has the shape of neither style.
    """
    try:
        if isinstance(value, Mapping):
            return _of_object_style(value)
        return _of_builtin_style(value, metadata) if isinstance(metadata, Mapping) else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # a key is missing or holds something else: not a label of ours


def _of_object_style(value: Mapping[str, Any]) -> FoundLabel | None:
    if "class-name" in value:
        classes = _one_class(value["class-id"], value)
        task, uri = SINGLE_LABEL, None
    elif "class-ids" in value:
        classes = _several_classes(value["class-ids"], value)
        task, uri = MULTI_LABEL, None
    elif "mask-ref" in value:
        uri = value["mask-ref"]
        classes = _mask_classes(uri, value)
        task = SEGMENTATION
    else:
        return None
    return FoundLabel(
        task=task,
        classes=classes,
        confidence=_lowest(classes),
        mask_uri=uri,
        account=_account(value),
    )


def _of_builtin_style(value: Any, metadata: Mapping[str, Any]) -> FoundLabel | None:
    task = str(metadata["type"]).removeprefix(TYPE_PREFIX)
    if task == SINGLE_LABEL:
        classes = _one_class(_index(value), metadata)
    elif task == MULTI_LABEL and isinstance(value, list):
        classes = _several_classes(value, metadata)
    elif task == SEGMENTATION and isinstance(value, str):
        classes = _mask_classes(value, metadata)
    else:
        return None
    uri = value if task == SEGMENTATION else None
    return FoundLabel(task=task, classes=classes, confidence=_lowest(classes), mask_uri=uri)


def _one_class(class_id: Any, source: Mapping[str, Any]) -> tuple[FoundClass, ...]:
    if class_id is None:
        return ()
    return (
        FoundClass(
            class_id=_index(class_id),
            name=_text(source["class-name"]),
            confidence=_share(source["confidence"]),
        ),
    )


def _several_classes(class_ids: Any, source: Mapping[str, Any]) -> tuple[FoundClass, ...]:
    names, confidences = source["class-map"], source["confidence-map"]
    return tuple(
        FoundClass(
            class_id=_index(at),
            name=_text(names[str(at)]),
            confidence=_share(confidences[str(at)]),
        )
        for at in class_ids
    )


def _mask_classes(uri: Any, source: Mapping[str, Any]) -> tuple[FoundClass, ...]:
    """The mask's classes, all with the mask's own confidence where it has one, as AWS says."""
    if uri is None:
        return ()
    _text(uri)
    return tuple(
        FoundClass(
            class_id=int(at),
            name=_text(entry["class-name"]),
            confidence=_share(source.get("confidence", entry["confidence"])),
            color=_text(entry["hex-color"]),
        )
        for at, entry in source["internal-color-map"].items()
    )


def _lowest(classes: tuple[FoundClass, ...]) -> float | None:
    return min((chosen.confidence for chosen in classes), default=None)


def _account(value: Mapping[str, Any]) -> Account:
    answers, algorithm = value.get("answers", {}), value.get("algorithm")
    return Account(
        status=str(value.get("status", "")),
        votes={_text(name): float(count) for name, count in value.get("votes", {}).items()},
        used=_index(answers.get("used", 0)),
        set_aside=tuple(
            (str(item["worker-id"]), str(item["reason"])) for item in answers.get("set-aside", ())
        ),
        algorithm=(str(algorithm["name"]), str(algorithm.get("settings", "")))
        if algorithm
        else None,
    )


def _index(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("is no whole number from 0 up")
    return value


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("is no number from 0 to 1")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("is no text")
    return value
