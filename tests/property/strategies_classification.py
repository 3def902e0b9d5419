"""Batches of votes to hold the laws of classification against."""

import numpy as np
from hypothesis import strategies as st

from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.votes import Votes
from groundtruth.aggregation.multilabel.selections import Selections


@st.composite
def votes(draw, *, max_items=6, max_workers=5, min_classes=1, max_classes=4):
    """Any small batch: items and workers may lack votes, workers may vote twice."""
    n_items = draw(st.integers(1, max_items))
    n_workers = draw(st.integers(1, max_workers))
    n_classes = draw(st.integers(min_classes, max_classes))
    vote = st.tuples(
        st.integers(0, n_items - 1), st.integers(0, n_workers - 1), st.integers(0, n_classes - 1)
    )
    triples = np.array(draw(st.lists(vote, max_size=n_items * n_workers)), dtype=int)
    return Votes(*triples.reshape(-1, 3).T, n_items, n_workers, n_classes)


def shuffled(batch, random):
    """The same votes, given in another order."""
    order = random.sample(range(batch.n_votes), batch.n_votes)
    return replace(
        batch, items=batch.items[order], workers=batch.workers[order], classes=batch.classes[order]
    )


def renamed(batch, *, items=None, workers=None, classes=None):
    """The same votes with new indices: `items[old]` is an item's new index, and so on."""
    return replace(
        batch,
        items=batch.items if items is None else items[batch.items],
        workers=batch.workers if workers is None else workers[batch.workers],
        classes=batch.classes if classes is None else classes[batch.classes],
    )


def replace(batch, **changes):
    """A copy of the batch with some of its fields changed."""
    fields = ("items", "workers", "classes", "n_items", "n_workers", "n_classes")
    return Votes(**({name: getattr(batch, name) for name in fields} | changes))


@st.composite
def stored_counts(draw, batch):
    """Stored counts of the batch's workers: any accuracy, from nothing to many answers."""
    shape = (batch.n_workers, batch.n_classes, batch.n_classes)
    amount = st.one_of(st.just(0.0), st.floats(0.0, 100.0, allow_subnormal=False))
    cells = draw(st.lists(amount, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return WorkerCounts.from_dense(np.array(cells).reshape(shape))


def one_coin_counts(accuracies, n_classes, *, answers=50.0):
    """Stored counts of workers whose mix-ups are all equally frequent."""
    accuracy = np.asarray(accuracies, dtype=float)[:, np.newaxis, np.newaxis]
    right = np.eye(n_classes)[np.newaxis]
    return WorkerCounts.from_dense(
        answers * (accuracy * right + (1 - accuracy) / max(n_classes - 1, 1) * (1 - right))
    )


@st.composite
def selections(draw, *, max_items=5, max_workers=4, max_labels=4):
    """Any small multi-label batch."""
    n_items = draw(st.integers(1, max_items))
    n_workers = draw(st.integers(1, max_workers))
    n_labels = draw(st.integers(1, max_labels))
    answer = st.tuples(
        st.integers(0, n_items - 1),
        st.integers(0, n_workers - 1),
        st.lists(st.booleans(), min_size=n_labels, max_size=n_labels),
    )
    given = draw(st.lists(answer, max_size=n_items * n_workers))
    return Selections(
        np.array([item for item, _, _ in given], dtype=int),
        np.array([worker for _, worker, _ in given], dtype=int),
        np.array([picked for _, _, picked in given], dtype=bool).reshape(-1, n_labels),
        n_items,
        n_workers,
    )
