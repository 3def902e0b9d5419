"""Classifiers of answers that give any number of labels each.

Labels and probabilities are those of ``labeljob replay``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from groundtruth.aggregation.classification.dependence import DependenceSettings
from groundtruth.aggregation.classification.posterior import SAME
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes
from groundtruth.aggregation.multilabel.calibrated import (
    CalibratedLabelsSettings,
    calibrated_labels,
)
from groundtruth.aggregation.multilabel.selections import Bools, Selections
from groundtruth.tasks.multilabel.algorithms import share_as
from groundtruth.tasks.multilabel.decisions import decide_labels
from labeljob.api.answers import Answers, list_labels, read_answers
from labeljob.api.base import Aggregator, check_number, check_rounds, clone
from labeljob.api.classification import (
    Classifier,
    MajorityVote,
    TrueLabels,
    make_worker_table,
    share_by,
)
from labeljob.api.frames import ByTask, ByWorker, Frame, FrameError, read_by_id

_CALIBRATED = CalibratedLabelsSettings()


@dataclass(repr=False, eq=False)
class MultiLabelClassifier(Aggregator):
    """A set of labels for each task, of the answers of several workers that give a set each.

    Answers are a frame with the columns ``task``, ``worker`` and ``label``, of pandas, Polars or
    Arrow; a ``label`` is a list of labels. A label that an answer leaves out is a vote against it,
    and an empty list is one against all. An answer that is there twice counts once; a worker who
    gave one task two different sets has two votes. The order of rows does not matter, and `fit`
    starts anew each time.

    Parameters
    ----------
    classes : sequence, optional
        Every label that a worker may give, in label order. When left out, the labels that were
        given, in ascending order.

    Attributes
    ----------
    labels_ : Series
        List of labels by task, called ``agg_label``, the most probable one first. Of a task with
        one answer they are in its order.
    probas_ : DataFrame
        Probability in [0, 1] that each label applies: a row for each task, a column for each label.
    confidences_ : Series
        By task, the lowest probability of its labels; NaN without one.
    skills_ : Series
        By worker, in [0, 1]: the mean Jaccard index of the worker's labels and the task's.
    """

    classes: Sequence[Any] | None = field(default=None, kw_only=True)
    labels_: ByTask = field(init=False)
    probas_: ByTask = field(init=False)
    confidences_: ByTask = field(init=False)
    skills_: ByWorker = field(init=False)

    def fit(self, data: Frame) -> Self:
        """Consolidate answers.

        Parameters
        ----------
        data : DataFrame or Table
            Columns ``task``, ``worker`` and ``label``, a list in each row; others are left alone.

        Returns
        -------
        MultiLabelClassifier
            The classifier itself.

        Raises
        ------
        FrameError
            If the frame cannot be used: a column is missing, a row has no value, or an answer is no
            list.
        ValueError
            If a setting is out of range.
        """
        return self._fit(self._read(data))

    def fit_predict(self, data: Frame) -> ByTask:
        """Consolidate answers, and return `labels_`; the arguments are those of `fit`."""
        return self.fit(data).labels_

    def fit_predict_proba(self, data: Frame) -> ByTask:
        """Consolidate answers, and return `probas_`; the arguments are those of `fit`."""
        return self.fit(data).probas_

    def tabulate_labels(self) -> ByTask:
        """The table of `label_quality` for the answers that were fitted."""
        answers, selections, chosen = self._answers, self._selections, self._chosen
        make, n_answers = answers.library.make_column, selections.answers_per_item
        shares = selections.counts / np.maximum(n_answers, 1)[:, np.newaxis]
        asked = (shares > 0) | (self._probabilities > 0.5)
        equal = np.where(asked, np.where(chosen, shares, 1.0 - shares), 0.0).sum(axis=1)
        n_asked = asked.sum(axis=1)
        unknown = np.full(equal.shape, np.nan)
        columns = {
            "label": make(self._lists),
            "confidence": make(self._confidences),
            "score": make(np.abs(2.0 * self._probabilities - 1.0).min(axis=1, initial=1.0)),
            "agreement": make(
                np.divide(equal, n_asked, out=unknown, where=(n_answers > 1) & (n_asked > 0))
            ),
            "answers": make(n_answers),
        }
        return answers.library.table_by_id({"task": answers.tasks.column}, columns)

    def tabulate_workers(self) -> ByWorker:
        """The table of `worker_quality` for the answers that were fitted."""
        selections = self._selections
        items, workers = selections.items, selections.workers
        n_others = (selections.answers_per_item[items] - 1)[:, np.newaxis]
        by_others = 2 * (selections.counts[items] - selections.picked) > n_others
        wrong = np.zeros((selections.n_workers, selections.n_labels))
        np.add.at(wrong, workers, (selections.picked != self._chosen[items]).astype(np.float64))
        shared = n_others[:, 0] > 0
        return make_worker_table(
            self._answers,
            self._skills,
            n_answers=np.bincount(workers, minlength=selections.n_workers),
            workers=workers[shared],
            agreement=jaccard(selections.picked, self._chosen[items])[shared],
            others=jaccard(selections.picked, by_others)[shared],
            wrong=wrong,
        )

    @abstractmethod
    def _estimate(self, selections: Selections, **known: Any) -> Floats:
        """Probability of each label: shape (n_tasks, n_labels)."""

    @abstractmethod
    def _choose(
        self, probabilities: Floats, selections: Selections, answers: Answers
    ) -> tuple[Ints, Ints]:
        """Task and label of each label that a task has, in the order in which they are shown."""

    def _check_settings(self) -> None:
        """Raise `ValueError` if a setting is out of range."""

    def _read(self, data: Frame) -> Answers:
        return read_answers(data, classes=self.classes, several=True)

    def _fit(self, answers: Answers, **known: Any) -> Self:
        self._check_settings()
        selections, labels = make_selections(answers), answers.labels
        probabilities = np.zeros((selections.n_items, selections.n_labels))
        items = numbers = np.empty(0, np.int64)
        if selections.items.size and labels.values:
            probabilities = self._estimate(selections, **known)
            items, numbers = self._choose(probabilities, selections, answers)
        lists: list[list[Any]] = [[] for _ in answers.tasks.values]
        for item, number in zip(items.tolist(), numbers.tolist(), strict=True):
            lists[item].append(labels.values[number])
        chosen = np.zeros(probabilities.shape, np.bool_)
        chosen[items, numbers] = True
        lowest = np.where(chosen, probabilities, np.inf).min(axis=1)
        equal = jaccard(selections.picked, chosen[selections.items])
        skills = share_by(selections.workers, equal, selections.n_workers)
        self._answers, self._selections = answers, selections
        self._probabilities, self._chosen = probabilities, chosen
        self._lists, self._skills = lists, skills
        library, make = answers.library, answers.library.make_column
        tasks, workers = {"task": answers.tasks.column}, {"worker": answers.workers.column}
        shown = probabilities[:, : len(labels.values)]
        self.labels_ = library.by_id(tasks, "agg_label", make(lists))
        self.probas_ = library.matrix_by_id(tasks, labels.column, shown, title="label")
        confidences = self._confidences = np.where(np.isfinite(lowest), lowest, np.nan)
        self.confidences_ = library.by_id(tasks, "confidence", make(confidences))
        self.skills_ = library.by_id(workers, "skill", make(skills))
        return self


def make_selections(answers: Answers) -> Selections:
    """The answers as arrays; of no answers there is one label at least."""
    n_labels = len(answers.labels.values) or 1
    picked = np.zeros((answers.tasks.codes.size, n_labels), np.bool_)
    picked[answers.rows, answers.labels.codes] = True
    return Selections(
        items=answers.tasks.codes,
        workers=answers.workers.codes,
        picked=picked,
        n_items=len(answers.tasks.values),
        n_workers=len(answers.workers.values),
    )


def jaccard(first: Bools, second: Bools) -> Floats:
    """By row, how many of the labels that either has both have; 1 without any."""
    either, both = (first | second).sum(axis=1), (first & second).sum(axis=1)
    shares: Floats = np.divide(both, either, out=np.ones(either.size), where=either > 0)
    return shares


def _place_labels(answers: Answers, selections: Selections) -> Ints:
    """Place of each label in the answer of each task that has a single one, -1 if not in it."""
    is_single = selections.answers_per_item == 1
    number_of_task = np.cumsum(is_single) - 1
    places = np.full((int(is_single.sum()), selections.n_labels), -1, np.int64)
    tasks = answers.tasks.codes[answers.rows]
    wanted = np.flatnonzero(is_single[tasks])[::-1]  # of a label that is there twice the first
    places[number_of_task[tasks[wanted]], answers.labels.codes[wanted]] = wanted
    return places


def _decide_by_quorum(
    probabilities: Floats,
    selections: Selections,
    answers: Answers,
    *,
    quorum: float = 0.5,
    exclusion: Any = None,
    keep_all: bool = False,
) -> tuple[Ints, Ints]:
    """What `MultiLabelClassifier._choose` returns, as a job's labels are decided."""
    index = {value: number for number, value in enumerate(answers.labels.values)}
    decisions = decide_labels(
        probabilities,
        selections.counts,
        selections.answers_per_item,
        _place_labels(answers, selections),
        quorum=quorum,
        exclusion=index.get(exclusion),
        keep_all=keep_all,
    )
    rows = np.flatnonzero(decisions.shown_chosen)
    rows = rows[np.lexsort((decisions.shown_ranks[rows], decisions.shown_items[rows]))]
    return decisions.shown_items[rows].astype(np.int64), decisions.shown_labels[rows].astype(
        np.int64
    )


