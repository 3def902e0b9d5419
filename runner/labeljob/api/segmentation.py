"""Masks of several workers, consolidated to one for each task."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any, Self, TypeAlias

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from groundtruth.aggregation.segmentation.confidence import LEVELS, disagreement
from groundtruth.masks.runs import RunMask
from groundtruth.settings import LARGEST_SIGMA, TIE_BREAKS, Settings
from groundtruth.tasks.segmentation.algorithms import (
    SKILL_CELLS,
    Fused,
    count_updates,
    fuse_masks,
    known_weights,
    leave_out,
    state_confidences,
)
from groundtruth.tasks.segmentation.task import ALGORITHMS, MAJORITY, WEIGHTED
from groundtruth.worker_history.counts import PER_ONE, to_millionths
from groundtruth.worker_history.store import Amounts
from labeljob.api.answers import sort_values
from labeljob.api.arrow_frames import make_mask_column
from labeljob.api.base import Aggregator, check_number
from labeljob.api.frames import (
    ByTask,
    ByWorker,
    Frame,
    FrameError,
    FrameLibrary,
    find_library,
    read_by_id,
    read_columns,
)
from labeljob.extras import need

NOTHING_KNOWN: Mapping[str, float] = dict.fromkeys(SKILL_CELLS, 0.0)

Pixels: TypeAlias = NDArray[Any]
"""A mask: a 2-D array of class indices, or of True and False."""


@dataclass(repr=False, eq=False)
class SegmentationFusion(Aggregator):
    """Consolidates masks pixel by pixel: a vote in which careless workers weigh less [1]_.

    Masks are of classes, 0 being the background, or of True and False. A tie goes to the lowest
    class. The masks and figures are those of ``labeljob replay``.

    Parameters
    ----------
    algorithm : str
        ``"weighted"``: a worker weighs less who agrees much less than the others with the vote on
        disputed pixels, over all tasks but the one at hand. ``"majority"``: all weigh the same.
        ``"one-coin-em"``: each worker's accuracy is estimated from one picture alone.
    n_classes : int, optional
        How many classes there are with the background, where some may be in no mask.
    smoothing_sigma : float
        Standard deviation in pixels, from 0 to 3, of a blur of the votes on disputed pixels; 0 for
        none. This and the next two need the extra ``masks``.
    tie_break : str
        ``"first"``, the lowest class; or ``"neighbours"``, that with most votes around the pixel.
    clean_up_pixels : int
        Regions with fewer pixels take the class around them; 0 to leave all.
    disagreement_map : bool
        Whether `disagreements_` are made.

    Attributes
    ----------
    labels_ : Series of ndarray
        The mask of each task, of the type of those handed in, under the name
        ``agg_segmentation``; also called `segmentations_`, as in crowd-kit.
    probas_ : DataFrame of float
        Tasks x classes: the intersection over union of each class to expect, in [0, 1]. Of a class
        that the mask does not have, the mask's own confidence.
    quality_ : DataFrame
        By task: ``confidence``, the mean share of the votes that the winner got, in [0, 1], or
        0.7 for a single mask; ``tied_share`` and ``disputed_share`` of the pixels; ``answers``.
    skills_ : Series of float
        By worker the mean share of disputed pixels on which they agree with the others' vote, in
        [0, 1]; NaN for who is in no task with 3 masks that differ.
    weights_ : Series of float
        By worker the weight of a vote by ``"weighted"``, in [1/16, 1], or what was handed in.
    disagreements_ : Series of ndarray
        By task the entropy of the votes on each pixel, in [0, 1] by steps of 1/255.

    References
    ----------
    .. [1] D. Jung-Lin Lee, A. Das Sarma and A. Parameswaran, "Aggregating crowdsourced image
       segmentations", CEUR Workshop Proceedings 2173, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     [
    ...         ("t1", "ann", np.array([[1, 0], [1, 1]])),
    ...         ("t1", "bob", np.array([[0, 0], [1, 1]])),
    ...         ("t1", "cy", np.array([[0, 1], [1, 1]])),
    ...     ],
    ...     columns=["task", "worker", "segmentation"],
    ... )
    >>> fusion = SegmentationFusion().fit(answers)
    >>> fusion.labels_["t1"]
    array([[0, 0],
           [1, 1]])
    >>> fusion.quality_.loc["t1"].round(2).to_dict()
    {'confidence': 0.83, 'tied_share': 0.0, 'disputed_share': 0.5, 'answers': 3.0}
    """

    algorithm: str = WEIGHTED
    n_classes: int | None = None
    smoothing_sigma: float = 0.0
    tie_break: str = "first"
    clean_up_pixels: int = 0
    disagreement_map: bool = False

    labels_: ByTask = field(init=False)
    segmentations_: ByTask = field(init=False)
    probas_: ByTask = field(init=False)
    quality_: ByTask = field(init=False)
    skills_: ByWorker = field(init=False)
    weights_: ByWorker = field(init=False)
    disagreements_: ByTask = field(init=False)

    def fit(self, data: Frame, skills: Any = None) -> Self:
        """Consolidate the masks of a frame.

        Parameters
        ----------
        data : DataFrame
            Of pandas, Polars or Arrow: a row for each mask, with ``task``, ``worker`` and
            ``segmentation``, a 2-D array of class indices or of True and False (in Polars and
            Arrow also lists of rows). Masks of a task are of one shape. Of several rows of a
            worker and task the last one counts.
        skills : Series, mapping or frame, optional
            How much the vote of each worker weighs, above 0, instead of what is found: with them
            ``"weighted"`` and ``"majority"`` are the same.

        Returns
        -------
        SegmentationFusion
            `self`.

        Raises
        ------
        ValueError
            If a setting, a skill or the frame cannot be used; the text says why.
        ImportError
            If a setting needs an extra that is not installed.
        """
        settings = self._make_settings()
        columns = read_columns(data, ["task", "worker", "segmentation"])
        library = find_library(data)
        crowd = _read_crowd(library, columns, self.n_classes)
        told = None if skills is None else self._check_skills(skills, crowd.workers)
        judged = [count_updates(masks, crowd.n_classes, None) for masks in crowd.masks]
        history = _add_up(judged)
        fused = [
            fuse_masks(
                masks,
                crowd.n_classes,
                algorithm=self.algorithm if told is None else WEIGHTED,
                weights=known_weights(leave_out(own, history)) if told is None else told,
                settings=settings,
            )
            for masks, own in zip(crowd.masks, judged, strict=True)
        ]
        self._publish(library, columns, crowd, history, fused, told or known_weights(history))
        return self

    def fit_predict(self, data: Frame, skills: Any = None) -> ByTask:
        """`fit`, and give `labels_`."""
        return self.fit(data, skills).labels_

    def fit_predict_proba(self, data: Frame, skills: Any = None) -> ByTask:
        """`fit`, and give `probas_`."""
        return self.fit(data, skills).probas_

    def _check_skills(self, skills: Any, workers: Sequence[Any]) -> dict[Any, float]:
        """The weights of all workers; raises `ValueError` if one is missing or cannot be used."""
        if self.algorithm not in (WEIGHTED, MAJORITY):
            raise ValueError(f"algorithm={self.algorithm!r} finds skills itself: leave them out")
        told = read_by_id(skills, "worker")
        unknown = [who for who in workers if who not in told]
        if unknown:
            raise ValueError(f"skills has nothing for {len(unknown):,} workers, as {unknown[0]!r}")
        for who in workers:
            check_number(f"the skill of {who!r}", told[who], above=True)
        return {who: float(told[who]) for who in workers}

    def _make_settings(self) -> Settings:
        """The library's settings; raises `ValueError` if one of ours cannot be used."""
        for name, known in (("algorithm", ALGORITHMS), ("tie_break", TIE_BREAKS)):
            if getattr(self, name) not in known:
                value = getattr(self, name)
                raise ValueError(f"{name}={value!r} is none of {', '.join(map(repr, known))}")
        check_number("smoothing_sigma", self.smoothing_sigma, most=LARGEST_SIGMA)
        check_number("clean_up_pixels", self.clean_up_pixels)
        if self.n_classes is not None and (
            not isinstance(self.n_classes, Integral) or self.n_classes < 2
        ):
            raise ValueError(f"n_classes={self.n_classes!r} is no whole number of 2 or more")
        if self.smoothing_sigma or self.clean_up_pixels or self.tie_break != TIE_BREAKS[0]:
            need("skimage", "smoothing_sigma, tie_break='neighbours' or clean_up_pixels")
        return replace(
            Settings(),
            smoothing_sigma=self.smoothing_sigma,
            tie_break=self.tie_break,
            clean_up_pixels=self.clean_up_pixels,
        )

    def _publish(
        self,
        library: FrameLibrary,
        columns: Mapping[str, Any],
        crowd: _Crowd,
        history: Amounts,
        fused: Sequence[Fused],
        by_worker: Mapping[Any, float],
    ) -> None:
        """Put what came of it into the attributes."""
        make = library.make_column
        tasks = {"task": make(crowd.tasks, columns["task"])}
        workers = {"worker": make(crowd.workers, columns["worker"])}
        pixels = [one.fusion.mask.to_array().astype(crowd.dtype) for one in fused]
        labels = make_mask_column(library.name, pixels)
        self.labels_ = library.by_id(tasks, "agg_segmentation", labels)
        self.segmentations_ = self.labels_
        sure = [
            state_confidences(one.fusion, len(masks))
            for one, masks in zip(fused, crowd.masks, strict=True)
        ]
        shares = np.array([by_class for _, by_class in sure]).reshape(-1, crowd.n_classes)
        self.probas_ = library.matrix_by_id(tasks, make(crowd.classes), shares, title="class")
        quality: dict[str, list[float]] = {
            "confidence": [confidence for confidence, _ in sure],
            "tied_share": [one.fusion.tied_share for one in fused],
            "disputed_share": [one.fusion.disputed_share for one in fused],
            "answers": [len(masks) for masks in crowd.masks],
        }
        told = {name: make(values) for name, values in quality.items()}
        self.quality_ = library.table_by_id(tasks, told)
        known = [history.get(who, NOTHING_KNOWN) for who in crowd.workers]
        skills = [one["sum"] / one["n"] if one["n"] else np.nan for one in known]
        self.skills_ = library.by_id(workers, "skill", make(skills))
        weights = [by_worker.get(who, 1.0) for who in crowd.workers]
        self.weights_ = library.by_id(workers, "weight", make(weights))
        self.__dict__.pop("disagreements_", None)
        if self.disagreement_map:
            levels = [
                disagreement(list(masks.values()), crowd.n_classes, weights=one.weights).to_array()
                for one, masks in zip(fused, crowd.masks, strict=True)
            ]
            maps = make_mask_column(library.name, [one / (LEVELS - 1) for one in levels])
            self.disagreements_ = library.by_id(tasks, "disagreement", maps)


