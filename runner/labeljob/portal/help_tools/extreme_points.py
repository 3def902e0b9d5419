"""An object from its four extreme points: the topmost, the lowest, the leftmost, the rightmost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy  # type: ignore[import-untyped]  # its parts are loaded when they are first used
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from groundtruth.errors import GroundTruthError
from labeljob.portal.help_tools.minimum_cut import SURE, Borders, Cut, cut
from labeljob.portal.help_tools.pictures import Box, shrink_part

Point = tuple[float, float]
"""Column and row in pixels of the image; pixel (i, j) covers [i, i + 1) x [j, j + 1)."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SMALLEST = 3  # pixels of an object's box in both directions
_SIDE = 160  # pixels of the longer side of an object's box, at most, while it is looked for
_MARGIN = 0.2  # of the longer side: what is seen around the box, all of it background
_LEAST_MARGIN = 6  # pixels of the image
_ROUNDS = 5  # of color models and cut, at most
_COLORS = 5  # normal distributions in a color model
_SAMPLE = 4_000  # pixels that a color model is made of
_SPREAD = 4.0  # variance that is added to those of each distribution
_NEARNESS = 8.0  # a distance as large as the object counts as this much color
_SMOOTHNESS = 20.0  # cost of a border between two pixels of one color
_CENTER, _SLOPE = 1.0, 6.0  # log odds on the border of the four points' quadrilateral, and inward
_SEED_DEPTH = 2.0  # pixels from an extreme point towards the middle of the object
_STRAY = 0.05  # of the largest part: what is smaller is no part of the object
_LEAST_SHARE = 0.1  # of the four points' quadrilateral: an object is not smaller
_SAME_BOX = 0.85  # overlap of a model's object with the box of the points, if it is the same one


class PointsError(GroundTruthError):
    """Four points mark no object; the text says why."""


@dataclass(frozen=True)
class FoundObject:
    """Which pixels of an image are an object's: all others are outside the box, or not set."""

    left: int
    top: int
    pixels: Mask


@dataclass(frozen=True)
class Extremes:
    """The four extreme points of an object."""

    top: Point
    bottom: Point
    left: Point
    right: Point

    @classmethod
    def sort(cls, points: Sequence[Point], size: tuple[int, int]) -> Self:
        """Which of four points is which, in an image of a width and a height.

        Raises `PointsError` if they are not four, one is not in the image, or they are too close
        together.

        Examples
        --------
        >>> Extremes.sort([(1, 4), (5, 9), (9, 5), (4, 1)], (10, 10))
        Extremes(top=(4, 1), bottom=(5, 9), left=(1, 4), right=(9, 5))
        """
        width, height = size
        if len(points) != 4:
            raise PointsError(f"an object has four extreme points, not {len(points)}")
        if not all(0 <= x <= width and 0 <= y <= height for x, y in points):
            raise PointsError("an extreme point is not in the image")
        columns, rows = zip(*points, strict=True)
        if min(max(columns) - min(columns), max(rows) - min(rows)) < _SMALLEST:
            raise PointsError("the four points are too close together")
        by_row = sorted(points, key=lambda point: point[1])
        by_column = sorted(points, key=lambda point: point[0])
        return cls(top=by_row[0], bottom=by_row[-1], left=by_column[0], right=by_column[-1])

    @property
    def outline(self) -> list[Point]:
        """The quadrilateral, clockwise."""
        return [self.top, self.right, self.bottom, self.left]

    def shift(self, left: float, top: float, scale_x: float, scale_y: float) -> Extremes:
        """The points in pixels of a part of the image, which is shrunk."""
        return Extremes(
            *(
                ((x - left) * scale_x, (y - top) * scale_y)
                for x, y in (self.top, self.bottom, self.left, self.right)
            )
        )


PredictObject = Callable[[Image.Image], Floats]
"""Finds in a picture how likely each pixel is the object's; what a model brings."""