@dataclass(repr=False, eq=False)
class _QuorumClassifier(MultiLabelClassifier):
    """A task has the labels that are more probable than the quorum, and the best one if none is."""

    quorum: float = field(default=0.5, kw_only=True)
    exclusion: Any = field(default=None, kw_only=True)

    def _choose(
        self, probabilities: Floats, selections: Selections, answers: Answers
    ) -> tuple[Ints, Ints]:
        options = {"quorum": self.quorum, "exclusion": self.exclusion}
        return _decide_by_quorum(probabilities, selections, answers, **options)

    def _check_settings(self) -> None:
        check_number("quorum", self.quorum, most=1.0)


@dataclass(repr=False, eq=False)
class MultiLabelCalibrated(_QuorumClassifier):
    """Each label is a question of yes or no, and workers' skill is shared over labels [1]_.

    The rates of a worker and label are shrunk to the worker's rates over all labels, and these to
    the label's over all workers. As far as workers err together, the result is the weighted share
    of the answers, and else what skill says.

    Parameters
    ----------
    n_iter : int
        Most rounds, 1 or more.
    tol : float
        Rounds end when no probability changes by this much or more.
    strength : float
        How many answers a worker's own rates count for in the rates for each label.
    worker_strength : float
        How many answers the label's rates count for in a worker's own.
    smoothing : float
        How many answers of mean weight are spread by the label's frequency.
    dependence : float, optional
        How dependent errors are taken to be, from 0 to 1; found from the answers when left out.
    quorum : float
        From 0 to 1: a task has the labels that are more probable, and the most probable one if none
        is.
    exclusion : object, optional
        The label that excludes all others, such as "none of the above".
    classes : sequence, optional
        See `MultiLabelClassifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, skills_
        See `MultiLabelClassifier`.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
       using the EM algorithm", Applied Statistics 28 (1979). doi:10.2307/2346806

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     [[1, "ada", ["sun", "sea"]], [1, "bob", ["sea"]], [1, "cy", ["sea", "sun"]]],
    ...     columns=["task", "worker", "label"],
    ... )
    >>> MultiLabelCalibrated().fit_predict(answers)[1]
    ['sea', 'sun']
    """

    n_iter: int = _CALIBRATED.max_rounds
    tol: float = _CALIBRATED.tolerance
    strength: float = field(default=_CALIBRATED.strength, kw_only=True)
    worker_strength: float = field(default=_CALIBRATED.worker_strength, kw_only=True)
    smoothing: float = field(default=_CALIBRATED.smoothing, kw_only=True)
    dependence: float | None = field(default=None, kw_only=True)

    def fit(self, data: Frame, true_labels: TrueLabels = None) -> Self:
        """Consolidate answers.

        Parameters
        ----------
        data : DataFrame or Table
            Columns ``task``, ``worker`` and ``label``, a list in each row; others are left alone.
        true_labels : Series, mapping or frame, optional
            Lists of labels that are known, by task: workers are judged by them, and these tasks get
            them with a probability of 1. Tasks without an answer are left alone.

        Returns
        -------
        MultiLabelCalibrated
            The classifier itself.

        Raises
        ------
        FrameError
            If the frame cannot be used: a column is missing, a row has no value, or an answer is no
            list; or if a known label is none of the classes.
        ValueError
            If a setting is out of range.
        """
        answers = self._read(data)
        if true_labels is None:
            return self._fit(answers)
        return self._fit(answers, gold=_read_gold(answers, true_labels))

    def fit_predict(self, data: Frame, true_labels: TrueLabels = None) -> ByTask:
        """Consolidate answers, and return `labels_`; the arguments are those of `fit`."""
        return self.fit(data, true_labels).labels_

    def fit_predict_proba(self, data: Frame, true_labels: TrueLabels = None) -> ByTask:
        """Consolidate answers, and return `probas_`; the arguments are those of `fit`."""
        return self.fit(data, true_labels).probas_

    def _check_settings(self) -> None:
        super()._check_settings()
        check_rounds(self.n_iter, self.tol)
        for name in ("strength", "worker_strength", "smoothing"):
            check_number(name, getattr(self, name), above=True)
        if self.dependence is not None:
            check_number("dependence", self.dependence, most=1.0)

    def _estimate(self, selections: Selections, **known: Any) -> Floats:
        dependence = _CALIBRATED.dependence
        if self.dependence is not None:
            dependence = DependenceSettings.fixed(self.dependence)
        settings = CalibratedLabelsSettings(
            dependence=dependence,
            strength=self.strength,
            worker_strength=self.worker_strength,
            smoothing=self.smoothing,
            tolerance=self.tol,
            max_rounds=int(self.n_iter),
        )
        gold = known.get("gold")
        posterior = calibrated_labels(selections, settings=settings, gold=gold).posterior
        return posterior if gold is None else np.where(gold >= 0, gold, posterior)


