"""Logs and metrics of the functions: ids and counts, never answers, images or credentials."""

from __future__ import annotations

import resource
import time
from collections import Counter
from statistics import fmean

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from groundtruth.annotations import CANNOT_BE_LABELED
from groundtruth.consolidation import Outcome
from groundtruth.tasks.base import NO_USABLE_ANSWER, NOT_PROCESSED

logger = Logger()
metrics = Metrics(namespace="GroundTruthConsolidation")


def count_batch(stack_name: str) -> float:
    """Count a batch before it is looked at, so that one that fails is counted too.

    Parameters
    ----------
    stack_name : str
        The stack that the metrics of this batch are of.

    Returns
    -------
    float
        When the batch began, in seconds of a clock of its own; for `observe`.
    """
    metrics.add_dimension(name="stack", value=stack_name)
    metrics.add_metric(name="Batches", unit=MetricUnit.Count, value=1)
    return time.monotonic()


def observe(outcome: Outcome, *, began: float) -> None:
    """Log and count what became of a batch.

    Parameters
    ----------
    outcome : Outcome
        Of `consolidate_batch`.
    began : float
        What `count_batch` returned.
    """
    statuses = Counter(label.status for label in outcome.labels)
    reasons = Counter(item.reason for label in outcome.labels for item in label.rejected)
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
        # What workers say of an image is no sign that the page or the answers are broken.
        "AnswersSetAside": reasons.total() - reasons[CANNOT_BE_LABELED],
        "ObjectsWithoutLabel": statuses[NO_USABLE_ANSWER] + statuses[NOT_PROCESSED],
        "ObjectsNotProcessed": statuses[NOT_PROCESSED],
        "Ties": statuses["tie"],
        "JobNotes": len(outcome.notes),
        "SkillStoreFallbacks": int(bool(outcome.skill_note)),
        **{f"AnswersSetAside-{reason}": count for reason, count in sorted(reasons.items())},
    }
    for name, count in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    _measure(outcome, began)


def _measure(outcome: Outcome, began: float) -> None:
    """Agreement of the workers with the labels, time for the batch, peak memory so far."""
    agreements = [label.agreement for label in outcome.labels if label.agreement is not None]
    if agreements:
        metrics.add_metric(
            name="Agreement", unit=MetricUnit.Percent, value=round(100 * fmean(agreements), 2)
        )
    spent = round(1000 * (time.monotonic() - began), 3)
    metrics.add_metric(name="BatchDuration", unit=MetricUnit.Milliseconds, value=spent)
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    metrics.add_metric(name="PeakMemory", unit=MetricUnit.Megabytes, value=kibibytes // 1024)
