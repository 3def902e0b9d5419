"""Semantic segmentation, one class for each pixel: the label's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from groundtruth.annotations import Answers
from groundtruth.errors import UnusableAnswer
from groundtruth.settings import Settings
from groundtruth.tasks.base import (
    TYPE_PREFIX,
    ConsolidationContext,
    Label,
    LabelClass,
    Origin,
    algorithm_of,
    decode_builtin_style,
    decode_object_style,
    is_builtin_of,
    read_confidence,
    read_text,
)

if TYPE_CHECKING:
    from groundtruth.sharding.arrays import Arrays
    from groundtruth.sharding.plan import Plan
    from groundtruth.sharding.steps import Steps
    from groundtruth.tasks.segmentation.answers import MaskAnswer
    from groundtruth.tasks.texts import LabelTexts, Rejected

BACKGROUND = "BACKGROUND"
"""The name of class 0, whose pixels no worker drew on."""

WEIGHTED = "weighted"
"""The algorithm by which careless workers weigh less."""

MAJORITY = "majority"
"""The one by which all workers weigh the same."""

ALGORITHMS = (WEIGHTED, MAJORITY, "one-coin-em")
"""All of them, the default first."""

ADJUSTMENT = "adjustment-status"
"""The key that says of a label whether anybody changed the earlier mask it began with."""


class SemanticSegmentation:
    """Semantic segmentation."""

    name = "semantic-segmentation"
    aws_name = "SemanticSegmentation"
    schema_name = "semantic-segmentation"
    inline_source = False
    pixel_class_ids = True
    algorithms = ALGORITHMS

    def all_classes(self, classes: Sequence[str], settings: Settings) -> tuple[str, ...]:
        """The job's labels; one that is named BACKGROUND is the mask's own class 0."""
        return tuple(name for name in classes if name != BACKGROUND)

    def class_names(self, content: Any, settings: Settings) -> Iterable[str]:
        """The labels that the answer lists; raises `UnusableAnswer`."""
        return self.decode(content, (), settings).colors

    def decode(self, content: Any, classes: Sequence[str], settings: Settings) -> MaskAnswer:
        """One worker's mask, its PNG not yet looked at; raises `UnusableAnswer`."""
        from groundtruth.tasks.segmentation.answers import mask_answer

        return mask_answer(content)

    def judge_workers(
        self, answers: Iterable[Answers[MaskAnswer]], context: ConsolidationContext
    ) -> frozenset[str] | None:
        """Who was judged by all masks of the job; None if the algorithm does not ask for it."""
        from groundtruth.tasks.segmentation.algorithms import judge_workers

        if algorithm_of(self, context.settings) != WEIGHTED:
            return None
        return judge_workers(answers, context)

    def consolidate(
        self, answers: Iterable[Answers[MaskAnswer]], context: ConsolidationContext
    ) -> Iterator[Label]:
        """One mask for each data object, written to the store; one object at a time.

        Weights come from earlier batches; what this one teaches is kept at its end.
        """
        from groundtruth.tasks.segmentation.algorithms import consolidate_masks

        return consolidate_masks(self, answers, context, algorithm_of(self, context.settings))

    def plan_steps(self, plan: Plan) -> Steps:
        """Workers are judged by all shards first, where the algorithm asks for it."""
        from groundtruth.tasks.segmentation.steps import SegmentationSteps

        return SegmentationSteps(self, plan)

    def format_labels(
        self,
        shard: Arrays,
        labels: Arrays,
        rejected: Rejected,
        attribute: str,
        context: ConsolidationContext,
    ) -> LabelTexts:
        """Not there yet."""
        raise NotImplementedError(self.name)

    def encode_object(self, label: Label) -> dict[str, Any]:
        """The mask's place, its classes and shares; without a usable answer, no mask."""
        return {
            "mask-ref": label.mask_uri,
            "internal-color-map": _format_color_map(label),
            "confidence": 0.0 if label.confidence is None else label.confidence,
            "tied-share": 0.0,
            "disputed-share": 0.0,
            **label.details,
        }

    def encode_builtin(self, label: Label, origin: Origin) -> tuple[Any, dict[str, Any]]:
        """The mask's place, and its classes by the values of its pixels."""
        return label.mask_uri, {
            "internal-color-map": _format_color_map(label),
            "type": f"{TYPE_PREFIX}{self.schema_name}",
            "human-annotated": origin.human_annotated,
            "creation-date": origin.creation_date,
            "job-name": origin.job_name,
            **_keep_adjustment(label.details),
        }

    def decode_label(self, value: Any, metadata: Any) -> Label | None:
        """The mask in a value and its metadata, in either style."""
        if isinstance(value, Mapping):
            if "mask-ref" not in value:
                return None
            uri = value["mask-ref"]
            label = decode_object_style(self, value, _read_classes(uri, value), uri)
            return replace(label, details=_keep_adjustment(value))
        if not is_builtin_of(self, metadata) or not isinstance(value, str):
            return None
        label = decode_builtin_style(self, _read_classes(value, metadata), value)
        return replace(label, details=_keep_adjustment(metadata))


def _keep_adjustment(told: Mapping[str, Any]) -> dict[str, Any]:
    """Whether an earlier mask was adjusted, where that is told."""
    return {ADJUSTMENT: told[ADJUSTMENT]} if ADJUSTMENT in told else {}


def _format_color_map(label: Label) -> dict[str, dict[str, Any]]:
    return {
        str(item.class_id): {
            "class-name": item.name,
            "hex-color": item.color,
            **({} if item.confidence is None else {"confidence": item.confidence}),
        }
        for item in sorted(label.classes, key=lambda item: item.class_id)
    }


def _read_classes(uri: Any, source: Mapping[str, Any]) -> tuple[LabelClass, ...]:
    """The mask's classes, all with the mask's own confidence where it has one, as AWS says."""
    if uri is None:
        return ()
    read_text(uri)
    return tuple(
        LabelClass(
            class_id=int(class_id),
            name=read_text(entry["class-name"]),
            confidence=read_confidence(source.get("confidence", entry.get("confidence"))),
            color=_read_color(entry),
        )
        for class_id, entry in source["internal-color-map"].items()
    )


def _read_color(entry: Mapping[str, Any]) -> str:
    from groundtruth.masks.classify import normalize_color

    try:
        return normalize_color(read_text(entry["hex-color"]), label=entry["class-name"])
    except UnusableAnswer as error:
        raise ValueError("is no colour") from error
