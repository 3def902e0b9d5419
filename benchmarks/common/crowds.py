"""Real and generated crowds for the benchmarks; needs NumPy only."""

import csv
import gzip
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SETS = (
    *("bluebird", "ducks", "dog", "face", "labelme", "web", "music"),
    *("adult", "relevance", "rte", "CF", "barzan", "product"),
)
"""The first twelve are the sets of the table of peers; "product" was added later."""

SPEED_SEED = 0
"""Decides on the answers of which only the time is measured."""


LABELS_PICKED = 3
RIGHT_SHARE = 0.7


@dataclass(frozen=True)
class Crowd:
    """Votes with the truth, where it is known (-1 elsewhere)."""

    name: str
    items: NDArray[np.int64]
    workers: NDArray[np.int64]
    classes: NDArray[np.int64]
    n_items: int
    n_workers: int
    n_classes: int
    gold: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write the crowd as an .npz file that `load` reads."""
        arrays = asdict(self)
        del arrays["name"]
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Crowd":
        """Read what `save` wrote; the file's name is the crowd's."""
        with np.load(path) as arrays:
            return cls(
                path.stem,
                **{name: array if array.ndim else int(array) for name, array in arrays.items()},
            )


def real_crowds(folder: Path, names: Sequence[str]) -> Iterator[Crowd]:
    """The sets of a data folder, and its job "birds"; one that is absent is left out."""
    for name in names:
        read, place = (
            (_birds, folder / "birds-job")
            if name == "birds"
            else (_from_tables, folder / "classification" / name)
        )
        if place.is_dir():
            yield read(place)
        else:
            print(f"{name} is left out: there is no {place}", file=sys.stderr)


@dataclass(frozen=True, eq=False)
class LuredCrowd:
    """A crowd that errs together on hard items, and what decided on its answers."""

    crowd: Crowd
    hard: NDArray[np.bool_]  # by item
    accuracies: NDArray[np.float64]  # by answer: how probable it was to be right

    def keep(self, n_answers: int) -> "LuredCrowd":
        """At most so many answers of each item, chosen at random."""
        kept = keep_answers(self.crowd.items, n_answers, 0)
        crowd = subsample(self.crowd, n_answers, 0)
        return LuredCrowd(crowd, self.hard, self.accuracies[kept])


def synthetic_crowds(seed: int) -> Iterator[Crowd]:
    """Crews of 60 workers on 1,000 items of 6 classes, 9 votes each, with hard items."""
    return (lured.crowd for lured in lured_crowds(seed))


def lured_crowds(seed: int) -> Iterator[LuredCrowd]:
    """The crews of `synthetic_crowds` with what is known of them."""
    rng = np.random.default_rng(seed)
    crews = {
        "equal-crew": np.full(60, 0.75),
        "unequal-crew": rng.beta(4.0, 2.0, 60),
        "spammed-crew": np.where(np.arange(60) < 24, 1 / 6, 0.85),
    }
    for name, accuracies in crews.items():
        truths = rng.integers(0, 6, 1000)
        # On a hard item most mistakes go to the same wrong class.
        hard, lure = rng.random(1000) < 0.2, rng.integers(1, 6, 1000)
        workers = np.array([rng.choice(60, 9, replace=False) for _ in range(1000)]).ravel()
        items = np.repeat(np.arange(1000), 9)
        chance = np.where(hard[items], 0.6, 1.0) * accuracies[workers]
        shift = np.where(hard[items], lure[items], rng.integers(1, 6, items.size))
        right = rng.random(items.size) < chance
        classes = np.where(right, truths[items], (truths[items] + shift) % 6)
        yield LuredCrowd(Crowd(name, items, workers, classes, 1000, 60, 6, truths), hard, chance)


def subsample(crowd: Crowd, n_votes: int, seed: int) -> Crowd:
    """Keep at most so many votes of each item, chosen at random."""
    kept = keep_answers(crowd.items, n_votes, seed)
    return replace(
        crowd,
        name=f"{crowd.name}.{n_votes}.{seed}",
        items=crowd.items[kept],
        workers=crowd.workers[kept],
        classes=crowd.classes[kept],
    )


def keep_answers(items: NDArray[np.int64], n_answers: int, seed: int) -> NDArray[np.int64]:
    """Places of at most so many answers of each item, chosen at random."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(items.size), items))
    rank = np.arange(items.size) - np.searchsorted(items[order], items[order])
    return np.sort(order[rank < n_answers])


