"""The answers to a batch of images as votes, and what is known of who cast them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.result import Consolidation
from groundtruth.aggregation.skill import WorkerCounts
from groundtruth.aggregation.votes import Floats, Ints, Votes
from groundtruth.answers import Answers
from groundtruth.skills.store import ALL_WORKERS, Amounts
from groundtruth.task import Batch

MOST_POOLED_CLASSES = 10
"""With more classes than this, it is not kept what all workers together did.

That record has a cell for each pair of classes, and each data object of a batch adds to many of
them. A transaction adds to 100 cells of a record at most, so with 20 classes a full batch would
take up to 60 transactions, all on this record, and without it takes 10 at most.
"""

type Cast = list[tuple[str, int]]
"""Worker and class of each vote on one image."""


@dataclass(frozen=True)
class Voters:
    """The votes of a batch, and what is known of who cast them.

    Attributes
    ----------
    names : tuple of str
        The workers, sorted; the model of the job's side file is one more, the last.
    votes : Votes
        Theirs; images are numbered as they were given.
    gold : ndarray of int, shape (n_items,)
        True classes, -1 where unknown.
    counts : WorkerCounts
        What earlier batches taught about the workers.
    pool : ndarray of float, shape (n_classes, n_classes), or None
        What they taught about all workers together; None where that is not kept.
    in_pool : ndarray of bool, shape (n_workers,)
        Which of the workers that is about: all but the model.
    max_weights : ndarray of float, shape (n_workers,), or None
        Largest weight of each; None without the model.
    """

    names: tuple[str, ...]
    votes: Votes
    gold: Ints
    counts: WorkerCounts
    pool: Floats | None
    in_pool: NDArray[np.bool_]
    max_weights: Floats | None

    @classmethod
    def of(
        cls, objects: Sequence[Answers[int]], batch: Batch, *, with_model: bool, with_history: bool
    ) -> Self:
        """The voters of some images.

        Parameters
        ----------
        objects : sequence of Answers
            Images with one usable answer or more.
        batch : Batch
            The batch they are of.
        with_model : bool
            Whether the model counts, if the job has one.
        with_history : bool
            Whether the algorithm wants to know what earlier batches taught.
        """
        cast: list[Cast] = [list(zip(item.workers, item.answers, strict=True)) for item in objects]
        names = sorted({worker for votes in cast for worker, _ in votes})
        has_model = False
        if with_model and batch.settings.model_max_weight > 0:
            has_model = _add_model(cast, objects, batch)
        names += [batch.model_id] if has_model else []
        weights = np.full(len(names), np.inf)
        weights[len(names) - has_model :] = batch.settings.model_max_weight
        gold = [_known_class(batch.gold.of(item.object_id, item.source), batch) for item in objects]
        n_classes = max(1, len(batch.classes))
        asked = [*names, ALL_WORKERS] if names and n_classes <= MOST_POOLED_CLASSES else names
        history = batch.skills.history(asked) if with_history else {name: {} for name in asked}
        return cls(
            names=tuple(names),
            votes=_votes(cast, names, n_classes),
            gold=np.array(gold, np.int64),
            counts=_counts(history, names, n_classes),
            pool=_pool(history, n_classes),
            in_pool=np.arange(len(names)) < len(names) - has_model,
            max_weights=weights if has_model else None,
        )


def _add_model(cast: Sequence[Cast], objects: Sequence[Answers[int]], batch: Batch) -> bool:
    """Add the model's votes; whether it has any."""
    for votes, item in zip(cast, objects, strict=True):
        chosen = _known_class(batch.model.of(item.object_id, item.source), batch)
        votes += [(batch.model_id, chosen)] if chosen >= 0 else []
    return any(worker == batch.model_id for votes in cast for worker, _ in votes)


def _known_class(names: tuple[str, ...] | None, batch: Batch) -> int:
    """Index of the class that a side file names for an object; -1 for none."""
    if names is None or len(names) != 1 or names[0] not in batch.classes:
        return -1
    return batch.classes.index(names[0])


def _votes(cast: Sequence[Cast], names: Sequence[str], n_classes: int) -> Votes:
    number = {worker: at for at, worker in enumerate(names)}
    flat = [
        (item, number[worker], chosen)
        for item, votes in enumerate(cast)
        for worker, chosen in votes
    ]
    columns = np.array(flat, dtype=np.int64).reshape(len(flat), 3).T
    return Votes(
        items=columns[0],
        workers=columns[1],
        classes=columns[2],
        n_items=len(cast),
        n_workers=len(names),
        n_classes=n_classes,
    )


def _counts(history: Amounts, names: Sequence[str], n_classes: int) -> WorkerCounts:
    """Stored cells ``"<true class>:<chosen class>"`` as counts."""
    cells = [
        (worker, *(int(part) for part in cell.split(":")), amount)
        for worker, name in enumerate(names)
        for cell, amount in history[name].items()
    ]
    columns = np.array(cells, dtype=np.float64).reshape(len(cells), 4).T
    workers, truths, answers = columns[:3].astype(np.int64)
    return WorkerCounts(workers, truths, answers, columns[3], len(names), n_classes)


def _pool(history: Amounts, n_classes: int) -> Floats | None:
    """What is known of all workers together, as a table."""
    if n_classes > MOST_POOLED_CLASSES:
        return None
    known = {ALL_WORKERS: history.get(ALL_WORKERS, {})}
    counts = _counts(known, [ALL_WORKERS], n_classes)
    table: Floats = counts.dense()[0]
    return table


def taught(
    objects: Sequence[Answers[int]], voters: Voters, result: Consolidation
) -> Mapping[str, Amounts]:
    """What each image teaches about its workers, in the store's terms.

    Parameters
    ----------
    objects : sequence of Answers
        The images that `voters` were made of.
    voters : Voters
        Their voters.
    result : Consolidation
        What an algorithm made of their votes.

    Returns
    -------
    mapping of str to Amounts
        By the images' ids. What all workers together did is there as `ALL_WORKERS`; the model
        of the side file is not one of them.
    """
    lessons: dict[str, dict[str, dict[str, float]]] = {}
    for at, item in enumerate(objects):
        counts = result.contributions.of_item(at)
        amounts: dict[str, dict[str, float]] = {}
        columns = (counts.workers, counts.truths, counts.answers, counts.amounts)
        for worker, truth, answer, amount in zip(*(c.tolist() for c in columns), strict=True):
            cell = f"{truth}:{answer}"
            amounts.setdefault(voters.names[worker], {})[cell] = amount
            if voters.pool is not None and voters.in_pool[worker]:
                everyone = amounts.setdefault(ALL_WORKERS, {})
                everyone[cell] = everyone.get(cell, 0.0) + amount
        lessons[item.object_id] = amounts
    return lessons
