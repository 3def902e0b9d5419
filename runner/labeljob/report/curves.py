"""Small charts of workers as SVG without text: the page's CSS colours them, its HTML words them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from labeljob.metrics.learning import LearningCurve
from labeljob.metrics.workers import Worker

_WIDTH, _HEIGHT, _MARGIN = 240, 80, 5


def find_lowest(curves: Iterable[LearningCurve]) -> float:
    """Where the axis of agreement begins in charts that are to be compared, in [0, 0.5]."""
    lows = (point.interval[0] for curve in curves for point in curve.points)
    return math.floor(10 * min(0.5, min(lows, default=0.0))) / 10


def draw_learning_curve(curve: LearningCurve, usual: float, lowest: float) -> Markup:
    """Agreement from the first answers to the last, with its interval; `usual` is the crew's.

    The axis of agreement goes from `lowest` to 1.
    """
    points = curve.points

    def climb(agreement: float) -> float:
        return _climb(max(agreement - lowest, 0.0) / (1 - lowest))

    across = [_stretch(at / max(len(points) - 1, 1)) for at in range(len(points))]
    upper = [(x, climb(point.interval[1])) for x, point in zip(across, points, strict=True)]
    lower = [(x, climb(point.interval[0])) for x, point in zip(across, points, strict=True)]
    middle = [(x, climb(point.agreement)) for x, point in zip(across, points, strict=True)]
    parts = [
        *_draw_grid(),
        _draw("polyline", "usual", [(0, climb(usual)), (_WIDTH, climb(usual))]),
        _draw("polygon", "band", upper + lower[::-1]),
        _draw("polyline", "line", middle),
        *(_draw_dot(x, y, "dot") for x, y in middle),
    ]
    return _wrap(parts)


def draw_worker_ranks(workers: Sequence[Worker]) -> Markup:
    """Agreement of each worker, with its interval, from the lowest to the highest."""
    parts: list[Markup] = [*_draw_grid()]
    ranked = sorted(workers, key=lambda worker: (worker.agreement, worker.interval))
    for rank, worker in enumerate(ranked):
        x = _stretch((rank + 0.5) / len(ranked))
        low, high = worker.interval
        kind = "flagged" if worker.flags else "plain"
        ends = [(x, _climb(low)), (x, _climb(high))]
        parts += [_draw("polyline", f"whisker {kind}", ends)]
        title = f"{worker.name}: {100 * worker.agreement:.0f} % of {worker.answers} answers"
        parts += [_draw_dot(x, _climb(worker.agreement), f"dot {kind}", title)]
    return _wrap(parts)


def _stretch(share: float) -> float:
    return _MARGIN + share * (_WIDTH - 2 * _MARGIN)


def _climb(agreement: float) -> float:
    return _MARGIN + (1 - agreement) * (_HEIGHT - 2 * _MARGIN)


def _draw_grid() -> list[Markup]:
    return [_draw_level(level, "grid") for level in (0.0, 0.5, 1.0)]


def _draw_level(level: float, kind: str) -> Markup:
    return _draw("polyline", kind, [(0, _climb(level)), (_WIDTH, _climb(level))])


def _draw(element: str, kind: str, points: Iterable[tuple[float, float]]) -> Markup:
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<{0} class="{1}" points="{2}"/>').format(Markup(element), kind, text)


def _draw_dot(x: float, y: float, kind: str, title: str = "") -> Markup:
    inner = Markup("<title>{}</title>").format(title) if title else ""
    dot = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="2.5">{}</circle>')
    return dot.format(kind, x, y, inner)


def _wrap(parts: Iterable[Markup]) -> Markup:
    inner = Markup("").join(parts)
    return Markup('<svg class="curve" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>').format(
        _WIDTH, _HEIGHT, inner
    )