def speed_crowd(n_votes: int, votes_per_item: int, n_classes: int, n_workers: int) -> Crowd:
    """Votes that are right in 0.7 of the cases, for measuring time and memory."""
    rng = np.random.default_rng(SPEED_SEED)
    n_items = n_votes // votes_per_item
    truths = rng.integers(0, n_classes, n_items)
    items = np.repeat(np.arange(n_items), votes_per_item)
    # A worker votes on an item once: neighbours on a circle of workers, from a random start.
    start = np.repeat(rng.integers(0, n_workers, n_items), votes_per_item)
    step = np.tile(np.arange(votes_per_item), n_items) * (n_workers // votes_per_item)
    right = rng.random(items.size) < 0.7
    classes = np.where(right, truths[items], rng.integers(0, n_classes, items.size))
    name = f"speed.{n_votes}.{n_classes}"
    workers = (start + step) % n_workers
    return Crowd(name, items, workers, classes, n_items, n_workers, n_classes, truths)


def crowd_of(sizes: Mapping[str, float]) -> Crowd:
    """Votes of one curve's case; `sizes` has answers, per_item, classes and workers."""
    names = ("answers", "per_item", "classes", "workers")
    return speed_crowd(*(int(sizes[name]) for name in names))


def picked_of(sizes: Mapping[str, float]) -> tuple[Crowd, NDArray[np.bool_]]:
    """Answers that pick labels: a few apply to each object, each is judged rightly in 0.7."""
    crowd, n_labels = crowd_of({**sizes, "classes": 2}), int(sizes["labels"])
    rng = np.random.default_rng(0)
    share = min(LABELS_PICKED / n_labels, 0.5)
    applies = rng.random((crowd.n_items, n_labels)) < share
    picked = applies[crowd.items]
    picked ^= rng.random(picked.shape) > np.where(
        picked, RIGHT_SHARE, 1 - share * (1 - RIGHT_SHARE)
    )
    return crowd, picked


def read_rows(path: Path) -> list[list[str]]:
    """Rows of a compressed table, without its head."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


def _from_tables(folder: Path) -> Crowd:
    gold = {row[0]: row[1] for row in read_rows(folder / "gold.csv.gz")}
    return _numbered(folder.name, read_rows(folder / "answers.csv.gz"), gold)


def birds_truths(folder: Path) -> dict[str, str]:
    """The true class of each image of the job."""
    entries = json.loads((folder / "true_labels.json").read_text(encoding="utf-8"))
    return {entry["ImageId"]: entry["Label"] for entry in entries}


def birds_manifest(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Image and content of every line of the job's output manifest."""
    path = folder / "manifests" / "output" / "output.manifest"
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    return [(Path(line["source-ref"]).stem, line) for line in lines]


def _birds(folder: Path) -> Crowd:
    truths, answers, gold = birds_truths(folder), [], {}
    for number, (image, _) in enumerate(birds_manifest(folder)):
        item = f"{number:04d}"
        gold[item] = truths[image]
        responses = folder / "annotations" / "worker-response"
        for path in sorted(responses.glob(f"iteration-*/{number}/*.json")):
            for answer in json.loads(path.read_text(encoding="utf-8"))["answers"]:
                label = answer["answerContent"]["crowd-image-classifier"]["label"]
                answers.append([item, answer["workerId"], label])
    return _numbered("birds", answers, gold)


def _numbered(name: str, answers: Sequence[Sequence[str]], gold: dict[str, str]) -> Crowd:
    """Number items, workers and labels by their sorted names."""
    items, workers, labels = (
        {text: number for number, text in enumerate(sorted(texts))}
        for texts in (
            {answer[0] for answer in answers},
            {answer[1] for answer in answers},
            {answer[2] for answer in answers} | set(gold.values()),
        )
    )
    columns = [
        np.array([numbers[answer[place]] for answer in answers])
        for place, numbers in enumerate((items, workers, labels))
    ]
    truths = np.array([labels[gold[item]] if item in gold else -1 for item in items])
    return Crowd(name, *columns, len(items), len(workers), len(labels), truths)
