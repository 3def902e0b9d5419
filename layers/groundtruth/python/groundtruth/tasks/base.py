"""What all job types have in common: the protocol of a task, a label, and its JSON."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from groundtruth.annotations import Answers, RejectedAnswer
from groundtruth.auxiliary_inputs import NO_LABELS, AuxiliaryLabels
from groundtruth.settings import Settings
from groundtruth.storage.s3 import ObjectStore
from groundtruth.worker_history.store import BatchSkills

Answer = TypeVar("Answer")

if TYPE_CHECKING:
    from groundtruth.aggregation.classification.calibration_maps import ConfidenceMap
    from groundtruth.aggregation.classification.dependence import DependenceSettings, Evidence
    from groundtruth.sharding.arrays import Arrays
    from groundtruth.sharding.plan import Plan
    from groundtruth.sharding.steps import Steps
    from groundtruth.tasks.shards import ShardAnswers
    from groundtruth.tasks.texts import LabelTexts, Rejected


@dataclass(frozen=True, kw_only=True)
class ConsolidationContext:
    """What a task needs to know of a batch besides its answers."""

    classes: tuple[str, ...]  # everything a worker may have chosen, in label order
    # false if no place named the classes, so that they are those the workers used
    classes_known: bool
    settings: Settings  # those of the job
    job_name: str  # ``labeling-job/<name>``
    # When the batch was put together, in UTC. The same payload has the same time for ever, so that
    # a batch that comes again leaves the same bytes.
    made_at: datetime
    masks_uri: str  # S3 URI of the folder that masks go to, without a slash at its end
    store: ObjectStore  # where masks are written
    kms_key: str | None  # the key to write them with
    workers: tuple[str, ...] = ()  # everybody whose answer is in the payload, in sorted order
    # what earlier batches taught about the workers
    skills: BatchSkills = field(default_factory=BatchSkills.none)
    # gold, model: labels that are known beforehand, and a model's answers
    gold: AuxiliaryLabels = NO_LABELS
    model: AuxiliaryLabels = NO_LABELS
    confidence_map: ConfidenceMap | None = None  # puts confidences right
    # In [0, 1]: how dependent errors are taken to be, whatever the answers show of it. With 0 and
    # 1 one learns what a label's confidence owes to it.
    dependence: float | None = None

    @cached_property
    def model_id(self) -> str:
        """The name under which the model counts as a worker: one for each file of answers."""
        digest = hashlib.sha256(self.settings.model_answers_s3_uri.encode()).hexdigest()
        return f"model.{digest[:16]}"

    @property
    def origin(self) -> Origin:
        """What labels of the batch say of where they come from, in the `builtin` style."""
        return Origin(
            job_name=self.job_name, human_annotated="yes", creation_date=creation_date(self)
        )


@dataclass(frozen=True, kw_only=True)
class LabelClass:
    """A class that a data object has."""

    class_id: int  # its index: in label order, or in the mask
    name: str  # its name
    # Probability in [0, 1] that the object has it; of a mask's class, the expected intersection
    # over union. None if it was read from a label that does not tell it.
    confidence: float | None
    color: str = ""  # of a mask's class, such as ``"#2ca02c"``


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """How far the errors of a data object's workers were taken to go together, and from what.

    Attributes
    ----------
    value : float
        From 0, errors are independent, to 1, many answers say little more than one.
    correlation : float
        Of the errors of two workers on one data object, drawn towards what is usual as long as
        little is known; can be below 0.
    pairs : int
        Pairs of answers to one data object that it was found from: those to the batch's other
        objects, and what is left of those of earlier batches.
    earlier_pairs : int
        How many of them are of earlier batches.
    """

    value: float
    correlation: float
    pairs: int
    earlier_pairs: int = 0


OBJECT = "object"
BUILTIN = "builtin"


@dataclass(frozen=True, kw_only=True)
class Label:
    """The label of one data object, as a task makes it and as it is read again.

    Attributes
    ----------
    task : str
        The job type, by its schema name.
    classes : tuple of LabelClass
        Its class, its labels or its mask's classes; empty if it has no label.
    confidence : float or None
        In [0, 1]: of several labels the lowest that is known; None if none is.
    mask_uri : str or None
        S3 URI of the mask.
    style : str
        `OBJECT`, or `BUILTIN` if it was read from that style, which does not tell what follows.
    status : str
        How sure the label is, in one word such as `CONSENSUS`.
    votes : mapping of str to float
        How many workers chose each class that any worker chose; empty if it is not known.
    used : int
        How many answers count.
    rejected : tuple of RejectedAnswer
        The answers that do not count.
    agreement : float or None
        Share of the answers that agree with the label, in [0, 1]; None with fewer than two, and
        where it is not known.
    algorithm : tuple of (str, str) or None
        Its name and the settings' hash, if the label was read.
    dependence : Dependence or None
        Of the workers' errors, if the algorithm looked for it and the object has two answers.
    posterior : mapping of str to float
        Probability of each class that is worth showing, if the label was just made.
    builtin_classes : tuple of LabelClass
        The classes the `builtin` style shows, where they are not `classes`.
    details : mapping
        What else the `object` style tells of a label of this job type.
    """

    task: str
    classes: tuple[LabelClass, ...] = ()
    confidence: float | None = None
    mask_uri: str | None = None
    style: str = OBJECT
    status: str = ""
    votes: Mapping[str, float] = field(default_factory=dict)
    used: int = 0
    rejected: tuple[RejectedAnswer, ...] = ()
    agreement: float | None = None
    algorithm: tuple[str, str] | None = None
    dependence: Dependence | None = None
    posterior: Mapping[str, float] = field(default_factory=dict)
    builtin_classes: tuple[LabelClass, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a `builtin` style label's metadata say of where it comes from."""

    job_name: str  # ``labeling-job/<name in lower case>``
    human_annotated: str  # ``"yes"`` or ``"no"``
    creation_date: str  # ISO 8601 in UTC, with microseconds, without a zone


