"""Labels as they are found after a job, and as the built-in functions write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from groundtruth.tasks.base import NOT_PROCESSED, SINGLE_ANNOTATOR, failure_reason, without_label

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
    rejected : tuple of (str, str)
        Worker and reason of each answer that does not.
    algorithm : tuple of (str, str) or None
        Its name and the settings' hash.
    """

    status: str = ""
    votes: Mapping[str, float] = field(default_factory=dict)
    used: int = 0
    rejected: tuple[tuple[str, str], ...] = ()
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
        rejected=tuple(
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


FROM_FILE = "label-file"
FROM_LABELS = "labels"
FROM_NAMES = "sorted-names"


@dataclass(frozen=True)
class ClassOrder:
    """The classes of a job.

    Attributes
    ----------
    index_of : mapping of str to int
        Index of each class, by its name.
    source : str
        ``"label-file"``; ``"labels"``: the indices that the labels have; ``"sorted-names"``: the
        labels' indices contradict each other, as they do where no place named the classes, so
        the names are sorted.
    """

    index_of: Mapping[str, int]
    source: str


class ClassesSeen:
    """The classes of the labels of a job, collected one label at a time."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, str]] = set()

    def add(self, classes: Sequence[FoundClass]) -> None:
        """Take in the classes of a label."""
        self._seen.update((chosen.class_id, chosen.name) for chosen in classes)

    def order(self, given: Sequence[str] | None) -> ClassOrder:
        """The index of every class seen.

        Parameters
        ----------
        given : sequence of str or None
            The classes in label order. Names that are not there (such as the page's "none of
            the above") come behind, in the order of their indices.

        Examples
        --------
        >>> seen = ClassesSeen()
        >>> seen.add([FoundClass(class_id=1, name="crab", confidence=1.0)])
        >>> seen.order(None).index_of
        {'crab': 1}
        >>> seen.order(["crab", "eel"]).index_of
        {'crab': 0, 'eel': 1}
        """
        if given is not None:
            others = {name: None for _, name in sorted(self._seen) if name not in given}
            return ClassOrder(_numbered([*given, *others]), FROM_FILE)
        names = sorted({name for _, name in self._seen})
        ids = {class_id for class_id, _ in self._seen}
        if len(self._seen) == len(names) == len(ids):
            return ClassOrder({name: at for at, name in sorted(self._seen)}, FROM_LABELS)
        return ClassOrder(_numbered(names), FROM_NAMES)


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(names)}


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
    reasons = [reason for _, reason in account.rejected] if account else []
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