def find_object(
    image: Image.Image,
    points: Sequence[Point],
    *,
    predict: PredictObject | None = None,
    cut: Cut = cut,
) -> FoundObject:
    """Find the object that four points mark.

    The object and its surroundings each get a model of the colors that they have and where; a
    minimum cut then divides the pixels, so that borders lie where colors change. What it divides
    makes the models of the next round, as in GrabCut [1]_. Beforehand a pixel is the more likely
    the object's the further inside the quadrilateral of the four points it lies [2]_.

    Parameters
    ----------
    image : Image
        Not yet decoded, if it is large.
    points : sequence of (float, float)
        Four, in any order.
    predict : callable, optional
        A model, which is asked what stands out in the part of the image around the object. If that
        fills the box of the four points it is the same object, and counts like the quadrilateral.
    cut : callable, optional
        What works out minimum cuts.

    Raises
    ------
    PointsError
        If the points mark nothing.

    References
    ----------
    .. [1] C. Rother, V. Kolmogorov and A. Blake, "GrabCut", ACM Transactions on Graphics 23(3),
       2004. doi:10.1145/1015706.1015720
    .. [2] D. P. Papadopoulos, J. R. R. Uijlings, F. Keller and V. Ferrari, "Extreme clicking for
       efficient object annotation", ICCV 2017. doi:10.1109/ICCV.2017.528

    Examples
    --------
    >>> image = Image.new("RGB", (60, 40), "green")
    >>> image.paste("orange", (20, 10, 40, 30))
    >>> found = find_object(image, [(30, 10), (30, 30), (20, 20), (40, 20)])
    >>> int(found.pixels.sum())
    400
    """
    extremes = Extremes.sort(points, image.size)
    box = _surround(extremes, image.size)
    width, height = box[2] - box[0], box[3] - box[1]
    side = max(extremes.right[0] - extremes.left[0], extremes.bottom[1] - extremes.top[1])
    scale = min(1.0, _SIDE / side)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    part = shrink_part(image, box, size)
    within = extremes.shift(box[0], box[1], size[0] / width, size[1] / height)
    odds = _expect(within, size)
    if predict is not None:
        odds = odds + _judge(predict(part), within)
    mask = _keep_parts(_divide(part, odds, within, cut))
    likely = odds > 0
    if mask.sum() < _LEAST_SHARE * likely.sum():  # colors tell nothing
        mask = likely
    full = Image.fromarray(mask).convert("L").resize((width, height), Image.Resampling.BICUBIC)
    return FoundObject(left=box[0], top=box[1], pixels=np.asarray(full) > 127)


def _surround(extremes: Extremes, size: tuple[int, int]) -> Box:
    """The part of the image that is looked at: the object's box and a margin."""
    left, right = extremes.left[0], extremes.right[0]
    top, bottom = extremes.top[1], extremes.bottom[1]
    margin = max(_LEAST_MARGIN, _MARGIN * max(right - left, bottom - top))
    return (
        max(0, math.floor(left - margin)),
        max(0, math.floor(top - margin)),
        min(size[0], math.ceil(right + margin)),
        min(size[1], math.ceil(bottom + margin)),
    )


def _expect(extremes: Extremes, size: tuple[int, int]) -> Floats:
    """Log odds that a pixel is the object's, before its color is known."""
    drawn = Image.new("1", size)
    ImageDraw.Draw(drawn).polygon(extremes.outline, fill=1)
    inside = np.asarray(drawn)
    width, height = extremes.right[0] - extremes.left[0], extremes.bottom[1] - extremes.top[1]
    depth = scipy.ndimage.distance_transform_edt(inside) - scipy.ndimage.distance_transform_edt(
        ~inside
    )
    odds: Floats = _CENTER + _SLOPE * depth / math.sqrt(width * height)
    columns, rows = np.arange(size[0]) + 0.5, np.arange(size[1])[:, None] + 0.5
    # A point stands for the pixel that it is in: half a pixel around it may be the object's too.
    beside = (columns < extremes.left[0] - 0.5) | (columns > extremes.right[0] + 0.5)
    odds[beside | (rows < extremes.top[1] - 0.5) | (rows > extremes.bottom[1] + 0.5)] = -SURE
    return odds


def _divide(part: Image.Image, expected: Floats, extremes: Extremes, cut: Cut) -> Mask:
    """Which pixels of a picture are the object's, by their color and by what is expected."""
    height, width = expected.shape
    lab = skimage.color.rgb2lab(np.asarray(part))
    features = _describe(lab, extremes)
    borders = _weigh_borders(lab)
    rng = np.random.default_rng(0)
    seeds = _find_seeds(extremes, (width, height))
    within = expected > -SURE
    chances = np.where(within, 1 / (1 + np.exp(-np.clip(expected, -50, 50))), 0.0).ravel()
    mask = chances.reshape(height, width) > 0.5
    for _ in range(_ROUNDS):
        object_colors = ColorModel.fit(features, chances, rng)
        other_colors = ColorModel.fit(features, 1 - chances, rng)
        odds = object_colors.score(features) - other_colors.score(features)
        odds = np.where(within, odds.reshape(height, width) + expected, -SURE)
        odds[seeds] = SURE
        before, mask = mask, cut(odds, borders)
        if np.array_equal(before, mask):
            break
        chances = mask.ravel().astype(np.float64)
    return mask


def _describe(lab: Floats, extremes: Extremes) -> Floats:
    """Color and place of each pixel: what is near and of one color belongs together."""
    height, width = lab.shape[:2]
    side = math.sqrt(
        (extremes.right[0] - extremes.left[0]) * (extremes.bottom[1] - extremes.top[1])
    )
    rows, columns = np.indices((height, width)) * (_NEARNESS / side)
    return np.stack([*np.moveaxis(lab, 2, 0), rows, columns], axis=-1).reshape(-1, 5)