def _read_gold(answers: Answers, true_labels: TrueLabels) -> Ints:
    """1 where a label is known to apply, 0 where not, -1 where that is not known."""
    known = read_by_id(true_labels, "task")
    index = {value: number for number, value in enumerate(answers.labels.values)}
    gold = np.full((len(answers.tasks.values), len(answers.labels.values) or 1), -1, np.int64)
    for row, task in enumerate(answers.tasks.values):
        if task in known:
            labels = list_labels(known[task], f"true_labels of task {task!r}")
            unknown = [label for label in labels if label not in index]
            if unknown:
                raise FrameError(
                    f"true_labels has {unknown[0]!r}, which nobody gave: list all labels as classes"
                )
            gold[row] = 0
            gold[row, [index[label] for label in labels]] = 1
    return gold


@dataclass(repr=False, eq=False)
class MultiLabelMajorityVote(_QuorumClassifier):
    """The labels that most workers gave; the probability of a label is its share of the answers.

    Labels of a task with a single answer are right with a probability of 0.7, as answers usually
    are.

    Parameters
    ----------
    quorum : float
        From 0 to 1: a task has the labels that are more probable, and the most probable one if none
        is.
    exclusion : object, optional
        The label that excludes all others, such as "none of the above".
    classes : sequence, optional
        See `MultiLabelClassifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, skills_
        See `MultiLabelClassifier`.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     [[1, "ada", ["sun", "sea"]], [1, "bob", ["sea"]], [1, "cy", ["sea", "sun"]]],
    ...     columns=["task", "worker", "label"],
    ... )
    >>> MultiLabelMajorityVote(quorum=0.7).fit_predict(answers)[1]
    ['sea']
    """

    def _estimate(self, selections: Selections, **known: Any) -> Floats:
        return share_as(selections, "majority")