@dataclass(frozen=True, kw_only=True)
class _Crowd:
    """Masks by task.

    `masks` has those of each of the `tasks` by worker, in sorted order, so that no sum depends on
    the order of rows.
    """

    tasks: list[Any]
    workers: list[Any]
    masks: list[dict[Any, RunMask]]
    n_classes: int
    dtype: np.dtype[Any]

    @property
    def classes(self) -> list[Any]:
        """What a pixel can be."""
        is_binary = self.dtype == np.bool_ and self.n_classes == 2
        return [False, True] if is_binary else list(range(self.n_classes))


def _read_crowd(library: FrameLibrary, columns: Mapping[str, Any], n_classes: int | None) -> _Crowd:
    """The masks of a frame; raises `FrameError`."""
    tasks, workers = (library.to_list(columns[name]) for name in ("task", "worker"))
    by_task: dict[Hashable, dict[Hashable, RunMask]] = {}
    dtypes: set[np.dtype[Any]] = set()
    most = 1
    for row, pixels in enumerate(_list_arrays(columns["segmentation"])):
        mask = _to_runs(pixels, row)
        dtypes.add(pixels.dtype)
        most = max(most, int(mask.classes.max()))
        if n_classes is not None and most >= n_classes:
            raise FrameError(f"the mask in row {row} has a class {most}, but n_classes={n_classes}")
        own = by_task.setdefault(tasks[row], {})
        own.pop(workers[row], None)
        own[workers[row]] = mask
        other = next(iter(own.values()))
        if mask.shape != other.shape:
            raise FrameError(
                f"masks of task {tasks[row]!r} have the shapes {other.shape} and {mask.shape} "
                f"(row {row}): those of a task are of one shape"
            )
    ids = sort_values(by_task)
    dtype = np.result_type(*dtypes or {np.dtype(np.uint8)})
    return _Crowd(
        tasks=ids,
        workers=sort_values(set(workers)),
        masks=[{who: by_task[task][who] for who in sort_values(by_task[task])} for task in ids],
        n_classes=n_classes or most + 1,
        dtype=dtype if dtype.kind in "bui" else np.dtype(np.int64),
    )


