"""Classifiers of answers that give one label each.

They are switched to from crowd-kit by another import: the same frames go in, and what `fit` finds
has the same names, types and indices. Labels and confidences are those of ``labeljob replay``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np

from groundtruth.aggregation.classification.builtin import builtin
from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.counts import WorkerCounts, sum_groups
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneSettings, dawid_skene
from groundtruth.aggregation.classification.dependence import DependenceSettings
from groundtruth.aggregation.classification.ebcc import EbccSettings, ebcc
from groundtruth.aggregation.classification.em import VoteData
from groundtruth.aggregation.classification.majority import majority
from groundtruth.aggregation.classification.posterior import Consolidation
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes
from groundtruth.aggregation.classification.weighted import WeightedSettings, weighted
from groundtruth.tasks.classification.algorithms import choose_classes, share_votes, show_builtin
from labeljob.api.answers import Answers, is_hashable, read_answers
from labeljob.api.base import Aggregator, check_number, check_rounds, check_whole_number
from labeljob.api.frames import ByTask, ByWorker, Frame, FrameError, find_library, read_by_id

_SMALLEST_RATE = 1e-10
_CERTAIN = 1e9
"""Answers of a worker, where each class is true, beside which all others count for nothing."""

_CALIBRATED = CalibratedSettings()
_DAWID_SKENE = DawidSkeneSettings()
_EBCC = EbccSettings()
_WEIGHTED = WeightedSettings()

TrueLabels = Any
"""Known labels: a pandas Series or a mapping by task, or a frame with ``task`` and one column."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an algorithm says of some votes.

    Attributes
    ----------
    posterior : ndarray of float, shape (n_tasks, n_classes)
        Probability of each class.
    confidences : ndarray of float, shape (n_tasks,)
        That of the label, as the algorithm reports it.
    skills : ndarray of float, shape (n_workers,), optional
        How often each worker is right; when left out, the share of the worker's answers that are
        the label.
    """

    posterior: Floats
    confidences: Floats
    skills: Floats | None = None


@dataclass(repr=False, eq=False)
class Classifier(Aggregator):
    """One label for each task, of the answers of several workers that give one label each.

    Answers are a frame with the columns ``task``, ``worker`` and ``label``, of pandas, Polars or
    Arrow; what `fit` finds comes out in the same kind. Labels may be of any type whose values can
    be told apart, and come out as they went in. An answer that is there twice counts once; a
    worker who gave one task two labels has two votes. The order of rows does not matter, and `fit`
    starts anew each time.

    Parameters
    ----------
    classes : sequence, optional
        Every label that a worker may give, in label order. When left out, the categories of the
        column ``label`` (a pandas ``category`` column or a Polars ``Enum``), else the labels that
        were given, in ascending order.

    Attributes
    ----------
    labels_ : Series
        Label by task, called ``agg_label``; a tie goes to the class listed first.
    probas_ : DataFrame
        Probability of each class, in [0, 1]: a row for each task, a column for each class. Rows
        sum to 1.
    confidences_ : Series
        Confidence in each label, in [0, 1]: its probability, but for `AwsBuiltin`.
    skills_ : Series
        By worker, in [0, 1]: how often the worker is right.
    priors_ : Series
        Mean probability of each class.
    errors_ : DataFrame
        How often each worker gave a label (rows, by worker and label) where a class is true
        (columns), by the probabilities found, and by earlier counts that `fit` was given. Computed
        when it is first read.
    """

    classes: Sequence[Any] | None = field(default=None, kw_only=True)
    labels_: ByTask = field(init=False)
    probas_: ByTask = field(init=False)
    confidences_: ByTask = field(init=False)
    skills_: ByWorker = field(init=False)
    priors_: Any = field(init=False)

    def fit(self, data: Frame) -> Self:
        """Consolidate answers.

        Parameters
        ----------
        data : DataFrame or Table
            Columns ``task``, ``worker`` and ``label``; others are left alone.

        Returns
        -------
        Classifier
            The classifier itself.

        Raises
        ------
        FrameError
            If the frame cannot be used: a column is missing, or a row has no value.
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

    def consolidate(self, votes: Votes, **known: Any) -> Result:
        """Run the algorithm on votes that are arrays; raises `ValueError` for a bad setting."""
        self._check_settings()
        return self._consolidate(votes, **known)

    @cached_property
    def errors_(self) -> Any:
        """See the class."""
        library, votes, earlier = self._answers.library, self._votes, self._earlier
        codes = votes.workers * votes.n_classes + votes.classes
        amounts = self._result.posterior[votes.items]
        if earlier is not None:
            table = earlier.dense().swapaxes(1, 2).reshape(-1, votes.n_classes)
            known = np.flatnonzero(table.any(axis=1))
            codes = np.concatenate([codes, known])
            amounts = np.concatenate([amounts, table[known]])
        pairs, pair_of_code = np.unique(codes, return_inverse=True)
        counts = np.zeros((pairs.size, votes.n_classes))
        np.add.at(counts, pair_of_code, amounts)
        counts = np.maximum(counts, _SMALLEST_RATE)
        workers, labels = np.divmod(pairs, votes.n_classes)
        totals = np.zeros((votes.n_workers, votes.n_classes))
        np.add.at(totals, workers, counts)
        ids = {
            "worker": self._answers.workers.pick(library, workers),
            "label": self._answers.labels.pick(library, labels),
        }
        return library.matrix_by_id(ids, self._answers.labels.column, counts / totals[workers])

    def tabulate_labels(self) -> ByTask:
        """The table of `label_quality` for the answers that were fitted."""
        answers, votes, posterior = self._answers, self._votes, self._result.posterior
        make, labels, tasks = answers.library.make_column, self._labels, np.arange(votes.n_items)
        others = posterior.copy()
        others[tasks, labels] = 0.0
        n_answers = votes.votes_per_item
        agreement = votes.counts[tasks, labels] / np.maximum(n_answers, 1)
        columns = {
            "label": answers.labels.pick(answers.library, labels),
            "confidence": make(self._result.confidences),
            "score": make(posterior[tasks, labels] - others.max(axis=1, initial=0.0)),
            "agreement": make(np.where(n_answers > 1, agreement, np.nan)),
            "answers": make(n_answers),
        }
        return answers.library.table_by_id({"task": answers.tasks.column}, columns)

    def tabulate_workers(self) -> ByWorker:
        """The table of `worker_quality` for the answers that were fitted."""
        answers, votes = self._answers, self._votes
        workers, truth = votes.workers, self._labels[votes.items]
        right = votes.classes == truth
        others = votes.counts[votes.items]
        others[np.arange(votes.n_votes), votes.classes] -= 1
        most = others == others.max(axis=1, initial=0.0, keepdims=True)
        alike = most[np.arange(votes.n_votes), votes.classes] / np.maximum(most.sum(axis=1), 1)
        wrong = np.zeros((votes.n_workers, votes.n_classes))
        np.add.at(wrong, (workers[~right], truth[~right]), 1)
        shared = votes.votes_per_item[votes.items] > 1
        return make_worker_table(
            answers,
            self._skills,
            n_answers=votes.votes_per_worker,
            workers=workers[shared],
            agreement=right[shared].astype(np.float64),
            others=alike[shared],
            wrong=wrong,
        )

    @abstractmethod
    def _consolidate(self, votes: Votes, **known: Any) -> Result:
        """Run the algorithm."""

    def _check_settings(self) -> None:
        """Raise `ValueError` if a setting is out of range."""

    def _read(self, data: Frame) -> Answers:
        return read_answers(data, classes=self.classes)

    def _fit(self, answers: Answers, gold: Ints | None = None, **known: Any) -> Self:
        votes = make_votes(answers)
        if votes.n_votes:
            more = known if gold is None else {"gold": gold, **known}
            result = _settle_gold(self.consolidate(votes, **more), gold)
        else:
            self._check_settings()
            result = Result(posterior=np.empty((0, votes.n_classes)), confidences=np.empty(0))
        numbers = choose_classes(result.posterior, result.confidences, votes.counts, None).class_id
        skills = result.skills
        if skills is None:
            right = (votes.classes == numbers[votes.items]).astype(np.float64)
            skills = share_by(votes.workers, right, votes.n_workers)
        self._answers, self._votes, self._result = answers, votes, result
        self._labels, self._skills = numbers, skills
        self._earlier: WorkerCounts | None = known.get("prior_counts")
        self.__dict__.pop("errors_", None)
        library, classes = answers.library, answers.labels
        tasks, workers = {"task": answers.tasks.column}, {"worker": answers.workers.column}
        make = library.make_column
        labels = classes.pick(library, numbers)
        self.labels_ = library.by_id(tasks, "agg_label", labels)
        shown = result.posterior[:, : len(classes.values)]
        self.probas_ = library.matrix_by_id(tasks, classes.column, shown, title="label")
        self.confidences_ = library.by_id(tasks, "confidence", make(result.confidences))
        self.skills_ = library.by_id(workers, "skill", make(skills))
        priors = result.posterior.mean(axis=0) if votes.n_items else np.empty(0)
        listed = classes.column if votes.n_items else make([])
        self.priors_ = library.by_id({"label": listed}, "prior", make(priors))
        return self