class Task(Protocol[Answer]):
    """One job type."""

    @property
    def name(self) -> str:
        """The job type's name on the command line: ``"image-multi-class"``."""

    @property
    def aws_name(self) -> str:
        """Its name in the functions' names: ``"ImageMultiClass"``."""

    @property
    def schema_name(self) -> str:
        """Its name in a label's JSON: ``"image-classification"``."""

    @property
    def inline_source(self) -> bool:
        """Whether a data object is a text in the manifest (`source`), not a file (`source-ref`)."""

    @property
    def pixel_class_ids(self) -> bool:
        """Whether a label's class indices are the values of its mask's pixels."""

    @property
    def algorithms(self) -> Sequence[str]:
        """Names of the algorithms; the first one is the default."""

    def all_classes(self, classes: Sequence[str], settings: Settings) -> tuple[str, ...]:
        """Everything a worker may have chosen: the job's classes and what the page adds."""

    def class_names(self, content: Any, settings: Settings) -> Iterable[str]:
        """Names of the classes in one decoded answer; raises `UnusableAnswer`."""

    def decode(self, content: Any, classes: Sequence[str], settings: Settings) -> Answer:
        """One worker's answer; raises `UnusableAnswer`."""

    def judge_workers(
        self, answers: Iterable[Answers[Answer]], context: ConsolidationContext
    ) -> frozenset[str] | None:
        """Teach the context's skills what a whole job tells of its workers, before `consolidate`.

        Gives who was judged; None, and no answer is read, if `consolidate` finds it out itself.
        """

    def consolidate(
        self, answers: Iterable[Answers[Answer]], context: ConsolidationContext
    ) -> Iterator[Label]:
        """One label for each data object, in order."""

    def plan_steps(self, plan: Plan) -> Steps:
        """How shards are consolidated, for a whole job on several processes or machines."""

    def format_labels(
        self,
        shard: Arrays,
        labels: Arrays,
        rejected: Rejected,
        attribute: str,
        context: ConsolidationContext,
    ) -> LabelTexts:
        """What `format_label` writes of each label of a shard, in both styles.

        `shard` has the answers of people alone, `labels` what the last of `plan_steps` found, and
        `rejected` the answers that do not count.
        """

    def encode_object(self, label: Label) -> dict[str, Any]:
        """What the `object` style tells of a label of this type, with or without classes."""

    def encode_builtin(self, label: Label, origin: Origin) -> tuple[Any, dict[str, Any]]:
        """Value and metadata of a label with classes, as the built-in function writes them."""

    def decode_label(self, value: Any, metadata: Any) -> Label | None:
        """The label in the value and the metadata of a label attribute, in either style.

        None if it has the shape of neither. A shape with a wrong or missing part may raise
        `KeyError`, `TypeError`, `ValueError` or `AttributeError`: it is no label either.
        """


