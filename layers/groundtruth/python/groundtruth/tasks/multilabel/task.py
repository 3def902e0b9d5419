"""Multi-label image classification: answers, and the label's JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from statistics import fmean
from typing import TYPE_CHECKING, Any

from groundtruth.annotations import Answers
from groundtruth.errors import UnusableAnswer
from groundtruth.form_inputs import find_choices
from groundtruth.settings import Settings
from groundtruth.tasks.base import (
    CONSENSUS,
    LOW_CONFIDENCE,
    TYPE_PREFIX,
    ConsolidationContext,
    Label,
    LabelClass,
    Origin,
    algorithm_of,
    count_votes,
    decode_builtin_style,
    decode_object_style,
    is_builtin_of,
    read_confidence,
    read_index,
    read_text,
    status_of,
    unlabeled,
)

if TYPE_CHECKING:
    from groundtruth.sharding.arrays import Arrays
    from groundtruth.sharding.plan import Plan
    from groundtruth.sharding.steps import Steps
    from groundtruth.tasks.multilabel.algorithms import SetPrediction
    from groundtruth.tasks.shards import ShardAnswers
    from groundtruth.tasks.texts import LabelTexts, Rejected

ELEMENT = "crowd-image-classifier-multi-select"
CONFIDENCE_DIGITS = 6


class ImageMultiClassMultiLabel:
    """Multi-label image classification."""

    name = "image-multi-class-multi-label"
    aws_name = "ImageMultiClassMultiLabel"
    schema_name = "image-classification-multilabel"
    inline_source = False
    pixel_class_ids = False
    algorithms = ("calibrated", "majority", "builtin")

    def all_classes(self, classes: Sequence[str], settings: Settings) -> tuple[str, ...]:
        """The job's classes, and the page's "none of the above" after them."""
        extra = settings.exclusion_category
        return (*classes, extra) if extra and extra not in classes else tuple(classes)

    def class_names(self, content: Any, settings: Settings) -> tuple[str, ...]:
        """The labels that the worker chose; raises `UnusableAnswer`."""
        return tuple(_chosen_classes(content, settings))

    def decode(self, content: Any, classes: Sequence[str], settings: Settings) -> tuple[int, ...]:
        """Indices of the labels that the worker chose, in that order; raises `UnusableAnswer`."""
        return self.index_names(self.class_names(content, settings), classes)

    def index_names(self, names: Sequence[str], classes: Sequence[str]) -> tuple[int, ...]:
        """Indices of the labels that an answer names, in that order; raises `UnusableAnswer`."""
        unknown = sum(name not in classes for name in names)
        if unknown:
            raise UnusableAnswer("unknown-label", f"{unknown} of its labels are not the job's")
        return tuple(dict.fromkeys(classes.index(name) for name in names))

    def judge_workers(
        self, answers: Iterable[Answers[tuple[int, ...]]], context: ConsolidationContext
    ) -> frozenset[str] | None:
        """None: `consolidate` looks at all answers together."""
        return None

    def consolidate(
        self, answers: Iterable[Answers[tuple[int, ...]]], context: ConsolidationContext
    ) -> Iterator[Label]:
        """One set of labels for each data object.

        An image has the labels that are more probable than the quorum, and the best one if none
        is, for every worker had to choose one. The exclusion category stands alone or not at
        all. The `builtin` algorithm keeps every label that any worker chose.
        """
        from groundtruth.tasks.multilabel.algorithms import predict

        objects = list(answers)
        answered = [item for item in objects if item.answers]
        predictions = iter(predict(answered, context, algorithm_of(self, context.settings)))
        for item in objects:
            if item.answers:
                yield self._label(item, next(predictions), context)
            else:
                yield unlabeled(self, item.rejected, processed=item.processed)

    def _label(
        self,
        item: Answers[tuple[int, ...]],
        prediction: SetPrediction,
        context: ConsolidationContext,
    ) -> Label:
        names, used = context.classes, len(item.answers)
        candidates = {
            class_id: LabelClass(
                class_id=class_id,
                name=names[class_id],
                confidence=round(confidence, CONFIDENCE_DIGITS),
            )
            for class_id, confidence in prediction.candidates.items()
        }
        classes = tuple(candidates[class_id] for class_id in prediction.chosen)
        lowest = min(prediction.candidates[class_id] for class_id in prediction.chosen)
        confidence = round(lowest, CONFIDENCE_DIGITS)
        status = status_of(
            used=used,
            tied=prediction.tied,
            confidence=confidence,
            min_confidence=context.settings.min_confidence,
        )
        if prediction.below_quorum and status == CONSENSUS:
            status = LOW_CONFIDENCE
        votes = count_votes(chain.from_iterable(item.answers), names)
        candidate_names = [candidate.name for candidate in candidates.values()]
        return Label(
            task=self.schema_name,
            classes=classes,
            confidence=confidence,
            status=status,
            votes=votes,
            used=used,
            rejected=item.rejected,
            agreement=_agreement(candidate_names, classes, votes, used),
            dependence=prediction.dependence,
            posterior={
                names[class_id]: round(share, CONFIDENCE_DIGITS)
                for class_id, share in prediction.posterior.items()
            },
        )

    def plan_steps(self, plan: Plan) -> Steps:
        """See `groundtruth.tasks.multilabel.steps`."""
        from groundtruth.tasks.multilabel.steps import make_steps

        return make_steps(plan, algorithm_of(self, plan.settings))

    def pack_answers(self, answers: ShardAnswers[tuple[int, ...]]) -> Arrays:
        """Selections, those of single workers with their order, and true labels where known."""
        import numpy as np

        from groundtruth.tasks.multilabel.algorithms import place_labels

        n_labels = max(1, answers.n_classes)
        picked = np.zeros((len(answers.distinct), n_labels), np.bool_)
        for row, labels in zip(picked, answers.distinct, strict=True):
            row[list(labels)] = True
        gold = np.full((answers.n_objects, n_labels), -1, np.int8)
        for item, labels in answers.gold.items():
            gold[item] = 0
            gold[item, list(labels)] = 1
        places = [place_labels(labels, n_labels) for labels in answers.single()]
        return {
            **answers.columns(),
            "picked": picked[answers.codes],
            "places": np.array(places, np.int16).reshape(-1, n_labels),
            "gold": gold,
        }

    def format_labels(
        self,
        shard: Arrays,
        labels: Arrays,
        rejected: Rejected,
        attribute: str,
        context: ConsolidationContext,
    ) -> LabelTexts:
        """See `Task.format_labels`; of the shard nothing is needed but its labels."""
        from groundtruth.tasks.multilabel.texts import format_labels

        return format_labels(labels, rejected, attribute, self, context)

    def encode_object(self, label: Label) -> dict[str, Any]:
        """Labels, confidences, posterior and votes; all empty without a usable answer."""
        return {
            "class-ids": [item.class_id for item in label.classes],
            "class-map": {str(item.class_id): item.name for item in label.classes},
            "confidence-map": {str(item.class_id): item.confidence for item in label.classes},
            "posterior": label.posterior,
            "votes": label.votes,
        }

    def encode_builtin(self, label: Label, origin: Origin) -> tuple[Any, dict[str, Any]]:
        """The labels' indices and their metadata."""
        return [item.class_id for item in label.classes], {
            "job-name": origin.job_name,
            "class-map": {str(item.class_id): item.name for item in label.classes},
            "human-annotated": origin.human_annotated,
            "creation-date": origin.creation_date,
            "confidence-map": {
                str(item.class_id): item.confidence
                for item in label.classes
                if item.confidence is not None
            },
            "type": f"{TYPE_PREFIX}{self.schema_name}",
        }

    def decode_label(self, value: Any, metadata: Any) -> Label | None:
        """The labels in a value and its metadata, in either style."""
        if isinstance(value, Mapping):
            if "class-ids" not in value:
                return None
            label = decode_object_style(self, value, _read_classes(value["class-ids"], value))
            agreement = _agreement(label.votes, label.classes, label.votes, label.used)
            return replace(label, agreement=agreement)
        if not is_builtin_of(self, metadata) or not isinstance(value, list):
            return None
        return decode_builtin_style(self, _read_classes(value, metadata))