def make_votes(answers: Answers) -> Votes:
    """The answers as arrays; of no answers there is one class at least."""
    return Votes(
        items=answers.tasks.codes[answers.rows],
        workers=answers.workers.codes[answers.rows],
        classes=answers.labels.codes,
        n_items=len(answers.tasks.values),
        n_workers=len(answers.workers.values),
        n_classes=len(answers.labels.values) or 1,
    )


def make_worker_table(
    answers: Answers,
    skills: Floats,
    *,
    n_answers: Ints,
    workers: Ints,
    agreement: Floats,
    others: Floats,
    wrong: Floats,
) -> ByWorker:
    """The table of `worker_quality`.

    `workers`, `agreement` and `others` are of the answers that are not the only one on their task,
    `wrong` counts by worker and label.
    """
    library, n_workers = answers.library, len(answers.workers.values)
    worst: list[Any] = [None] * n_workers
    for worker in np.flatnonzero(wrong.any(axis=1)).tolist():
        worst[worker] = answers.labels.values[int(wrong[worker].argmax())]
    columns = {
        "answers": library.make_column(n_answers),
        "skill": library.make_column(skills),
        "agreement": library.make_column(share_by(workers, agreement, n_workers)),
        "others": library.make_column(share_by(workers, others, n_workers)),
        "worst_label": library.make_column(worst, answers.labels.column),
    }
    return library.table_by_id({"worker": answers.workers.column}, columns)


