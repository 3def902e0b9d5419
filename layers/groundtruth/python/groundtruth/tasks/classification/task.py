"""Single-label image classification: answers, and the label's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from groundtruth.annotations import Answers
from groundtruth.errors import UnusableAnswer
from groundtruth.form_inputs import find_choices
from groundtruth.settings import Settings
from groundtruth.tasks.base import (
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
    from groundtruth.tasks.classification.algorithms import Prediction
    from groundtruth.tasks.shards import ShardAnswers
    from groundtruth.tasks.texts import LabelTexts, Rejected

ELEMENT = "crowd-image-classifier"
CONFIDENCE_DIGITS = 6


class ImageMultiClass:
    """Single-label image classification."""

    name = "image-multi-class"
    aws_name = "ImageMultiClass"
    schema_name = "image-classification"
    inline_source = False
    pixel_class_ids = False
    algorithms = ("calibrated", "weighted", "dawid-skene", "ebcc", "majority", "builtin")

    def all_classes(self, classes: Sequence[str], settings: Settings) -> tuple[str, ...]:
        """The job's classes: this page adds none."""
        return tuple(classes)

    def class_names(self, content: Any, settings: Settings) -> tuple[str, ...]:
        """The class that the worker chose; raises `UnusableAnswer`."""
        return (_chosen_class(content, settings),)

    def decode(self, content: Any, classes: Sequence[str], settings: Settings) -> int:
        """Index of the class that the worker chose; raises `UnusableAnswer`."""
        return self.index_names(self.class_names(content, settings), classes)

    def index_names(self, names: Sequence[str], classes: Sequence[str]) -> int:
        """Index of the one class that an answer names; raises `UnusableAnswer`."""
        (name,) = names
        if name not in classes:
            raise UnusableAnswer("unknown-label", "the label is not one of the job's")
        return classes.index(name)

    def judge_workers(
        self, answers: Iterable[Answers[int]], context: ConsolidationContext
    ) -> frozenset[str] | None:
        """None: `consolidate` looks at all answers together."""
        return None

    def consolidate(
        self, answers: Iterable[Answers[int]], context: ConsolidationContext
    ) -> Iterator[Label]:
        """One class for each data object.

        The whole batch is looked at together: how often workers agree says what each is worth.
        """
        from groundtruth.tasks.classification.algorithms import predict

        objects = list(answers)
        voted = [item for item in objects if item.answers]
        predictions = iter(predict(voted, context, algorithm_of(self, context.settings)))
        for item in objects:
            if item.answers:
                yield self._label(item, next(predictions), context)
            else:
                yield unlabeled(self, item.rejected, processed=item.processed)

    def _label(
        self, item: Answers[int], prediction: Prediction, context: ConsolidationContext
    ) -> Label:
        name, used = context.classes[prediction.class_id], len(item.answers)
        confidence = round(prediction.confidence, CONFIDENCE_DIGITS)
        votes = count_votes(item.answers, context.classes)
        return Label(
            task=self.schema_name,
            classes=(LabelClass(class_id=prediction.class_id, name=name, confidence=confidence),),
            confidence=confidence,
            status=status_of(
                used=used,
                tied=prediction.tied,
                confidence=prediction.confidence,
                min_confidence=context.settings.min_confidence,
            ),
            votes=votes,
            used=used,
            rejected=item.rejected,
            agreement=_agreement(name, votes, used),
            dependence=prediction.dependence,
            posterior={
                context.classes[class_id]: round(share, CONFIDENCE_DIGITS)
                for class_id, share in prediction.posterior.items()
                if class_id < len(context.classes)  # else the class that nobody has named yet
            },
        )

    def plan_steps(self, plan: Plan) -> Steps:
        """How an algorithm consolidates the votes of a whole job, shard by shard."""
        from groundtruth.tasks.classification.steps import make_steps

        return make_steps(plan, algorithm_of(self, plan.settings))

    def pack_answers(self, answers: ShardAnswers[int]) -> Arrays:
        """Votes, and true classes where they are known."""
        import numpy as np

        gold = np.full(answers.n_objects, -1, np.int32)
        gold[list(answers.gold)] = list(answers.gold.values())
        classes = np.array(answers.distinct, np.int32)[answers.codes]
        return {**answers.columns(), "classes": classes, "gold": gold}

    def format_labels(
        self,
        shard: Arrays,
        labels: Arrays,
        rejected: Rejected,
        attribute: str,
        context: ConsolidationContext,
    ) -> LabelTexts:
        """One class, or none, for each data object."""
        from groundtruth.tasks.classification.texts import format_labels

        return format_labels(shard, labels, rejected, attribute, self, context)

    def encode_object(self, label: Label) -> dict[str, Any]:
        """Class, confidence, posterior and votes; all but empty without a usable answer."""
        best = label.classes[0] if label.classes else None
        return {
            "class-id": best.class_id if best else None,
            "class-name": best.name if best else None,
            "confidence": best.confidence if best else 0.0,
            "posterior": label.posterior,
            "votes": label.votes,
        }

    def encode_builtin(self, label: Label, origin: Origin) -> tuple[Any, dict[str, Any]]:
        """The class's index and its metadata."""
        best = label.classes[0]
        known = {} if best.confidence is None else {"confidence": best.confidence}
        return best.class_id, {
            **known,
            "job-name": origin.job_name,
            "class-name": best.name,
            "human-annotated": origin.human_annotated,
            "creation-date": origin.creation_date,
            "type": f"{TYPE_PREFIX}{self.schema_name}",
        }

    def decode_label(self, value: Any, metadata: Any) -> Label | None:
        """The label in a value and its metadata, in either style."""
        if isinstance(value, Mapping):
            if "class-name" not in value:
                return None
            classes = () if value["class-id"] is None else _read_class(value["class-id"], value)
            label = decode_object_style(self, value, classes)
            name = classes[0].name if classes else None
            return replace(label, agreement=_agreement(name, label.votes, label.used))
        if not is_builtin_of(self, metadata):
            return None
        return decode_builtin_style(self, _read_class(value, metadata))


def _chosen_class(content: Any, settings: Settings) -> str:
    names = find_choices(
        content,
        element=ELEMENT,
        has_shape=_is_choice,
        names_in=lambda value: [value["label"]],
        answer_field=settings.answer_field,
    )
    if len(names) > 1:
        raise UnusableAnswer(
            "ambiguous-answer", f"{len(names)} labels are chosen, and an image has one"
        )
    if not names[0]:
        raise UnusableAnswer("empty-answer", "the worker chose no label")
    return names[0]


def _is_choice(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("label"), str)


def _read_class(class_id: Any, source: Mapping[str, Any]) -> tuple[LabelClass, ...]:
    return (
        LabelClass(
            class_id=read_index(class_id),
            name=read_text(source["class-name"]),
            confidence=read_confidence(source.get("confidence")),
        ),
    )


def _agreement(name: str | None, votes: Mapping[str, float], used: int) -> float | None:
    """Share of the workers who chose the class."""
    if used < 2 or name is None or not votes:
        return None
    return votes.get(name, 0.0) / used
