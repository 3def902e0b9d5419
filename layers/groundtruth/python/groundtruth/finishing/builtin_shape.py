"""Labels as the built-in functions write them: exact keys, order of keys and kinds of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from groundtruth.finishing.class_order import ClassOrder
from groundtruth.finishing.found_labels import (
    SEGMENTATION,
    SINGLE_LABEL,
    TYPE_PREFIX,
    Account,
    FoundClass,
    FoundLabel,
)
from groundtruth.tasks.statuses import (
    NOT_PROCESSED,
    SINGLE_ANNOTATOR,
    failure_reason,
    without_label,
)

JOB_NAME_PREFIX = "labeling-job/"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a label's metadata says of where it comes from.

    Attributes
    ----------
    job_name : str
        ``labeling-job/<name in lower case>``.
    human_annotated : str
        ``"yes"`` or ``"no"``.
    creation_date : str
        ISO 8601 in UTC, with microseconds, without a zone.
    """

    job_name: str
    human_annotated: str
    creation_date: str


def builtin_shape(
    label: FoundLabel, order: ClassOrder, origin: Origin
) -> tuple[Any, dict[str, Any]]:
    """Value and metadata of a label, in the shape of the job type.

    Parameters
    ----------
    label : FoundLabel
        One that has classes.
    order : ClassOrder
        The index of each class; a mask's classes have the indices of its pixels.
    origin : Origin
        Where it comes from.
    """
    classes = sorted(label.classes, key=lambda chosen: -chosen.confidence)
    if label.account is not None and label.account.status == SINGLE_ANNOTATOR:
        classes = [_without_confidence(chosen) for chosen in classes]
    if label.task == SEGMENTATION:
        classes.sort(key=lambda chosen: chosen.class_id)
        return label.mask_uri, _of_mask(classes, origin)
    if label.task == SINGLE_LABEL:
        return order.index_of[classes[0].name], _of_class(classes[0], origin)
    ids = [order.index_of[chosen.name] for chosen in classes]
    return ids, _of_labels(ids, classes, origin)


def _without_confidence(chosen: FoundClass) -> FoundClass:
    """What the built-in functions say of a lone worker's answer: confidence 0.0."""
    return FoundClass(
        class_id=chosen.class_id, name=chosen.name, confidence=0.0, color=chosen.color
    )


def _of_class(chosen: FoundClass, origin: Origin) -> dict[str, Any]:
    return {
        "confidence": chosen.confidence,
        "job-name": origin.job_name,
        "class-name": chosen.name,
        "human-annotated": origin.human_annotated,
        "creation-date": origin.creation_date,
        "type": f"{TYPE_PREFIX}image-classification",
    }


def _of_labels(ids: Sequence[int], classes: Sequence[FoundClass], origin: Origin) -> dict[str, Any]:
    chosen = list(zip(ids, classes, strict=True))
    return {
        "job-name": origin.job_name,
        "class-map": {str(at): one.name for at, one in chosen},
        "human-annotated": origin.human_annotated,
        "creation-date": origin.creation_date,
        "confidence-map": {str(at): one.confidence for at, one in chosen},
        "type": f"{TYPE_PREFIX}image-classification-multilabel",
    }


def _of_mask(classes: Sequence[FoundClass], origin: Origin) -> dict[str, Any]:
    return {
        "internal-color-map": {
            str(chosen.class_id): {
                "class-name": chosen.name,
                "hex-color": chosen.color,
                "confidence": chosen.confidence,
            }
            for chosen in classes
        },
        "type": f"{TYPE_PREFIX}semantic-segmentation",
        "human-annotated": origin.human_annotated,
        "creation-date": origin.creation_date,
        "job-name": origin.job_name,
    }


def failure_metadata(account: Account | None) -> dict[str, Any]:
    """Metadata of a data object that got no label, as the service writes them of failed ones."""
    reasons = [reason for _, reason in account.set_aside] if account else []
    processed = account is None or account.status != NOT_PROCESSED
    return {
        "retry-count": 0,
        "failure-reason": failure_reason(without_label(processed=processed), reasons),
        "human-annotated": "true",
    }


def origin_of(
    job_name: str, metadatas: Sequence[Mapping[str, Any]], file_time: datetime | None
) -> Origin:
    """Where a label comes from.

    Parameters
    ----------
    job_name : str
        ``labeling-job/<name in lower case>``.
    metadatas : sequence of mapping
        The label's metadata, the most trusted first.
    file_time : datetime or None
        When the label was stored, in UTC: its date if no metadata has one.
    """
    dates = [_first(metadatas, key) for key in ("creation-date", "creation_date")]
    written = file_time.isoformat() if file_time else ""
    return Origin(
        job_name=job_name,
        human_annotated=_first(metadatas, "human-annotated") or "yes",
        creation_date=_as_date(dates[0] or dates[1] or written),
    )


def _first(metadatas: Sequence[Mapping[str, Any]], key: str) -> str:
    values = (metadata.get(key) for metadata in metadatas)
    return next((value for value in values if isinstance(value, str) and value), "")


def _as_date(text: str) -> str:
    """A date as the built-in functions write it; a text that is no date stays as it is.

    Examples
    --------
    >>> _as_date("2019-10-27T10:35:45+0200")
    '2019-10-27T08:35:45.000000'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds")