def share_by(groups: Ints, amounts: Floats, n_groups: int) -> Floats:
    """Mean of the amounts group by group; NaN for a group without any: shape (n_groups,)."""
    totals = np.bincount(groups, minlength=n_groups)
    sums = sum_groups(groups, amounts, n_groups)
    means: Floats = np.divide(sums, totals, out=np.full(n_groups, np.nan), where=totals > 0)
    return means


def _settle_gold(result: Result, gold: Ints | None) -> Result:
    """Give tasks of known truth that label, for sure."""
    known = np.flatnonzero(gold >= 0) if gold is not None else np.empty(0, np.int64)
    if gold is None or not known.size:
        return result
    posterior, confidences = result.posterior.copy(), result.confidences.copy()
    posterior[known] = np.arange(posterior.shape[1]) == gold[known, np.newaxis]
    confidences[known] = 1.0
    return Result(posterior=posterior, confidences=confidences, skills=result.skills)


@dataclass(repr=False, eq=False)
class MajorityVote(Classifier):
    """The label that most workers gave [1]_; with `skills`, by the sum of their skills.

    The probability of a class is its share of the votes, but for a task with a single answer: that
    is right with a probability of 0.7, as answers usually are.

    Parameters
    ----------
    default_skill : float, optional
        Skill of workers whose skill is not known, if ``on_missing_skill="value"``.
    on_missing_skill : {"error", "ignore", "value"}
        What becomes of workers whose skill is not known: an error, or their answers are left out,
        or they have `default_skill`. Without `skills` all workers count alike.
    classes : sequence, optional
        See `Classifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, priors_, errors_
        See `Classifier`.
    skills_ : Series
        By worker: share of the answers that are the label.

    References
    ----------
    .. [1] V. S. Sheng, F. Provost and P. G. Ipeirotis, "Get another label? Improving data quality
       and data mining using multiple, noisy labelers", KDD 2008. doi:10.1145/1401890.1401965

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     [["t1", "ada", "cat"], ["t1", "bob", "cat"], ["t1", "cy", "dog"]],
    ...     columns=["task", "worker", "label"],
    ... )
    >>> MajorityVote().fit_predict(answers)
    task
    t1    cat
    Name: agg_label, dtype: str
    >>> MajorityVote().fit_predict(answers, skills={"ada": 0.2, "bob": 0.2, "cy": 0.9})["t1"]
    'dog'
    """

    default_skill: float | None = None
    on_missing_skill: Literal["error", "ignore", "value"] = "error"

    def fit(self, data: Frame, skills: Any = None) -> Self:
        """Consolidate answers.

        Parameters
        ----------
        data : DataFrame or Table
            Columns ``task``, ``worker`` and ``label``; others are left alone.
        skills : Series, mapping or frame, optional
            How much each worker's vote counts, by worker: 0 or more.

        Returns
        -------
        MajorityVote
            The classifier itself.

        Raises
        ------
        FrameError
            If the frame cannot be used: a column is missing, or a row has no value.
        ValueError
            If a skill is missing or negative, no worker of a task has one, or a setting is out of
            range.
        """
        answers = self._read(data)
        if skills is None:
            return self._fit(answers)
        known = read_by_id(skills, "worker")
        if self.on_missing_skill == "ignore":
            answers = self._drop_unknown(answers, known)
        workers = answers.workers.values
        unknown = [worker for worker in workers if worker not in known]
        if unknown and self.on_missing_skill == "error":
            raise ValueError(
                f"no skill is known of {len(unknown)} workers, {unknown[0]!r} among them: name "
                'theirs too, or set on_missing_skill to "ignore" or "value"'
            )
        values = [known.get(worker, self.default_skill) for worker in workers]
        weights = np.array(values, dtype=np.float64)
        return self._fit(answers, weights=weights)

    def fit_predict(self, data: Frame, skills: Any = None) -> ByTask:
        """Consolidate answers, and return `labels_`; the arguments are those of `fit`."""
        return self.fit(data, skills).labels_

    def fit_predict_proba(self, data: Frame, skills: Any = None) -> ByTask:
        """Consolidate answers, and return `probas_`; the arguments are those of `fit`."""
        return self.fit(data, skills).probas_

    def _drop_unknown(self, answers: Answers, known: Mapping[Any, Any]) -> Answers:
        wanted = np.array([worker in known for worker in answers.workers.values], np.bool_)
        kept = answers.select_workers(wanted)
        lost = len(answers.tasks.values) - len(kept.tasks.values)
        if lost:
            raise ValueError(
                f"{lost} tasks have no answer of a worker whose skill is known: name more skills, "
                'or set on_missing_skill to "value"'
            )
        return kept

    def _check_settings(self) -> None:
        if self.on_missing_skill not in ("error", "ignore", "value"):
            raise ValueError(
                f"on_missing_skill={self.on_missing_skill!r} is not error, ignore or value"
            )
        if self.default_skill is not None:
            check_number("default_skill", self.default_skill)
        elif self.on_missing_skill == "value":
            raise ValueError('on_missing_skill="value" needs a default_skill')

    def _consolidate(self, votes: Votes, **known: Any) -> Result:
        weights = known.get("weights")
        if weights is None:
            return Result(**_name(share_votes(votes, None)))
        majority(votes, weights=weights)  # checks them
        largest = weights.max(initial=0.0)
        return Result(**_name(share_votes(votes, weights / largest if largest > 0 else weights)))


