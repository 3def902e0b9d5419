"""What is taken for what, for the report."""

from __future__ import annotations

import numpy as np

from labeljob.report.contents import Contents

MISTAKES = 12
WIDEST_MATRIX = 30


def tabulate_confusion(contents: Contents) -> list[tuple[str, list[tuple[float, float]]]]:
    """For each class its row of (times, share of the row); empty if it would be too wide."""
    if len(contents.classes) > WIDEST_MATRIX:
        return []
    totals = contents.confusion.sum(axis=1, keepdims=True)
    shares = np.divide(
        contents.confusion, totals, out=np.zeros_like(contents.confusion), where=totals > 0
    )
    return [
        (name, list(zip(times.tolist(), row.tolist(), strict=True)))
        for name, times, row in zip(contents.classes, contents.confusion, shares, strict=True)
    ]


def rank_mistakes(contents: Contents) -> list[tuple[str, str, float, float]]:
    """What is taken for what, how often, and in which share of the cases."""
    off = contents.confusion * (1 - np.eye(len(contents.classes)))
    totals = contents.confusion.sum(axis=1)
    order = np.argsort(-off, axis=None, kind="stable")[:MISTAKES]
    pairs = [divmod(int(cell), len(contents.classes)) for cell in order]
    return [
        (
            contents.classes[true],
            contents.classes[made],
            float(off[true, made]),
            float(off[true, made] / totals[true]),
        )
        for true, made in pairs
        if off[true, made] > 0
    ]