def _find_seeds(extremes: Extremes, size: tuple[int, int]) -> Mask:
    """Pixels that are the object's without doubt, next to its extreme points."""
    middle_x = (extremes.left[0] + extremes.right[0]) / 2
    middle_y = (extremes.top[1] + extremes.bottom[1]) / 2
    seeds = np.zeros(size[::-1], dtype=bool)
    for x, y in extremes.outline:
        far = math.hypot(middle_x - x, middle_y - y)
        share = min(1.0, _SEED_DEPTH / far) if far else 0.0
        column, row = x + share * (middle_x - x), y + share * (middle_y - y)
        seeds[min(int(row), size[1] - 1), min(int(column), size[0] - 1)] = True
    return seeds


@dataclass(frozen=True)
class ColorModel:
    """A mixture of normal distributions of what pixels are like."""

    shares: Floats  # (n,)
    means: Floats  # (n, n_features)
    precisions: Floats  # (n, n_features, n_features)

    @classmethod
    def fit(cls, features: Floats, chances: Floats, rng: np.random.Generator) -> Self:
        """Fit it to pixels that are drawn by their chances, which need not sum to 1."""
        drawn = features[rng.choice(len(features), _SAMPLE, p=chances / chances.sum())]
        n_groups = min(_COLORS, len(np.unique(drawn, axis=0)))
        _, nearest = scipy.cluster.vq.kmeans2(drawn, n_groups, minit="++", rng=rng)
        groups = [drawn[nearest == index] for index in range(n_groups)]
        groups = [group for group in groups if len(group) > 1]
        spread = _SPREAD * np.eye(features.shape[1])
        return cls(
            shares=np.array([len(group) / _SAMPLE for group in groups]),
            means=np.array([group.mean(axis=0) for group in groups]),
            precisions=np.array([np.linalg.inv(np.cov(group.T) + spread) for group in groups]),
        )

    def score(self, features: Floats) -> Floats:
        """Logarithm of the density at each pixel, but for a constant."""
        parts = []
        for share, mean, precision in zip(self.shares, self.means, self.precisions, strict=True):
            away = features - mean
            distance = np.einsum("ij,ij->i", away @ precision, away)
            parts.append(math.log(share) + np.linalg.slogdet(precision)[1] / 2 - distance / 2)
        return np.asarray(np.logaddexp.reduce(parts, axis=0))


def _weigh_borders(lab: Floats) -> Borders:
    """What it costs to part two neighbors: the more, the more alike they are."""
    height, width = lab.shape[:2]
    index = np.arange(height * width).reshape(height, width)
    pairs = [
        (index[:, :-1], index[:, 1:], 1.0),
        (index[:-1], index[1:], 1.0),
        (index[:-1, :-1], index[1:, 1:], math.sqrt(2)),
        (index[:-1, 1:], index[1:, :-1], math.sqrt(2)),
    ]
    first = np.concatenate([a.ravel() for a, _, _ in pairs])
    second = np.concatenate([b.ravel() for _, b, _ in pairs])
    apart = np.concatenate([np.full(a.size, distance) for a, _, distance in pairs])
    flat = lab.reshape(-1, lab.shape[2])
    contrast = ((flat[first] - flat[second]) ** 2).sum(axis=1)
    usual = 2 * contrast.mean() + 1e-9
    return first, second, _SMOOTHNESS * np.exp(-contrast / usual) / apart


def _keep_parts(mask: Mask) -> Mask:
    """An object without stray specks, and without holes."""
    parts, n_parts = scipy.ndimage.label(mask)
    if n_parts:
        sizes = np.bincount(parts.ravel())[1:]
        mask = np.isin(parts, 1 + np.flatnonzero(sizes >= _STRAY * sizes.max()))
    return np.asarray(scipy.ndimage.binary_fill_holes(mask))


def _judge(chances: Floats, extremes: Extremes) -> Floats:
    """Log odds by what a model says; none if it speaks of another object than the points do."""
    parts, n_parts = scipy.ndimage.label(chances > 0.5)
    if n_parts == 0:
        return np.zeros_like(chances)
    largest = np.argmax(np.bincount(parts.ravel())[1:])
    rows, columns = scipy.ndimage.find_objects(parts)[largest]
    left, right = extremes.left[0], extremes.right[0]
    top, bottom = extremes.top[1], extremes.bottom[1]
    width = min(columns.stop, right) - max(columns.start, left)
    height = min(rows.stop, bottom) - max(rows.start, top)
    shared = max(0.0, width) * max(0.0, height)
    own = (columns.stop - columns.start) * (rows.stop - rows.start)
    if shared < _SAME_BOX * (own + (right - left) * (bottom - top) - shared):
        return np.zeros_like(chances)
    clipped = np.clip(chances, 0.01, 0.99)
    return np.asarray(np.log(clipped / (1 - clipped)))