def _name(found: tuple[Floats, Floats]) -> dict[str, Floats]:
    return {"posterior": found[0], "confidences": found[1]}


@dataclass(repr=False, eq=False)
class AwsBuiltin(Classifier):
    """What Ground Truth's own consolidation of single labels says, to the last digit.

    Dawid and Skene's model [1]_ with two E steps and one M step. All tasks count as one call of the
    function, whose results depend on which tasks share a call. `confidences_` is what the function
    reports, from 0.05 to 0.95 in steps of 0.01; nearly all are the same few values, which say
    little of where the errors are. `probas_` is the posterior behind it.

    Parameters
    ----------
    classes : sequence, optional
        See `Classifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, priors_, errors_
        See `Classifier`.
    skills_ : Series
        By worker: share of the answers that are the label.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
       using the EM algorithm", Applied Statistics 28 (1979). doi:10.2307/2346806

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     {"task": [1, 1, 2, 2], "worker": list("abab"), "label": ["cat", "cat", "dog", "cat"]}
    ... )
    >>> AwsBuiltin().fit(answers).confidences_.tolist()
    [0.85, 0.62]
    """

    def _consolidate(self, votes: Votes, **known: Any) -> Result:
        return Result(**_name(show_builtin(builtin(votes), votes)))


@dataclass(repr=False, eq=False)
class _SkilledClassifier(Classifier):
    """A classifier that learns how often workers are right, and takes labels that are known."""

    def fit(self, data: Frame, true_labels: TrueLabels = None) -> Self:
        """Consolidate answers.

        Parameters
        ----------
        data : DataFrame or Table
            Columns ``task``, ``worker`` and ``label``; others are left alone.
        true_labels : Series, mapping or frame, optional
            Labels that are known, by task: workers are judged by them, and these tasks get them
            with a probability of 1. Tasks without an answer are left alone.

        Returns
        -------
        Classifier
            The classifier itself.

        Raises
        ------
        FrameError
            If the frame cannot be used: a column is missing, or a row has no value; or if a known
            label is none of the classes.
        ValueError
            If a setting is out of range.
        """
        answers = self._read(data)
        return self._fit(answers, gold=_read_gold(answers, true_labels))

    def fit_predict(self, data: Frame, true_labels: TrueLabels = None) -> ByTask:
        """Consolidate answers, and return `labels_`; the arguments are those of `fit`."""
        return self.fit(data, true_labels).labels_

    def fit_predict_proba(self, data: Frame, true_labels: TrueLabels = None) -> ByTask:
        """Consolidate answers, and return `probas_`; the arguments are those of `fit`."""
        return self.fit(data, true_labels).probas_

    def _show(
        self,
        result: Consolidation,
        strength: float,
        gold: Ints | None,
        prior_counts: WorkerCounts | None = None,
    ) -> Result:
        posterior = result.posterior.dense()
        return Result(
            posterior=posterior,
            confidences=posterior.max(axis=1),
            skills=_estimate_skills(result, strength, gold, prior_counts),
        )


