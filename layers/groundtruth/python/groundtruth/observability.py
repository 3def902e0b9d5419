"""Logs and metrics of the functions: ids and counts, never answers, images or credentials."""

from __future__ import annotations

from collections import Counter

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from groundtruth.consolidation import Outcome
from groundtruth.tasks.statuses import NO_USABLE_ANSWER, NOT_PROCESSED

logger = Logger()
metrics = Metrics(namespace="GroundTruthConsolidation")


def count_batch(stack_name: str) -> None:
    """Count a batch before it is looked at, so that one that fails is counted too.

    Parameters
    ----------
    stack_name : str
        The stack that the metrics of this batch are of.
    """
    metrics.add_dimension(name="stack", value=stack_name)
    metrics.add_metric(name="Batches", unit=MetricUnit.Count, value=1)


def observe(outcome: Outcome) -> None:
    """Log and count what became of a batch.

    Parameters
    ----------
    outcome : Outcome
        Of `consolidate_batch`.
    """
    statuses = Counter(label.status for label in outcome.labels)
    reasons = Counter(item.reason for label in outcome.labels for item in label.set_aside)
    used = sum(label.used for label in outcome.labels)
    for note in outcome.notes:
        logger.warning("job setting not found or not understood", note=note)
    if outcome.skill_note:
        logger.warning("worker skill not read or not kept", note=outcome.skill_note)
    logger.info(
        "batch consolidated",
        job=outcome.job_name,
        objects=len(outcome.labels),
        answers_used=used,
        answers_set_aside=dict(reasons),
        statuses=dict(statuses),
    )
    counts = {
        "Objects": len(outcome.labels),
        "AnswersUsed": used,
        "AnswersSetAside": reasons.total(),
        "ObjectsWithoutLabel": statuses[NO_USABLE_ANSWER] + statuses[NOT_PROCESSED],
        "ObjectsNotProcessed": statuses[NOT_PROCESSED],
        "Ties": statuses["tie"],
        "JobNotes": len(outcome.notes),
        "SkillStoreFallbacks": int(bool(outcome.skill_note)),
    }
    for name, count in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