class NamesTask(Task[Answer], Protocol[Answer]):
    """A job type whose answers are nothing but names of classes.

    `decode` is then `class_names`, which needs no classes, and `index_names`.
    """

    def index_names(self, names: Sequence[str], classes: Sequence[str]) -> Answer:
        """The answer that gives these names; raises `UnusableAnswer` if one is no class."""

    def pack_answers(self, answers: ShardAnswers[Answer]) -> Arrays:
        """The arrays of a shard's file, as `plan_steps` reads them."""


def algorithm_of(task: Task[Any], settings: Settings) -> str:
    """The algorithm that is set, or the task's default."""
    return settings.consolidation_algorithm or task.algorithms[0]


def creation_date(context: ConsolidationContext) -> str:
    """The batch's time as the service writes it: ISO 8601 with microseconds, no zone."""
    return context.made_at.replace(tzinfo=None).isoformat(timespec="microseconds")


CONSENSUS = "consensus"
TIE = "tie"
LOW_CONFIDENCE = "low-confidence"
SINGLE_ANNOTATOR = "single-annotator"
NO_USABLE_ANSWER = "no-usable-answer"
NOT_PROCESSED = "not-processed"

PRIOR_CONFIDENCE = 0.7
"""Confidence in the only answer, of a worker of whom nothing is known.

The pooled accuracy of workers before any evidence in `docs/explanation/algorithms.md`. It is a
property of workers, not of the batch.
"""

SMALLEST_SHOWN = 0.01
"""A class that got no vote is in the posterior of a result if it is more probable than this."""


def status_of(*, used: int, tied: bool, confidence: float, min_confidence: float) -> str:
    """The status of a label; `tied` if another has just as much support."""
    if used == 1:
        return SINGLE_ANNOTATOR
    if tied:
        return TIE
    return LOW_CONFIDENCE if confidence < min_confidence else CONSENSUS


def unlabeled(
    task: Task[Any], rejected: Iterable[RejectedAnswer], *, processed: bool = True
) -> Label:
    """What a data object without a usable answer gets, or one there was no time for."""
    status = NO_USABLE_ANSWER if processed else NOT_PROCESSED
    return Label(task=task.schema_name, status=status, rejected=tuple(rejected))


def count_votes(answers: Iterable[int], classes: Sequence[str]) -> dict[str, int]:
    """How often each class was chosen, in label order, without those that were not.

    Examples
    --------
    >>> count_votes([2, 0, 2], ["crab", "eel", "urchin"])
    {'crab': 1, 'urchin': 2}
    """
    counts = Counter(answers)
    return {classes[index]: counts[index] for index in sorted(counts)}


LONGEST_DETAIL = 200
"""Characters of a detail in a response, which may have 6 MB with the details of 450 answers."""

DEPENDENCE_DIGITS = 3

TYPE_PREFIX = "groundtruth/"


def format_label(
    label: Label, attribute: str, task: Task[Any], context: ConsolidationContext
) -> dict[str, Any]:
    """The content of one data object in the response, in the style that is set."""
    if context.settings.output_style != BUILTIN:
        return {attribute: _object_style(label, task, context)}
    if not label.classes:
        return {f"{attribute}-metadata": failure_metadata(label)}
    value, metadata = builtin_style(label, task, context.origin)
    return {attribute: value, f"{attribute}-metadata": metadata}


def _object_style(label: Label, task: Task[Any], context: ConsolidationContext) -> dict[str, Any]:
    """All we know, inside the label attribute: the service replaces custom jobs' metadata."""
    value: dict[str, Any] = {"schema": f"consolidated-label/{task.schema_name}/1"}
    value |= task.encode_object(label)
    value["status"] = label.status
    value["answers"] = {
        "used": label.used,
        "set-aside": [
            {
                "worker-id": item.worker_id,
                "reason": item.reason,
                "detail": item.detail[:LONGEST_DETAIL],
            }
            for item in label.rejected
        ],
    }
    value["algorithm"] = {
        "name": algorithm_of(task, context.settings),
        "settings": context.settings.label_hash,
        **value.pop("algorithm", {}),  # what the label itself tells of how it was made
        **_encode_dependence(label.dependence),
    }
    if context.skills.note:
        value["worker-skill"] = context.skills.note
    if not context.classes_known:
        value["classes-from"] = "answers"
    return value


