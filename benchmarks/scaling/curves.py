"""What the scaling benchmark varies and holds fixed, and powers fitted to what it measures.

Powers are fitted by least squares in the logarithms of both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

OURS = ("majority", "weighted", "dawid-skene", "calibrated")
SAME_ROUNDS, CK_SAME_ROUNDS = "dawid-skene-20-rounds", "ck-dawid-skene-20-rounds"
SITK_WHOLE, SITK_FUSION = "SimpleITK LabelVoting, best built", "SimpleITK LabelVoting"
LARGEST = 10_000_000
LEAST_MIB = 2.0
"""Memory below this is noise, and no part of a fit."""

PAIRS = {
    "answers": (("ck-majority", "majority"), (CK_SAME_ROUNDS, SAME_ROUNDS)),
    "pixels, whole object": ((SITK_WHOLE, "ours"),),
    "pixels, fusion": ((SITK_FUSION, "ours"),),
}
"""Peer and method of ours whose times are compared, by curve."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One dimension that varies."""

    name: str  # the curve's, unique
    kind: str  # votes (one label), selections (several), pipeline (whole mask objects), fusion
    varied: str  # the dimension: one of the sizes, or ``megapixels``
    values: Sequence[float]  # its sizes, ascending
    fixed: Mapping[str, float] = field(default_factory=dict)  # the other sizes
    methods: Mapping[str, float]  # method to the largest of `values` at which it takes part
    ranges: Sequence[tuple[float, float]]  # first and last size of each fit of an exponent

    def cases(self) -> list[tuple[str, dict[str, float]]]:
        """Method and sizes of each case, small cases first."""
        return [
            (method, {**self.fixed, self.varied: value})
            for value in self.values
            for method, largest in self.methods.items()
            if value <= largest
        ]


CURVES = (
    Curve(
        name="answers",
        kind="votes",
        varied="answers",
        values=(1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, LARGEST),
        fixed={"per_item": 5, "classes": 5, "workers": 200},
        methods=dict.fromkeys(OURS, LARGEST)
        | dict.fromkeys((SAME_ROUNDS, "ck-majority", CK_SAME_ROUNDS), 1_000_000),
        ranges=((10_000, LARGEST),),
    ),
    Curve(
        name="workers",
        kind="votes",
        varied="workers",
        values=(10, 30, 100, 300, 1_000, 3_000, 10_000),
        fixed={"answers": 100_000, "per_item": 5, "classes": 5},
        methods=dict.fromkeys(OURS, 10_000),
        ranges=((10, 10_000),),
    ),
    Curve(
        name="classes",
        kind="votes",
        varied="classes",
        values=(2, 5, 10, 20, 50, 100, 300, 1_000),
        fixed={"answers": 100_000, "per_item": 5, "workers": 200},
        methods=dict.fromkeys(OURS, 1_000),
        ranges=((2, 20), (50, 1_000)),  # above 20, an accuracy for each worker
    ),
    Curve(
        name="labels",
        kind="selections",
        varied="labels",
        values=(2, 5, 10, 20, 50, 100),
        fixed={"answers": 10_000, "per_item": 5, "workers": 200},
        methods=dict.fromkeys(("label-shares", "multi-label"), 100),
        ranges=((5, 100),),
    ),
    *(
        Curve(
            name=f"pixels, {what}",
            kind=kind,
            varied="megapixels",
            values=(0.25, 1.0, 4.0, 12.25, 25.0, 100.0),
            fixed={"classes": 11, "workers": 5},
            methods={"ours": 100.0, peer: 25.0},
            ranges=((1.0, 100.0),),
        )
        for what, kind, peer in (
            ("whole object", "pipeline", SITK_WHOLE),
            ("fusion", "fusion", SITK_FUSION),
        )
    ),
    *(
        Curve(
            name=f"{varied} of masks, {what}",
            kind=kind,
            varied=varied,
            values=values,
            fixed={"megapixels": 2.25} | fixed,
            methods={"ours": max(values)},
            ranges=((min(values), max(values)),),
        )
        for varied, values, fixed in (
            ("workers", (1, 2, 3, 5, 7, 9), {"classes": 11}),
            ("classes", (2, 5, 11, 50, 100, 255), {"workers": 5}),
        )
        for what, kind in (("whole object", "pipeline"), ("fusion", "fusion"))
    ),
)


FEWEST_POINTS = 3


@dataclass(frozen=True)
class Power:
    """How something grows with a size."""

    exponent: float  # 1 is in proportion, 0 not at all
    low: float  # with `high`, where it lies with 95 % confidence, by Student's distribution
    high: float
    r2: float  # share of the variance of the logarithms that the power explains


def fitted(sizes: Sequence[float], values: Sequence[float]) -> Power | None:
    """Fit a power.

    Examples
    --------
    >>> round(fitted([1, 10, 100], [2, 20, 200]).exponent, 6)
    1.0
    """
    if len(sizes) < FEWEST_POINTS:
        return None
    if not np.ptp(values):  # nothing grows: there is no correlation
        return Power(0.0, 0.0, 0.0, 1.0)
    fit = stats.linregress(np.log(sizes), np.log(values))
    margin = stats.t.ppf(0.975, len(sizes) - 2) * fit.stderr
    ends = (fit.slope - margin, fit.slope + margin)
    return Power(float(fit.slope), float(ends[0]), float(ends[1]), float(fit.rvalue**2))
