"""Small frames of answers, and frames of any library as plain values."""

import random

import pandas as pd
import polars as pl
import pyarrow as pa

COLUMNS = ["task", "worker", "label"]
VOTES = {
    "t1": {"ann": "cat", "bob": "dog", "di": "dog", "eve": "cat"},
    "t2": {"ann": "dog", "bob": "dog", "cy": "dog", "di": "cat", "eve": "cat"},
    "t3": {"ann": "dog", "bob": "cat", "cy": "cat", "di": "dog", "eve": "cat"},
    "t4": {"ann": "dog", "bob": "dog", "cy": "dog", "di": "dog", "eve": "dog"},
    "t5": {"ann": "dog", "bob": "cat", "cy": "cat", "di": "cat", "eve": "cat"},
}
"""On t1 workers are divided; bob and cy agree with the others most often, and say dog there."""

SETS = [
    ("p1", "ann", ["house", "tree"]),
    ("p1", "bob", ["house"]),
    ("p1", "cy", ["tree", "house", "grass"]),
    ("p2", "ann", ["car"]),
    ("p2", "bob", ["car", "human"]),
    ("p2", "cy", ["train"]),
    ("p3", "cy", ["tree", "car"]),
]


def make_votes() -> pd.DataFrame:
    """The votes as a frame of pandas."""
    rows = [(task, worker, said) for task, own in VOTES.items() for worker, said in own.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def make_sets() -> pd.DataFrame:
    """The answers of several labels as a frame of pandas."""
    return pd.DataFrame(SETS, columns=COLUMNS)


def make_crowd(n_tasks: int = 120, classes: tuple[str, ...] = ("eel", "cat", "dog")):
    """Answers of workers of all kinds, one to four a task, and the truth by task."""
    rng = random.Random(18)
    skills = {f"w{number:02}": rng.uniform(0.4, 0.95) for number in range(12)}
    truth = {str(number): rng.choice(classes) for number in range(n_tasks)}
    rows = [
        (task, worker, label if rng.random() < skills[worker] else rng.choice(classes))
        for task, label in truth.items()
        for worker in rng.sample(sorted(skills), rng.randint(1, 4))
    ]
    return pd.DataFrame(rows, columns=COLUMNS), truth


CONVERT = {
    "polars": lambda frame: pl.DataFrame(frame.to_dict("list")),
    "arrow": lambda frame: pa.table(frame.to_dict("list")),
}


def plain(values):
    """What a Series or a table holds by its ids, whatever library it is of."""
    if isinstance(values, pd.Series):
        return values.to_dict()
    if isinstance(values, pd.DataFrame):
        return {key: tuple(row) for key, row in zip(values.index, values.to_numpy(), strict=True)}
    columns = (
        values.to_pydict() if isinstance(values, pa.Table) else values.to_dict(as_series=False)
    )
    ids, *others = columns.values()
    if len(others) == 1:
        return dict(zip(ids, others[0], strict=True))
    return dict(zip(ids, zip(*others, strict=True), strict=True))