def find_dependence(
    elsewhere: Evidence | None,
    earlier: Evidence,
    n_answers: Sequence[int],
    settings: DependenceSettings,
) -> list[Dependence | None]:
    """What each data object's label tells of dependence; None with fewer than two answers.

    Parameters
    ----------
    elsewhere : Evidence or None
        What all but the object show of it, by object; None if the algorithm does not ask.
    earlier : Evidence
        The part of that which is of earlier batches.
    n_answers : sequence of int
        How many answers each object has.
    settings : DependenceSettings
        How the algorithm reads the evidence.
    """
    if elsewhere is None:
        return [None] * len(n_answers)
    figures = (
        elsewhere.estimate_dependence(settings),
        elsewhere.estimate_correlation(settings),
        elsewhere.unordered_pairs,
    )
    columns = (values.tolist() for values in figures)
    earlier_pairs = round(float(earlier.unordered_pairs))
    return [
        Dependence(
            value=value,
            correlation=correlation,
            pairs=round(pairs),
            earlier_pairs=earlier_pairs,
        )
        if count > 1
        else None
        for count, value, correlation, pairs in zip(n_answers, *columns, strict=True)
    ]


def _encode_dependence(found: Dependence | None) -> dict[str, Any]:
    """The part of a label's `algorithm` that tells of it."""
    if found is None:
        return {}
    earlier = {"earlier-pairs": found.earlier_pairs} if found.earlier_pairs else {}
    return {
        "dependence": round(found.value, DEPENDENCE_DIGITS),
        "correlation": round(found.correlation, DEPENDENCE_DIGITS),
        "pairs": found.pairs,
        **earlier,
    }


def _decode_dependence(algorithm: Mapping[str, Any]) -> Dependence | None:
    """What `_encode_dependence` wrote, if it did."""
    value = read_confidence(algorithm.get("dependence"))
    if value is None:
        return None
    return Dependence(
        value=value,
        correlation=float(algorithm["correlation"]),
        pairs=read_index(algorithm["pairs"]),
        earlier_pairs=read_index(algorithm.get("earlier-pairs", 0)),
    )


def builtin_style(label: Label, task: Task[Any], origin: Origin) -> tuple[Any, dict[str, Any]]:
    """Value and metadata of a label with classes, as the built-in function returns them.

    It says of a single worker's answer that its confidence is 0.0.
    """
    classes = label.builtin_classes or label.classes
    if label.status == SINGLE_ANNOTATOR:
        classes = tuple(replace(item, confidence=0.0) for item in classes)
    return task.encode_builtin(replace(label, classes=classes), origin)


def failure_metadata(label: Label) -> dict[str, Any]:
    """Metadata of a data object without a label, as the service writes them of failed ones."""
    return {
        "retry-count": 0,
        "failure-reason": failure_reason(
            NOT_PROCESSED if label.status == NOT_PROCESSED else NO_USABLE_ANSWER,
            (item.reason for item in label.rejected),
        ),
        "human-annotated": "true",
    }


def failure_reason(status: str, reasons: Iterable[str]) -> str:
    """Why a data object has no label, as its metadata say.

    Parameters
    ----------
    status : str
        `NO_USABLE_ANSWER` or `NOT_PROCESSED`.
    reasons : iterable of str
        Why each answer was rejected.

    Examples
    --------
    >>> failure_reason(NO_USABLE_ANSWER, ["empty-answer", "bad-png", "empty-answer"])
    'no-usable-answer: 1 bad-png, 2 empty-answer'
    """
    if status == NOT_PROCESSED:
        return f"{NOT_PROCESSED}: the function ran out of time"
    counts = sorted(Counter(reasons).items())
    listed = ", ".join(f"{count} {reason}" for reason, count in counts)
    return f"{status}: {listed or 'no answers'}"