def _read_gold(answers: Answers, true_labels: TrueLabels) -> Ints | None:
    """Index of each task's true class, -1 where it is not known."""
    if true_labels is None:
        return None
    known = read_by_id(true_labels, "task")
    index = {value: number for number, value in enumerate(answers.labels.values)}
    listed = [known[task] for task in answers.tasks.values if task in known]
    unknown = [label for label in listed if not is_hashable(label) or label not in index]
    if unknown:
        raise FrameError(
            f"true_labels has {unknown[0]!r}, which nobody gave: list all labels as classes"
        )
    return np.array(
        [index[known[task]] if task in known else -1 for task in answers.tasks.values], np.int64
    )


def _estimate_skills(
    result: Consolidation, strength: float, gold: Ints | None, prior_counts: WorkerCounts | None
) -> Floats:
    """How probable each worker's next answer is to be right.

    The expected share of right answers, in which the accuracy of all workers counts for `strength`
    answers. An answer that nobody confirms does not count.
    """
    data = VoteData.from_votes(result.votes, prior_counts, gold)
    right = data.count_right(result.truth.probabilities)
    shared = data.share_of_right(float(right.sum()))
    skills: Floats = (right + strength * shared) / (data.n_answers + strength)
    return skills


@dataclass(repr=False, eq=False)
class CalibratedDawidSkene(_SkilledClassifier):
    """Labels by worker skill, with confidences that can be read as probabilities; the default.

    Dawid and Skene's model [1]_ with confusion matrices that are shrunk to what is known of all
    workers. Evidence is tempered as far as workers err together, and mixed with the weighted share
    of the votes.

    Parameters
    ----------
    n_iter : int
        Most rounds, 1 or more.
    tol : float
        Rounds end when no probability changes by this much or more.
    correlation : float
        How much errors of workers on one task go together, from 0 to 1.
    learning_correlation : float
        The same while workers are judged.
    mix : float
        Share of the tempered posterior in the result, from 0 to 1; the rest is the weighted share
        of the votes.
    frequency_weight : float
        Power of the class frequencies in the prior, from 0 (uniform) to 1.
    frequencies_from_gold : bool
        Whether class frequencies are those of `true_labels`, which have to be drawn at random.
    strength : float
        How many votes a worker's accuracy counts for in each row of the worker's confusion matrix.
    accuracy_strength : float
        How many votes the accuracy of all workers counts for in a worker's own.
    smoothing : float
        How many votes of mean weight are spread evenly over the classes.
    dependence : float, optional
        How dependent errors are taken to be, from 0 to 1; found from the answers when left out.
    classes : sequence, optional
        See `Classifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, priors_, errors_
        See `Classifier`.
    skills_ : Series
        By worker: how probable the next answer is to be right.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
       using the EM algorithm", Applied Statistics 28 (1979). doi:10.2307/2346806

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     {"task": [1, 1, 2, 2], "worker": list("abab"), "label": ["cat", "cat", "dog", "cat"]}
    ... )
    >>> model = CalibratedDawidSkene(mix=0.4).fit(answers)
    >>> model
    CalibratedDawidSkene(mix=0.4)
    >>> model.labels_.tolist(), model.confidences_.round(2).tolist()
    (['cat', 'cat'], [0.85, 0.5])
    """

    n_iter: int = _CALIBRATED.max_rounds
    tol: float = _CALIBRATED.tolerance
    correlation: float = field(default=_CALIBRATED.correlation, kw_only=True)
    learning_correlation: float = field(default=_CALIBRATED.learning_correlation, kw_only=True)
    mix: float = field(default=_CALIBRATED.mix, kw_only=True)
    frequency_weight: float = field(default=_CALIBRATED.frequency_weight, kw_only=True)
    frequencies_from_gold: bool = field(default=_CALIBRATED.frequencies_from_gold, kw_only=True)
    strength: float = field(default=_CALIBRATED.strength, kw_only=True)
    accuracy_strength: float = field(default=_CALIBRATED.accuracy_strength, kw_only=True)
    smoothing: float = field(default=_CALIBRATED.smoothing, kw_only=True)
    dependence: float | None = field(default=None, kw_only=True)

    def _check_settings(self) -> None:
        check_rounds(self.n_iter, self.tol)
        for name in ("correlation", "learning_correlation", "mix", "frequency_weight"):
            check_number(name, getattr(self, name), most=1.0)
        for name in ("strength", "accuracy_strength", "smoothing"):
            check_number(name, getattr(self, name), above=True)
        if self.dependence is not None:
            check_number("dependence", self.dependence, most=1.0)

    def _consolidate(self, votes: Votes, **known: Any) -> Result:
        dependence = _CALIBRATED.dependence
        if self.dependence is not None:
            dependence = DependenceSettings.fixed(self.dependence)
        settings = CalibratedSettings(
            correlation=self.correlation,
            learning_correlation=self.learning_correlation,
            mix=self.mix,
            frequency_weight=self.frequency_weight,
            frequencies_from_gold=self.frequencies_from_gold,
            strength=self.strength,
            accuracy_strength=self.accuracy_strength,
            smoothing=self.smoothing,
            tolerance=self.tol,
            max_rounds=int(self.n_iter),
            dependence=dependence,
        )
        gold = known.get("gold")
        found = calibrated(votes, settings=settings, gold=gold)
        return self._show(found, self.accuracy_strength, gold)


