"""Quality of multi-label consolidation beside crowd-kit's BinaryRelevance.

    python -m benchmarks.classification.multi_label --data FOLDER

Needs the library on the path (an installed checkout).
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.crowds import keep_answers, read_rows
from benchmarks.common.record import (
    data_option,
    output_option,
    run_module,
    run_record,
    write_result,
)
from benchmarks.common.record import table as rows_table
from benchmarks.common.scores import (
    N_BINS,
    SMALLEST_PROBABILITY,
    equal_width_gap,
    item_counts,
    paired_intervals,
    spread,
)
from groundtruth.aggregation.multilabel.calibrated import calibrated_labels
from groundtruth.aggregation.multilabel.majority import share_labels
from groundtruth.aggregation.multilabel.selections import Selections, choose_labels

SETS = ("ml_affect20", "ml_medrel", "ml_chexpert")
JUDGES: Mapping[str, frozenset[str]] = {
    "ml_chexpert": frozenset({"bc1", "bc2", "bc3", "bc5", "bc7"}),
}
"""Raters whose majority is a set's truth: their answers are left out."""
MEASURES = ("macro_f1", "micro_f1", "jaccard", "subset_accuracy", "log_loss", "brier", "ece")
LOSSES = ("jaccard", "brier", "log_loss")
SIZES = (3, 5, "all")

Table: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


def load(folder: Path) -> tuple[Selections, NDArray[np.int64]]:
    """A set's answers, and its truths as (n_items, n_labels) of 1, 0 and -1 for unknown."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    labels, judged = meta["labels"], set(meta["gold_labels"])
    judges = JUDGES.get(meta["name"], frozenset())
    answers = [row for row in read_rows(folder / "answers.csv.gz") if row[1] not in judges]
    truths = {row[0]: set(row[1].split("|")) for row in read_rows(folder / "gold.csv.gz")}
    items = {name: n for n, name in enumerate(sorted({answer[0] for answer in answers}))}
    workers = {name: n for n, name in enumerate(sorted({answer[1] for answer in answers}))}
    gold = np.full((len(items), len(labels)), -1)
    for item, place in items.items():
        for column, label in enumerate(labels):
            if item in truths and label in judged:
                gold[place, column] = label in truths[item]
    picked = [[label in answer[2].split("|") for label in labels] for answer in answers]
    numbers = [
        np.array([ids[answer[n]] for answer in answers]) for n, ids in enumerate((items, workers))
    ]
    return Selections(numbers[0], numbers[1], np.array(picked), len(items), len(workers)), gold


def scores(posterior: Table, gold: NDArray[np.int64]) -> dict[str, float]:
    """All measures on the items and labels with a truth; the quorum is 0.5."""
    table, chosen, truth = _judged(posterior, gold)
    hits, sizes = (chosen & truth).sum(axis=0), chosen.sum(axis=0) + truth.sum(axis=0)
    jaccard, brier, log_loss = item_losses(posterior, gold).mean(axis=0).tolist()
    return {
        "macro_f1": float((2 * hits / np.maximum(sizes, 1)).mean()),
        "micro_f1": float(2 * hits.sum() / sizes.sum()),
        "jaccard": jaccard,
        "subset_accuracy": float((chosen == truth).all(axis=1).mean()),
        "log_loss": log_loss,
        "brier": brier,
        "ece": equal_width_gap(table.ravel(), truth.ravel()),
    }


def item_losses(posterior: Table, gold: NDArray[np.int64]) -> Table:
    """Jaccard index, Brier score and log loss of each judged item: shape (n_items, 3)."""
    table, chosen, truth = _judged(posterior, gold)
    both, either = (chosen & truth).sum(axis=1), (chosen | truth).sum(axis=1)
    jaccard = np.where(either == 0, 1.0, both / np.maximum(either, 1))
    brier = ((table - truth) ** 2).mean(axis=1)
    missed = np.clip(np.where(truth, table, 1 - table), SMALLEST_PROBABILITY, 1.0)
    return np.column_stack((jaccard, brier, -np.log(missed).mean(axis=1)))


def ece_draws(posterior: Table, gold: NDArray[np.int64]) -> Table:
    """ECE of the judged items, all of them first, then of items drawn again: shape (1 + draws,)."""
    table, _, truth = _judged(posterior, gold)
    gaps = np.zeros((len(table), N_BINS))
    for confidences, applies in zip(table.T, truth.T, strict=True):
        bins = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
        gaps[np.arange(len(table)), bins] += confidences - applies
    counts = item_counts(len(table), 0)
    return np.asarray(np.abs(counts @ gaps).sum(axis=1) / table.size)


def _judged(posterior: Table, gold: NDArray[np.int64]) -> tuple[Table, Flags, Flags]:
    """Posterior, chosen and true labels of the items and labels with a truth."""
    chosen = choose_labels(posterior, at_least_one=False).chosen
    known = np.ix_((gold >= 0).any(axis=1), (gold >= 0).any(axis=0))
    return posterior[known], chosen[known], gold[known] == 1


def _tables(given: Selections, gold: NDArray[np.int64], folder: Path) -> dict[str, Any]:
    start = time.process_time()
    found = {"multi-label": (calibrated_labels(given).posterior, time.process_time() - start)}
    start = time.process_time()
    found["majority"] = (share_labels(given), time.process_time() - start)
    source, target = folder / "crowd.npz", folder / "table.npy"
    np.savez(source, items=given.items, workers=given.workers, picked=given.picked, gold=gold)
    for base in ("majority", "dawid-skene"):
        said = run_module("peers", "labels", base, source, target)
        found[f"ck-{base}"] = (np.load(target), float(said.split()[-1]))
    return found


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the real sets")
    output_option(parser, "multi-label")
    options = parser.parse_args()
    if not all((options.data / "classification" / name).is_dir() for name in SETS):
        print(f"left out: {options.data} has not got {' and '.join(SETS)}", file=sys.stderr)
        return
    rows, differences = [], []
    with tempfile.TemporaryDirectory() as name:
        for dataset in SETS:
            given, gold = load(options.data / "classification" / dataset)
            most = int(given.answers_per_item.max())
            for size in (size for size in SIZES if size == "all" or size < most):
                kept = slice(None) if size == "all" else keep_answers(given.items, size, 0)
                parts = (given.items[kept], given.workers[kept], given.picked[kept])
                sample = Selections(*parts, given.n_items, given.n_workers)
                where = {"set": dataset, "answers": size}
                found = _tables(sample, gold, Path(name))
                for method, (table_found, seconds) in found.items():
                    measured = where | {"method": method} | scores(table_found, gold)
                    rows.append(measured | {"cpu_seconds": seconds})
                tables = {method: table_found for method, (table_found, _) in found.items()}
                differences += [where | line for line in _differences(tables, gold)]
                print(f"{dataset} {where['answers']} done", file=sys.stderr, flush=True)
    given_options = {"data": data_option(options.data)}
    names = [f"{loss}{end}" for loss in (*LOSSES, "ece") for end in ("", "_low", "_high")]
    result = {
        "run": run_record("benchmarks.classification.multi_label", given_options, seed=0),
        "scores": rows_table(rows, ("set", "answers", "method", *MEASURES, "cpu_seconds")),
        "differences": rows_table(differences, ("set", "answers", "method", *names)),
    }
    write_result(options.output, result)


def _differences(tables: Mapping[str, Table], gold: NDArray[np.int64]) -> Iterable[dict[str, Any]]:
    """Each method's difference to per-label majority, with an interval over items."""
    base, base_draws = item_losses(tables["majority"], gold), ece_draws(tables["majority"], gold)
    for method, posterior in tables.items():
        if method != "majority":
            gains = paired_intervals(LOSSES, [item_losses(posterior, gold) - base])
            gains |= spread("ece", ece_draws(posterior, gold) - base_draws, centred=True)
            yield {"method": method} | gains


if __name__ == "__main__":
    main()