def decode_object_style(
    task: Task[Any],
    value: Mapping[str, Any],
    classes: tuple[LabelClass, ...],
    mask_uri: str | None = None,
) -> Label:
    """The label in an `object` style value, of which a task has read the classes.

    Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` for another shape.
    """
    answers, algorithm = value.get("answers", {}), value.get("algorithm")
    return Label(
        task=task.schema_name,
        classes=classes,
        confidence=_lowest_confidence(classes),
        mask_uri=mask_uri,
        status=str(value.get("status", "")),
        votes={read_text(name): float(count) for name, count in value.get("votes", {}).items()},
        used=read_index(answers.get("used", 0)),
        rejected=tuple(
            RejectedAnswer(str(item["worker-id"]), str(item["reason"]), str(item.get("detail", "")))
            for item in answers.get("set-aside", ())
        ),
        algorithm=(str(algorithm["name"]), str(algorithm.get("settings", "")))
        if algorithm
        else None,
        dependence=_decode_dependence(algorithm) if algorithm else None,
    )


def decode_builtin_style(
    task: Task[Any], classes: tuple[LabelClass, ...], mask_uri: str | None = None
) -> Label:
    """The label in a `builtin` style value, of which a task has read the classes."""
    return Label(
        task=task.schema_name,
        style=BUILTIN,
        classes=classes,
        confidence=_lowest_confidence(classes),
        mask_uri=mask_uri,
    )


def is_builtin_of(task: Task[Any], metadata: Any) -> bool:
    """Whether metadata are those that the built-in function of a job type writes."""
    name = metadata.get("type") if isinstance(metadata, Mapping) else None
    return str(name).removeprefix(TYPE_PREFIX) == task.schema_name


def _lowest_confidence(classes: tuple[LabelClass, ...]) -> float | None:
    return min((item.confidence for item in classes if item.confidence is not None), default=None)


def read_index(value: Any) -> int:
    """A whole number from 0 up; raises `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("is no whole number from 0 up")
    return value


def read_confidence(value: Any) -> float | None:
    """A number in [0, 1], or None if it is not told; raises `ValueError` for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("is no number from 0 to 1")
    return float(value)


def read_text(value: Any) -> str:
    """A text that is not empty; raises `ValueError` for anything else."""
    if not isinstance(value, str) or not value:
        raise ValueError("is no text")
    return value


@dataclass(frozen=True)
class BatchAnswers(Generic[Answer]):
    """The answers to the images of a batch, one row each, and who gave them."""

    workers: tuple[str, ...]  # sorted; the model of the job's auxiliary file is one more, the last
    rows: list[tuple[int, int, Answer]]  # index of the image, index of the worker, and the answer
    gold: list[Answer | None]  # the true answer to each image, where it is known
    max_weights: list[float] | None  # largest weight of each worker; None without the model


def collect_answers(
    objects: Sequence[Answers[Answer]],
    context: ConsolidationContext,
    find_answer: Callable[[Sequence[str]], Answer | None],
    *,
    with_model: bool,
) -> BatchAnswers[Answer]:
    """Number the answers to the images of a batch.

    `find_answer` gives the answer that names of an auxiliary file stand for, if they stand for
    one; `with_model` says whether the model counts, if the job has one.
    """

    def look_up(labels: AuxiliaryLabels, item: Answers[Answer]) -> Answer | None:
        names = labels.of(item.object_id, item.source)
        return None if names is None else find_answer(names)

    workers = sorted({worker for item in objects for worker in item.workers})
    index_of = {worker: index for index, worker in enumerate(workers)}
    with_model = with_model and context.settings.model_max_weight > 0
    rows: list[tuple[int, int, Answer]] = []
    has_model = False
    for index, item in enumerate(objects):
        rows += [
            (index, index_of[worker], answer)
            for worker, answer in zip(item.workers, item.answers, strict=True)
        ]
        prediction = look_up(context.model, item) if with_model else None
        if prediction is not None:
            rows.append((index, len(workers), prediction))
            has_model = True
    max_weights = [math.inf] * len(workers) + [context.settings.model_max_weight]
    return BatchAnswers(
        workers=(*workers, context.model_id) if has_model else tuple(workers),
        rows=rows,
        gold=[look_up(context.gold, item) for item in objects],
        max_weights=max_weights if has_model else None,
    )
