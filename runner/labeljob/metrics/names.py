"""Names that were given to data objects, held against the true ones."""

import math
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from statistics import fmean


def score_names(
    true: Sequence[AbstractSet[str]], said: Sequence[AbstractSet[str]], classes: Sequence[str]
) -> dict[str, float]:
    """Accuracy of whole sets, F1 over classes and over names, mean Jaccard index [1]_.

    Parameters
    ----------
    true, said : sequence of set of str
        The names of each data object; of a single choice one, or none.
    classes : sequence of str
        The classes of the job. The F1 is that of those that occur.

    Returns
    -------
    dict of str to float
        ``accuracy``, ``macro-f1``, ``micro-f1`` and ``jaccard``, in [0, 1]; NaN for nothing.

    References
    ----------
    .. [1] M. S. Sorower, "A literature survey on algorithms for multi-label learning", 2010.

    Examples
    --------
    >>> score_names([{"cat"}, {"cat", "dog"}], [{"cat"}, {"dog"}], ["cat", "dog"])["jaccard"]
    0.75
    """
    hits: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for names, given in zip(true, said, strict=True):
        hits.update(names & given)
        wrong.update(given - names)
        missed.update(names - given)
    present = [name for name in classes if hits[name] or wrong[name] or missed[name]]
    counts = [(hits[name], wrong[name] + missed[name]) for name in present]
    every_hit, every_error = (sum(column) for column in zip((0, 0), *counts, strict=True))
    shares = [
        len(names & given) / len(names | given) if names | given else 0.0
        for names, given in zip(true, said, strict=True)
    ]
    return {
        "accuracy": _mean([float(names == given) for names, given in zip(true, said, strict=True)]),
        "macro-f1": _mean([_f1(*count) for count in counts]),
        "micro-f1": _f1(every_hit, every_error) if counts else math.nan,
        "jaccard": _mean(shares),
    }


def _f1(hits: int, errors: int) -> float:
    return 2 * hits / (2 * hits + errors)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan
