"""Other packages, called for comparison; runs in an environment of theirs.

python -m benchmarks.peers crowds METHOD FOLDER CROWD.npz …  crowd-kit or LA on crowds, measured
python -m benchmarks.peers size METHOD SIZES                 crowd-kit at one size, measured
python -m benchmarks.peers labels BASE CROWD.npz TABLE.npy   crowd-kit on a multi-label crowd
python -m benchmarks.peers crowdlab WAY FOLDER JOB.npz …     cleanlab, WAY as-given or calibrated
python -m benchmarks.peers masks NAME FOLDER CROWD …         a peer of `segmentation.methods`

Each package is imported where it is used: no environment has all of them.
"""

import json
import sys
import time
import warnings
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.crowds import Crowd, crowd_of
from benchmarks.common.measure import measure_all, measure_size
from benchmarks.two_pass import aggregate_in_two_passes


class Answers:
    """A crowd as crowd-kit wants it, with the sizes to make a table of the result."""

    def __init__(self, crowd: Crowd) -> None:
        self.n_items, self.n_classes = crowd.n_items, crowd.n_classes
        self.frame = _frame(crowd.items, crowd.workers, crowd.classes)


class Found:
    """A result of crowd-kit; its table is made after the clock has stopped."""

    def __init__(self, answers: Answers, probabilities: Any) -> None:
        self.answers, self.probabilities = answers, probabilities

    def table(self) -> np.ndarray[Any, Any]:
        """Probabilities, uniform for items crowd-kit left out."""
        rows, columns = range(self.answers.n_items), range(self.answers.n_classes)
        table = self.probabilities.reindex(index=rows, columns=columns, fill_value=0.0)
        values = np.nan_to_num(table.to_numpy(dtype=float))
        values[values.sum(axis=1) == 0] = 1.0
        return values / values.sum(axis=1, keepdims=True)


MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "ck-majority": ("MajorityVote", {}),
    "ck-wawa": ("Wawa", {}),
    "ck-dawid-skene": ("DawidSkene", {"n_iter": 100}),
    "ck-one-coin": ("OneCoinDawidSkene", {"n_iter": 100}),
    "ck-glad": ("GLAD", {"silent": True}),
    "ck-mace": ("MACE", {"random_state": 0}),
    "ck-dawid-skene-20-rounds": ("DawidSkene", {"n_iter": 20, "tol": 0.0}),
}
"""Methods of crowd-kit: class and options."""


LA = "la-two-pass"


def _frame(items: Any, workers: Any, labels: Any) -> Any:
    columns = {"task": items, "worker": workers, "label": labels}
    return import_module("pandas").DataFrame(columns).drop_duplicates(["task", "worker"])


def _model(method: str) -> Any:
    name, options = MODELS[method]
    return getattr(import_module("crowdkit.aggregation"), name)(**options)


def _run(method: str, answers: Answers) -> Found:
    return Found(answers, _model(method).fit_predict_proba(answers.frame))


def run_crowds(*arguments: str) -> None:
    """Measure a method on some crowds."""
    if arguments[0] == LA:
        found = {LA: aggregate_in_two_passes}
        measure_all(["", *arguments], prepare=lambda crowd: crowd, methods=found, table=np.asarray)
        return
    import_module("crowdkit.aggregation")  # its import is no part of the run
    methods = {method: partial(_run, method) for method in MODELS}
    measure_all(["", *arguments], prepare=Answers, methods=methods, table=Found.table)


def run_at_size(method: str, text: str) -> None:
    """Measure a method at one size, and print JSON."""
    sizes = json.loads(text)
    small = {name: min(size, 100) for name, size in sizes.items()}
    _run(method, Answers(crowd_of(small)))  # what is set up on first use is no part of the run
    print(json.dumps(measure_size(lambda: Answers(crowd_of(sizes)), partial(_run, method))))


def aggregate_labels(base: str, source: str, target: str) -> None:
    """Aggregate each label as BinaryRelevance does, but keep the probabilities; print seconds."""
    with np.load(source) as arrays:
        items, workers, picked = arrays["items"], arrays["workers"], arrays["picked"]
        table = np.zeros(arrays["gold"].shape)
    import_module("crowdkit.aggregation")
    start = time.process_time()
    for label in range(picked.shape[1]):
        frame = _frame(items, workers, picked[:, label].astype(int))
        found = _model(f"ck-{base}").fit_predict_proba(frame)
        if 1 in found.columns:
            table[found.index, label] = found[1].fillna(0.0)
    print(time.process_time() - start)
    np.save(target, table)


def run_crowdlab(way: str, folder: str, *paths: str) -> None:
    """Write FOLDER/<job>.<way>.npz with class and quality score; print cleanlab's version."""
    rate = import_module("cleanlab.multiannotator").get_label_quality_multiannotator
    for path in map(Path, paths):
        with np.load(path) as arrays:
            given = np.full(arrays["shape"], np.nan)
            given[arrays["items"], arrays["workers"]] = arrays["classes"]
            probabilities = arrays["probabilities"]
        found = rate(
            given,
            probabilities,
            calibrate_probs=way == "calibrated",
            return_detailed_quality=False,
            return_annotator_stats=False,
            verbose=False,
        )["label_quality"]
        np.savez(
            Path(folder) / f"{path.stem}.{way}.npz",
            classes=found["consensus_label"].to_numpy(dtype=np.int64),
            confidences=found["consensus_quality_score"].to_numpy(dtype=np.float64),
        )
    print(version("cleanlab"))


def fuse_masks(name: str, folder: str, *crowds: str) -> None:
    """Run one peer with its default settings on the class maps of FOLDER/CROWD.npz.

    That has an array of shape (workers, rows, columns) for each picture, and `n_classes`. The
    masks go to FOLDER/CROWD.out.npz; a line of JSON says how many CPU seconds they took.
    """
    methods = import_module("benchmarks.segmentation.methods")
    call = {**methods.VOTES, **methods.MODELS}[name]
    call([np.eye(8, dtype=np.uint8)] * 3, 2)  # imports on first use are no part of the time
    for crowd in crowds:
        with np.load(Path(folder) / f"{crowd}.npz") as stored:
            n_classes = int(stored["n_classes"])
            pictures = [stored[f"p{index}"] for index in range(len(stored.files) - 1)]
        started = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # divisions by empty masks
            results = [call(list(maps), n_classes) for maps in pictures]
        seconds = time.process_time() - started
        found = {f"p{index}": np.asarray(one, np.uint8) for index, one in enumerate(results)}
        np.savez(Path(folder) / f"{crowd}.out.npz", **found)
        print(json.dumps({"crowd": crowd, "cpu_seconds": round(seconds, 2)}), flush=True)


COMMANDS = {
    "crowds": run_crowds,
    "size": run_at_size,
    "labels": aggregate_labels,
    "crowdlab": run_crowdlab,
    "masks": fuse_masks,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