def _chosen_classes(content: Any, settings: Settings) -> list[str]:
    names = find_choices(
        content,
        element=ELEMENT,
        has_shape=_is_choice,
        names_in=lambda value: value["labels"],
        answer_field=settings.answer_field,
    )
    if not names:
        raise UnusableAnswer("empty-answer", "the worker chose no label")
    return names


def _is_choice(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("labels"), list):
        return False
    return all(isinstance(name, str) for name in value["labels"])


def _read_classes(class_ids: Any, source: Mapping[str, Any]) -> tuple[LabelClass, ...]:
    names, confidences = source["class-map"], source.get("confidence-map", {})
    return tuple(
        LabelClass(
            class_id=read_index(class_id),
            name=read_text(names[str(class_id)]),
            confidence=read_confidence(confidences.get(str(class_id))),
        )
        for class_id in class_ids
    )


def _agreement(
    candidates: Collection[str],
    classes: Sequence[LabelClass],
    votes: Mapping[str, float],
    used: int,
) -> float | None:
    """Share of the workers who decided as the label does, averaged over the candidates.

    Where the label has a class, the workers who chose it agree, else those who did not.
    """
    if used < 2 or not candidates or not classes:
        return None
    names = {item.name for item in classes}
    shares = {name: votes.get(name, 0.0) / used for name in candidates}
    return fmean(share if name in names else 1.0 - share for name, share in shares.items())
