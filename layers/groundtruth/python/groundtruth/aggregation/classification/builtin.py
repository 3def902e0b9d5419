"""The rule of Ground Truth's own single-label consolidation, to the last digit."""

from typing import NamedTuple

import numpy as np

from groundtruth.aggregation.classification.votes import Floats, Ints, Votes

_START_ACCURACY = 0.7


def builtin(votes: Votes) -> Floats:
    """Posterior of the built-in `ACS-ImageMultiClass` for the votes of one call.

    Dawid and Skene's model [1]_ with exactly one E step, one M step and one more E step.
    Each worker starts with 0.7 on the diagonal; the M step smooths the worker's expected
    counts towards the worker's own accuracy (as many votes as the worker gave) and towards
    0.7 (half as many). The class prior is the mean posterior of the call, so results depend
    on which items share a call, as those of the built-in do.

    Parameters
    ----------
    votes : Votes
        The votes of one call.

    Returns
    -------
    ndarray of float, shape (n_items, n_classes)
        Each row sums to 1. An item without a vote gets the class prior of the call. The
        label is the largest entry; a tie goes to the class listed first.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer
       error-rates using the EM algorithm", Applied Statistics 28 (1979).
       doi:10.2307/2346806

    Examples
    --------
    >>> votes = Votes(
    ...     items=np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]),
    ...     workers=np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]),
    ...     classes=np.array([0, 0, 0, 1, 0, 1, 2, 0, 1, 3, 3, 2]),
    ...     n_items=4,
    ...     n_workers=3,
    ...     n_classes=4,
    ... )
    >>> posterior = builtin(votes)
    >>> posterior.argmax(axis=1)
    array([0, 1, 1, 3])
    >>> builtin_confidence(posterior)
    array([0.94, 0.86, 0.47, 0.9 ])
    """
    if votes.n_classes == 1 or not votes.n_votes:
        return np.full((votes.n_items, votes.n_classes), 1.0 / votes.n_classes)
    kinds = np.unique(votes.workers * votes.n_classes + votes.classes)
    return conclude_builtin(votes, count_builtin(votes, kinds), kinds)


class BuiltinCounts(NamedTuple):
    """What the M step counts over all items; those of some items may be added."""

    items: Floats  # how many: shape ()
    true: Floats  # by class: items expected to be of it
    votes: Floats  # by worker
    rows: Floats  # by worker and true class: expected votes
    answers: Floats  # by kind of vote and true class: expected votes


def count_builtin(votes: Votes, kinds: Ints) -> BuiltinCounts:
    """Take the first E step, and count.

    `kinds` are the kinds of votes there are, ascending: worker * n_classes + class chosen.
    """
    n_classes = votes.n_classes
    start = _columns(np.full(n_classes, _START_ACCURACY), np.arange(n_classes), n_classes)
    prior = np.full(n_classes, 1.0 / n_classes)
    posterior = _posterior(votes, prior, np.log(start), votes.classes)
    expected = posterior[votes.items]
    kind_of_vote = np.searchsorted(kinds, votes.workers * n_classes + votes.classes)
    return BuiltinCounts(
        items=np.array(float(votes.n_items)),
        true=posterior.sum(axis=0),
        votes=votes.votes_per_worker.astype(np.float64),
        rows=_sum_by(votes.workers, expected, votes.n_workers),
        answers=_sum_by(kind_of_vote, expected, kinds.size),
    )


def conclude_builtin(votes: Votes, counts: BuiltinCounts, kinds: Ints) -> Floats:
    """Take the M step and the second E step, by the counts of all items: see `builtin`."""
    kind_of_vote = np.searchsorted(kinds, votes.workers * votes.n_classes + votes.classes)
    smoothed = _maximize(counts, *np.divmod(kinds, votes.n_classes))
    return _posterior(
        votes, counts.true / np.maximum(counts.items, 1.0), np.log(smoothed), kind_of_vote
    )


def builtin_confidence(posterior: Floats) -> Floats:
    """Confidence the built-in reports: ``round(0.9 * max + 0.05, 2)``.

    Parameters
    ----------
    posterior : ndarray of float, shape (n_items, n_classes)
        Result of `builtin`.

    Returns
    -------
    ndarray of float, shape (n_items,)
        From 0.05 to 0.95, in steps of 0.01, rounded as Python's `round` does (NumPy's
        rounding differs in the last digit).

    Examples
    --------
    >>> builtin_confidence(np.array([[0.9, 0.1], [0.5, 0.5]]))
    array([0.86, 0.5 ])
    """
    raw = 0.9 * posterior.max(axis=1, initial=0.0) + 0.05
    return np.array([round(value, 2) for value in raw.tolist()], dtype=np.float64)


def _columns(accuracy: Floats, answers: Ints, n_classes: int) -> Floats:
    """P(answer | each true class) of one-coin workers, shape (n_kinds, n_classes)."""
    columns = np.repeat(((1.0 - accuracy) / (n_classes - 1))[:, np.newaxis], n_classes, axis=1)
    columns[np.arange(answers.size), answers] = accuracy
    return columns


def _posterior(votes: Votes, prior: Floats, log_columns: Floats, kind_of_vote: Ints) -> Floats:
    """E step by the class prior and, in `log_columns`, what is known of workers."""
    scores = np.log(np.maximum(prior, np.finfo(np.float64).tiny)) + _sum_by(
        votes.items, log_columns[kind_of_vote], votes.n_items
    )
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    posterior: Floats = raised / raised.sum(axis=1, keepdims=True)
    return posterior


def _maximize(counts: BuiltinCounts, workers: Ints, answers: Ints) -> Floats:
    """M step: smoothed P(answer | true class) for each kind of vote, by its worker and answer."""
    n_classes = counts.true.size
    given = np.maximum(counts.votes, 1.0)[workers]  # kinds may be of workers without a vote
    agreed = np.bincount(
        workers,
        weights=counts.answers[np.arange(answers.size), answers],
        minlength=counts.votes.size,
    )
    accuracy = np.minimum(agreed[workers] / given, 1.0)
    start = np.full(answers.size, _START_ACCURACY)
    given = given[:, np.newaxis]
    pseudo = given * _columns(accuracy, answers, n_classes)
    pseudo += given / 2 * _columns(start, answers, n_classes)
    smoothed: Floats = (counts.answers + pseudo) / (counts.rows[workers] + 1.5 * given)
    return smoothed


def _sum_by(groups: Ints, values: Floats, n_groups: int) -> Floats:
    """Sum the rows of `values` group by group, shape (n_groups, values.shape[1])."""
    width = values.shape[1]
    cells = (groups[:, np.newaxis] * width + np.arange(width)).ravel()
    sums = np.bincount(cells, weights=values.ravel(), minlength=n_groups * width)
    return sums.reshape(n_groups, width)