@dataclass(repr=False, eq=False)
class WeightedVote(_SkilledClassifier):
    """Share of the votes, weighted by how often workers are right, and again until it stands [1]_.

    Parameters
    ----------
    n_iter : int
        Most rounds, 1 or more.
    tol : float
        Rounds end when no probability changes by this much or more.
    accuracy_strength : float
        How many votes the accuracy of all workers counts for in a worker's own.
    smoothing : float
        How many votes of mean weight are spread evenly over the classes.
    classes : sequence, optional
        See `Classifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, priors_, errors_
        See `Classifier`.
    skills_ : Series
        By worker: how probable the next answer is to be right.

    References
    ----------
    .. [1] H. Li and B. Yu, "Error rate bounds and iterative weighted majority voting for
       crowdsourcing", 2014. arXiv:1411.4086

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     [["t1", "ada", "cat"], ["t1", "bob", "cat"], ["t1", "cy", "dog"]],
    ...     columns=["task", "worker", "label"],
    ... )
    >>> WeightedVote().fit(answers).skills_.round(2).tolist()
    [0.66, 0.66, 0.64]
    """

    n_iter: int = _WEIGHTED.max_rounds
    tol: float = _WEIGHTED.tolerance
    accuracy_strength: float = field(default=_WEIGHTED.accuracy_strength, kw_only=True)
    smoothing: float = field(default=_WEIGHTED.smoothing, kw_only=True)

    def _check_settings(self) -> None:
        check_rounds(self.n_iter, self.tol)
        check_number("accuracy_strength", self.accuracy_strength, above=True)
        check_number("smoothing", self.smoothing, above=True)

    def _consolidate(self, votes: Votes, **known: Any) -> Result:
        settings = WeightedSettings(
            accuracy_strength=self.accuracy_strength,
            smoothing=self.smoothing,
            tolerance=self.tol,
            max_rounds=int(self.n_iter),
        )
        gold = known.get("gold")
        found = weighted(votes, settings=settings, gold=gold)
        return self._show(found, self.accuracy_strength, gold)


@dataclass(repr=False, eq=False)
class EBCC(_SkilledClassifier):
    """Enhanced Bayesian classifier combination: workers err together on subtypes of classes [1]_.

    With more than 20 classes there are no subtypes, and the result is that of `DawidSkene`.

    Parameters
    ----------
    n_iter : int
        Most rounds, 1 or more.
    tol : float
        Rounds end when no probability changes by this much or more.
    n_subtypes : int
        How many subtypes each class may have, 1 or more.
    concentration : float
        How many tasks are added to a class, spread over its subtypes.
    right, wrong : float
        How many right answers, and how many of each wrong class, every worker is taken to have
        given for each subtype before anything is known.
    classes : sequence, optional
        See `Classifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, priors_, errors_
        See `Classifier`.
    skills_ : Series
        By worker: how probable the next answer is to be right.

    References
    ----------
    .. [1] Y. Li, B. I. P. Rubinstein and T. Cohn, "Exploiting worker correlation for label
       aggregation in crowdsourcing", ICML 2019. proceedings.mlr.press/v97/li19i.html

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     [["t1", "ada", 0], ["t1", "bob", 0], ["t2", "ada", 1], ["t2", "bob", 1]],
    ...     columns=["task", "worker", "label"],
    ... )
    >>> EBCC().fit_predict(answers).tolist()
    [0, 1]
    """

    n_iter: int = _EBCC.max_rounds
    tol: float = _EBCC.tolerance
    n_subtypes: int = field(default=_EBCC.n_subtypes, kw_only=True)
    concentration: float = field(default=_EBCC.concentration, kw_only=True)
    right: float = field(default=_EBCC.right, kw_only=True)
    wrong: float = field(default=_EBCC.wrong, kw_only=True)

    def _check_settings(self) -> None:
        check_rounds(self.n_iter, self.tol)
        check_whole_number("n_subtypes", self.n_subtypes, least=1)
        for name in ("concentration", "right", "wrong"):
            check_number(name, getattr(self, name), above=True)

    def _consolidate(self, votes: Votes, **known: Any) -> Result:
        settings = EbccSettings(
            n_subtypes=int(self.n_subtypes),
            concentration=self.concentration,
            right=self.right,
            wrong=self.wrong,
            tolerance=self.tol,
            max_rounds=int(self.n_iter),
        )
        gold = known.get("gold")
        return self._show(ebcc(votes, settings=settings, gold=gold), _DAWID_SKENE.strength, gold)