@dataclass(repr=False, eq=False)
class MultiLabelAwsBuiltin(MultiLabelClassifier):
    """What Ground Truth's own consolidation of several labels says, to the last digit.

    A task has every label that any worker gave. Probabilities are what the function reports as
    confidence, from 0.05 to 0.95 in steps of 0.01.

    Parameters
    ----------
    classes : sequence, optional
        See `MultiLabelClassifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, skills_
        See `MultiLabelClassifier`.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     [[1, "ada", ["sun", "sea"]], [1, "bob", ["sea"]]], columns=["task", "worker", "label"]
    ... )
    >>> MultiLabelAwsBuiltin().fit_predict_proba(answers).loc[1].to_dict()
    {'sea': 0.95, 'sun': 0.5}
    """

    def _estimate(self, selections: Selections, **known: Any) -> Floats:
        return share_as(selections, "builtin")

    def _choose(
        self, probabilities: Floats, selections: Selections, answers: Answers
    ) -> tuple[Ints, Ints]:
        return _decide_by_quorum(probabilities, selections, answers, keep_all=True)


@dataclass(repr=False, eq=False)
class BinaryRelevance(MultiLabelClassifier):
    """Each label is a question of yes or no by itself, answered by a classifier of single labels.

    A task has the labels that are more probable than not, in label order, and may have none.
    `MultiLabelCalibrated` shares over labels what is known of workers, and is better as a rule.

    Parameters
    ----------
    base_aggregator : Classifier
        What decides on each label; it is not fitted itself.
    classes : sequence, optional
        See `MultiLabelClassifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, skills_
        See `MultiLabelClassifier`.

    Examples
    --------
    >>> import pandas as pd
    >>> from labeljob import DawidSkene
    >>> answers = pd.DataFrame(
    ...     [[1, "ada", ["sun", "sea"]], [1, "bob", ["sea"]], [1, "cy", ["sea", "sun"]]],
    ...     columns=["task", "worker", "label"],
    ... )
    >>> BinaryRelevance(DawidSkene(n_iter=10)).fit_predict(answers)[1]
    ['sea', 'sun']
    """

    base_aggregator: Classifier = field(default_factory=MajorityVote)

    def _choose(
        self, probabilities: Floats, selections: Selections, answers: Answers
    ) -> tuple[Ints, Ints]:
        items, labels = np.nonzero(probabilities > 0.5 + SAME)
        return items, labels

    def _check_settings(self) -> None:
        if not isinstance(self.base_aggregator, Classifier):
            raise ValueError(
                f"base_aggregator={self.base_aggregator!r} is no classifier of single labels"
            )

    def _estimate(self, selections: Selections, **known: Any) -> Floats:
        aggregator = clone(self.base_aggregator)
        columns = []
        for picked in selections.picked.T:
            votes = Votes(
                items=selections.items,
                workers=selections.workers,
                classes=picked.astype(np.int64),
                n_items=selections.n_items,
                n_workers=selections.n_workers,
                n_classes=2,
            )
            columns.append(aggregator.consolidate(votes).posterior[:, 1])
        return np.stack(columns, axis=1)
