"""Tables of how good labels and workers seem to be, as cleanlab has them for several annotators."""

from __future__ import annotations

from typing import Any

from labeljob.api.base import clone
from labeljob.api.classification import CalibratedDawidSkene, Classifier
from labeljob.api.frames import ByTask, ByWorker, Frame
from labeljob.api.multilabel import MultiLabelClassifier


def label_quality(
    data: Frame, aggregator: Classifier | MultiLabelClassifier | None = None
) -> ByTask:
    """How good the label of each task seems to be: the lowest score is the first to look at.

    Parameters
    ----------
    data : DataFrame or Table
        Columns ``task``, ``worker`` and ``label``.
    aggregator : Classifier or MultiLabelClassifier, optional
        What makes the labels; a copy of it is fitted. `CalibratedDawidSkene` when left out; for
        answers that are lists take `MultiLabelCalibrated`.

    Returns
    -------
    DataFrame
        A row for each task. ``label`` is the label, or the list of labels. ``confidence``, in
        [0, 1], is that of the label, of several the lowest. ``score``, in [0, 1], is by how much
        the label is more probable than the next class, 0 in a tie; of several labels, how far the
        least sure of all is from even, ``|2 p - 1|``. ``agreement``, in [0, 1], is the share of the
        answers that are the label, NaN of a single answer; of several labels, of the answers that
        decide as the task's labels do, a mean over the labels that anybody gave. ``answers`` is how
        many there are.

    Raises
    ------
    FrameError
        If the frame cannot be used: a column is missing, or a row has no value.
    TypeError
        If the aggregator is for something else than labels.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     {"task": [1, 1, 2, 2], "worker": list("abab"), "label": ["cat", "cat", "dog", "cat"]}
    ... )
    >>> table = label_quality(answers)
    >>> table.sort_values("score").index.tolist()
    [2, 1]
    >>> table["agreement"].tolist()
    [1.0, 0.5]
    """
    return _fit(data, aggregator).tabulate_labels()


def worker_quality(
    data: Frame, aggregator: Classifier | MultiLabelClassifier | None = None
) -> ByWorker:
    """How good the answers of each worker seem to be.

    Parameters
    ----------
    data, aggregator
        As of `label_quality`.

    Returns
    -------
    DataFrame
        A row for each worker. ``answers`` is how many the worker gave. ``skill`` is what the
        aggregator has as `skills_`. ``agreement``, in [0, 1], is the share of the worker's answers
        that are the task's label, where others answered too; NaN if nobody did. ``others``, in
        [0, 1], is how often the worker said what most of the others said, as ``labeljob report``
        has it; where they are divided, one of their answers counts in part. Of several labels both
        are the mean Jaccard index. ``worst_label`` is the label on which the worker most often
        disagreed with the result: that of the tasks, or of several labels the one that was
        missed or given wrongly; nothing if the worker never disagreed.

    Raises
    ------
    FrameError
        If the frame cannot be used: a column is missing, or a row has no value.
    TypeError
        If the aggregator is for something else than labels.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     [[1, "ada", "cat"], [1, "bob", "cat"], [1, "cy", "dog"]],
    ...     columns=["task", "worker", "label"],
    ... )
    >>> worker_quality(answers)[["agreement", "worst_label"]].loc["cy"].to_dict()
    {'agreement': 0.0, 'worst_label': 'cat'}
    """
    return _fit(data, aggregator).tabulate_workers()


def _fit(data: Frame, aggregator: Any) -> Any:
    aggregator = CalibratedDawidSkene() if aggregator is None else aggregator
    if not isinstance(aggregator, (Classifier, MultiLabelClassifier)):
        raise TypeError(f"{aggregator!r} is no classifier of labels")
    return clone(aggregator).fit(data)