@dataclass(repr=False, eq=False)
class DawidSkene(_SkilledClassifier):
    """Dawid and Skene's model of workers who mix up classes [1]_, fitted by MAP-EM.

    Rows of the confusion matrices are shrunk to the accuracy of all workers, without which a few
    answers of each worker teach nothing. Errors of workers are taken for independent, and the
    probabilities are therefore too sure; those of `CalibratedDawidSkene` are not. With more than 20
    classes each worker's accuracy is learned instead of the full matrix.

    Parameters
    ----------
    n_iter : int
        Most rounds; with 0 the result is the shares of the votes.
    tol : float
        Rounds end when no probability changes by this much or more; 0 makes all of them.
    initial_error_strategy : {"addition", "assign"}, optional
        How `initial_error` of `fit` counts: it is added to what the answers show, or is all that
        workers are judged by.
    strength : float
        How many votes the accuracy of all workers counts for in each row of a confusion matrix.
    classes : sequence, optional
        See `Classifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, priors_, errors_
        See `Classifier`.
    skills_ : Series
        By worker: how probable the next answer is to be right.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
       using the EM algorithm", Applied Statistics 28 (1979). doi:10.2307/2346806

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     {"task": [1, 1, 2, 2], "worker": list("abab"), "label": ["cat", "cat", "dog", "cat"]}
    ... )
    >>> DawidSkene(100).fit_predict(answers, true_labels={2: "dog"}).tolist()
    ['cat', 'dog']
    """

    _one_coin: ClassVar[bool] = False

    n_iter: int = _DAWID_SKENE.max_rounds
    tol: float = _DAWID_SKENE.tolerance
    initial_error_strategy: Literal["addition", "assign"] | None = None
    strength: float = field(default=_DAWID_SKENE.strength, kw_only=True)

    def fit(self, data: Frame, true_labels: TrueLabels = None, initial_error: Any = None) -> Self:
        """Consolidate answers.

        Parameters
        ----------
        data : DataFrame or Table
            Columns ``task``, ``worker`` and ``label``; others are left alone.
        true_labels : Series, mapping or frame, optional
            Labels that are known, by task: workers are judged by them, and these tasks get them
            with a probability of 1. Tasks without an answer are left alone.
        initial_error : DataFrame or Table, optional
            What earlier tasks showed of workers: how often each gave a label, by ``worker`` and
            ``label`` (the index, or columns), with a column for each class that was true. Other
            workers and classes are left alone. If it is added it has to count answers; if it is
            assigned its columns may be counts or rates, of every worker and class.

        Returns
        -------
        DawidSkene
            The classifier itself.

        Raises
        ------
        FrameError
            If a frame cannot be used: a column is missing, or a row has no value; or if a known
            label is none of the classes.
        ValueError
            If a setting is out of range, or counts are negative or missing.
        """
        answers = self._read(data)
        known: dict[str, Any] = {}
        if initial_error is not None:
            if self.initial_error_strategy is None:
                raise ValueError(
                    "initial_error is what earlier answers showed: set initial_error_strategy to "
                    '"addition" if it is added to what these show, or to "assign" if it replaces it'
                )
            amounts = _read_counts(answers, initial_error)
            if self.initial_error_strategy == "assign":
                amounts = _CERTAIN * _find_rates(amounts, answers)
            known["prior_counts"] = WorkerCounts.from_dense(amounts)
        return self._fit(answers, gold=_read_gold(answers, true_labels), **known)

    def fit_predict(
        self, data: Frame, true_labels: TrueLabels = None, initial_error: Any = None
    ) -> ByTask:
        """Consolidate answers, and return `labels_`; the arguments are those of `fit`."""
        return self.fit(data, true_labels, initial_error).labels_

    def fit_predict_proba(
        self, data: Frame, true_labels: TrueLabels = None, initial_error: Any = None
    ) -> ByTask:
        """Consolidate answers, and return `probas_`; the arguments are those of `fit`."""
        return self.fit(data, true_labels, initial_error).probas_

    def _check_settings(self) -> None:
        if self.initial_error_strategy not in (None, "addition", "assign"):
            raise ValueError(
                f"initial_error_strategy={self.initial_error_strategy!r} is not addition or assign"
            )
        check_rounds(self.n_iter, self.tol, least=0)
        check_number("strength", self.strength, above=True)

    def _consolidate(self, votes: Votes, **known: Any) -> Result:
        if not self.n_iter:
            return Result(**_name(share_votes(votes, None)))
        settings = DawidSkeneSettings(
            strength=self.strength,
            tolerance=self.tol,
            max_rounds=int(self.n_iter),
            one_coin=self._one_coin,
        )
        found = dawid_skene(votes, settings=settings, **known)
        return self._show(found, self.strength, known.get("gold"), known.get("prior_counts"))


