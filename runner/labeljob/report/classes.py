"""What the report says class by class, as small multiples."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from labeljob.report.contents import Contents
from labeljob.report.gallery import list_colors

BINS = 10
"""Bars of a class's histogram of confidences."""

THUMBNAILS = 3
"""Pictures of a class's most disputed data objects."""

SHOWN_CLASSES = 24
"""Classes that are shown at once; of more, those with the least agreement, and the rest unfolds."""


@dataclass(frozen=True, kw_only=True)
class ClassCard:
    """One class: how many labels have it, how sure they are, and what workers make of it.

    `bars` are how many labels have a confidence in each tenth, of the largest number; `alpha` is
    NaN where it cannot be told; `taken_for` is what workers say most often where the others say
    the class, and in which share of the cases; empty if nothing else; `disputed` are ids of the
    most disputed data objects with the label.
    """

    name: str
    color: str
    labels: int
    share: float
    confidence: float
    bars: tuple[tuple[int, float], ...]
    alpha: float
    disputed: tuple[str, ...]
    taken_for: str
    mistaken: float


def collect_classes(contents: Contents) -> list[ClassCard]:
    """Work out what there is to say of each class; the order is the job's, if they are not many."""
    job = contents.job
    confidences: defaultdict[str, list[float]] = defaultdict(list)
    labels: Counter[str] = Counter()
    disputed: defaultdict[str, list[str]] = defaultdict(list)
    choices = {obj.object_id: obj.choices for obj in contents.objects}
    place = {obj.object_id: at for at, (share, obj) in enumerate(contents.disputes) if share}
    nothing = np.empty((0, 0), np.int64)
    for object_id, label in contents.labels.items():
        shown = job.task.name_shown(label, choices.get(object_id, nothing), contents.classes)
        if object_id in place:
            for name in shown:
                disputed[name].append(object_id)
        for name in shown:
            labels[name] += 1
        for item in label.classes:
            if item.name in shown and item.confidence is not None:
                confidences[item.name].append(item.confidence)
    agreement = (contents.without or contents.agreement).by_class
    colors = dict(list_colors(contents))
    totals = contents.confusion.sum(axis=1)
    cards = []
    for index, name in enumerate(contents.classes):
        alpha, chosen = agreement.get(name, (math.nan, 0))
        if not (labels[name] or chosen) or (colors and name not in colors):  # the background
            continue
        counts = np.histogram(confidences[name], bins=BINS, range=(0, 1))[0].tolist()
        off = contents.confusion[index].copy()
        off[index] = 0
        other = int(off.argmax())
        cards.append(
            ClassCard(
                name=name,
                color=colors.get(name, ""),
                labels=labels[name],
                share=labels[name] / max(len(contents.labels), 1),
                confidence=float(np.mean(confidences[name])) if confidences[name] else math.nan,
                bars=tuple((count, count / max(*counts, 1)) for count in counts),
                alpha=alpha,
                disputed=tuple(sorted(disputed[name], key=place.__getitem__)[:THUMBNAILS]),
                taken_for=contents.classes[other] if off[other] > 0 else "",
                mistaken=float(off[other] / totals[index]) if off[other] > 0 else 0.0,
            )
        )
    if len(cards) > SHOWN_CLASSES:
        cards.sort(key=lambda card: math.inf if math.isnan(card.alpha) else card.alpha)
    return cards