def _list_arrays(column: Any) -> Iterator[Pixels]:
    """The masks of a column; raises `FrameError` for rows of several lengths."""
    if hasattr(column, "to_arrow") and str(column.dtype) != "Object":  # one of Polars
        column = column.to_arrow()
    is_nested = isinstance(column, (pa.Array, pa.ChunkedArray))
    for row, value in enumerate(column):
        try:
            yield _unnest(value) if is_nested else np.asarray(value)
        except (ValueError, AttributeError, pa.ArrowException) as error:
            raise FrameError(f"the mask in row {row} is no list of rows of one length") from error


def _unnest(value: Any) -> Pixels:
    rows = value.values
    (width,) = set(pc.list_value_length(rows).to_pylist())
    pixels: Pixels = rows.flatten().to_numpy(zero_copy_only=False)
    return pixels.reshape(len(rows), width)


def _to_runs(pixels: Pixels, row: int) -> RunMask:
    """A mask as runs; raises `FrameError` if it is none."""
    if pixels.dtype.kind not in "bui":
        raise FrameError(
            f"the mask in row {row} is of type {pixels.dtype}: whole numbers, which are indices of "
            "classes, or True and False are needed"
        )
    try:
        return RunMask.from_array(pixels)
    except ValueError as error:
        raise FrameError(f"the mask in row {row}: {error}") from error


def _add_up(judged: Iterable[Amounts]) -> dict[Any, dict[str, float]]:
    """What all tasks tell of the workers, in whole millionths as it is kept in a job."""
    sums: dict[Any, dict[str, int]] = {}
    for workers in to_millionths({str(at): own for at, own in enumerate(judged)}).values():
        for worker, cells in workers.items():
            own = sums.setdefault(worker, dict.fromkeys(SKILL_CELLS, 0))
            for cell, amount in cells.items():
                own[cell] += amount
    return {
        worker: {cell: amount / PER_ONE for cell, amount in cells.items()}
        for worker, cells in sums.items()
    }