@dataclass(repr=False, eq=False)
class OneCoinDawidSkene(DawidSkene):
    """Dawid and Skene's model [1]_ with one number for each worker: how often the worker is right.

    Wrong answers are taken to be any other class alike [2]_. That is less to learn than what
    `DawidSkene` learns of each worker, and enough where classes are not mixed up or answers are
    few.

    Parameters
    ----------
    n_iter : int
        Most rounds; with 0 the result is the shares of the votes.
    tol : float
        Rounds end when no probability changes by this much or more; 0 makes all of them.
    initial_error_strategy : {"addition", "assign"}, optional
        See `DawidSkene`.
    strength : float
        How many votes the accuracy of all workers counts for in a worker's own.
    classes : sequence, optional
        See `Classifier`.

    Attributes
    ----------
    labels_, probas_, confidences_, priors_, errors_
        See `Classifier`.
    skills_ : Series
        By worker: how probable the next answer is to be right.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
       using the EM algorithm", Applied Statistics 28 (1979). doi:10.2307/2346806
    .. [2] Y. Zhang, X. Chen, D. Zhou and M. I. Jordan, "Spectral methods meet EM: A provably
       optimal algorithm for crowdsourcing", Journal of Machine Learning Research 17 (2016).
       arXiv:1406.3824

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     {"task": [1, 1, 2, 2], "worker": list("abab"), "label": ["cat", "cat", "dog", "cat"]}
    ... )
    >>> OneCoinDawidSkene(100).fit_predict(answers, true_labels={2: "dog"}).tolist()
    ['cat', 'dog']
    """

    _one_coin: ClassVar[bool] = True


def _read_counts(answers: Answers, table: Any) -> Floats:
    """Counts of a frame by worker, true class and class given."""
    library = find_library(table)
    index = getattr(table, "index", None)
    if index is not None and list(index.names) != [None]:
        table = table.reset_index()
    names = library.column_names(table)
    ids = []
    for name, column in (("worker", answers.workers), ("label", answers.labels)):
        if name not in names:
            raise FrameError(f"initial_error has neither an index nor a column {name!r}")
        numbers = {value: number for number, value in enumerate(column.values)}
        listed = library.to_list(library.column(table, name))
        ids.append(np.array([numbers.get(value, -1) for value in listed], np.int64))
    workers, given = ids
    known = (workers >= 0) & (given >= 0)
    amounts = np.zeros((len(answers.workers.values),) + (len(answers.labels.values) or 1,) * 2)
    for number, value in enumerate(answers.labels.values):
        if value in names:
            counts = np.array(library.to_list(library.column(table, value)), np.float64)
            np.add.at(amounts[:, number], (workers[known], given[known]), counts[known])
    return amounts


def _find_rates(amounts: Floats, answers: Answers) -> Floats:
    """Counts as shares of what each worker gave where a class is true."""
    totals = amounts.sum(axis=2, keepdims=True)
    missing = np.argwhere(~(totals[:, :, 0] > 0))
    if missing.size:
        worker, label = missing[0].tolist()
        raise ValueError(
            f"initial_error tells nothing of worker {answers.workers.values[worker]!r} where "
            f"{answers.labels.values[label]!r} is true: assign rates of every worker and class"
        )
    rates: Floats = amounts / totals
    return rates
