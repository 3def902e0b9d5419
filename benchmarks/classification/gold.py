"""What 50 objects of known truth do for the confidence of `calibrated` on real sets.

    python -m benchmarks.classification.gold --data FOLDER

FOLDER holds `classification/`. In each draw 50 objects of a set are gold: a confidence map is
fitted on them as `labeljob calibrate` does, or workers are judged by them, or class frequencies
come from them besides, or all of it. Only the other objects are scored.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.classification.methods import votes_of
from benchmarks.common.crowds import SETS, Crowd, real_crowds, subsample
from benchmarks.common.record import data_option, output_option, run_record, table, write_result
from benchmarks.common.scores import (
    SMALLEST_PROBABILITY,
    equal_mass_gap,
    equal_width_gap,
    spread,
)
from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.calibration_maps import fit_logistic
from groundtruth.aggregation.classification.votes import Votes

GOLD = 50
"""Objects of known truth."""
FEWER = 30
"""So many of them are tried alone, too."""
FEWEST = 150
"""Objects with a truth that a set needs to take part."""
DRAWS = 10
"""How often the gold objects of a set are drawn."""
ANSWERS = ("all", 3, 5)
PLAIN = "plain"
VARIANTS = (PLAIN, "map", "workers", "fewer", "gold", "gold and map")
GAIN = ("gain", "gain_low", "gain_high")
"""Accuracy above that without gold, and the middle 95 % of the draws."""
LEFT_OUT = ("left_out_least", "set_left_out_least", "left_out_most", "set_left_out_most")
"""Smallest and largest mean gain when one set is left out, and without which set."""
JUDGED_ALONE = CalibratedSettings(frequencies_from_gold=False)
MEASURES = ("ece", "ece_equal_mass", "brier", "log_loss")
SEED = 0
SET_DRAWS = 2000
"""How often the intervals draw sets again."""

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]


def main() -> None:
    """Score all variants on the sets that are there and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the real sets")
    output_option(parser, "classification-gold")
    options = parser.parse_args()
    found = gold_figures(real_crowds(options.data, SETS))
    if not found["sets"]:
        print(f"left out: {options.data} has no set with {FEWEST} truths", file=sys.stderr)
        return
    given = {"data": data_option(options.data)}
    run = run_record("benchmarks.classification.gold", given, seed=SEED)
    write_result(options.output, {"run": run} | found)


def gold_figures(crowds: Iterable[Crowd], *, draws: int = DRAWS) -> dict[str, Any]:
    """Figures of each set, means over the draws, and means over the sets."""
    rows: list[dict[str, Any]] = []
    for crowd in crowds:
        if np.count_nonzero(crowd.gold >= 0) < FEWEST:
            continue
        for answers in ANSWERS:
            sample = crowd if answers == "all" else subsample(crowd, int(answers), SEED)
            where = {"set": crowd.name, "answers": answers}
            rows += [where | line for line in _of_set(sample, draws)]
        print(f"{crowd.name} done", file=sys.stderr, flush=True)
    ends = ("", "_low", "_high", "_change", "_change_low", "_change_high")
    means = [line for answers in ANSWERS for line in _means(rows, answers)]
    columns = (
        "answers",
        "variant",
        "accuracy",
        *GAIN,
        *LEFT_OUT,
        *(f"{m}{end}" for m in MEASURES for end in ends),
    )
    return {
        "gold_objects": GOLD,
        "gold_draws": draws,
        "sets": list(dict.fromkeys(row["set"] for row in rows)),
        "scores": table(
            rows,
            ("set", "answers", "variant", "scored", "rarest", "accuracy", *GAIN, *MEASURES),
        ),
        "means": table(means, columns),
    }


def _of_set(crowd: Crowd, draws: int) -> Iterator[dict[str, Any]]:
    """A line for each variant: means over the draws, and how often the rarest class is chosen."""
    known = np.flatnonzero(crowd.gold >= 0)
    votes = votes_of(crowd)
    rarest = float(np.bincount(votes.classes, minlength=votes.n_classes).min() / votes.n_votes)
    plain = calibrated(votes).posterior.dense()
    found: dict[str, list[Floats]] = {variant: [] for variant in VARIANTS}
    for draw in range(draws):
        chosen = np.random.default_rng((SEED, draw)).choice(known, GOLD, replace=False)
        rest = np.setdiff1d(known, chosen)
        for names, posterior in (
            ((PLAIN, "map"), plain),
            (("workers",), _with_gold(crowd, votes, chosen, JUDGED_ALONE)),
            (("fewer",), _with_gold(crowd, votes, chosen[:FEWER])),
            (("gold", "gold and map"), _with_gold(crowd, votes, chosen)),
        ):
            figures = with_and_without_map(posterior, crowd.gold, chosen, rest)
            for name, row in zip(names, figures, strict=False):
                found[name].append(row)
    accuracies = np.array([row[0] for row in found[PLAIN]])
    for name, rows in found.items():
        means = np.mean(rows, axis=0).tolist()
        gains = np.array([row[0] for row in rows]) - accuracies
        gain = (float(gains.mean()), *np.quantile(gains, (0.025, 0.975)).tolist())
        line = {"variant": name, "scored": int(known.size - GOLD), "rarest": rarest}
        line |= dict(zip(("accuracy", *MEASURES), means, strict=True))
        yield line | dict(zip(GAIN, gain, strict=True))


def _with_gold(
    crowd: Crowd, votes: Votes, chosen: Ints, settings: CalibratedSettings | None = None
) -> Floats:
    """The posterior where the truth of the chosen items is known."""
    gold = np.full(crowd.n_items, -1)
    gold[chosen] = crowd.gold[chosen]
    return calibrated(votes, gold=gold, settings=settings).posterior.dense()


def with_and_without_map(
    posterior: Floats, truths: Ints, chosen: Ints, rest: Ints
) -> tuple[Floats, Floats]:
    """Accuracy and measures of the winners' confidences, as they are and with a map."""
    confidences, right = posterior.max(axis=1), posterior.argmax(axis=1) == truths
    found = fit_logistic(confidences[chosen], right[chosen])
    scored = confidences[rest]
    return figures_of(scored, right[rest]), figures_of(found.apply(scored), right[rest])


def figures_of(confidences: Floats, right: Flags) -> Floats:
    """Accuracy, both calibration errors, Brier score and log loss of winners' confidences."""
    given = np.where(right, confidences, 1.0 - confidences)
    return np.array(
        [
            right.mean(),
            equal_width_gap(confidences, right),
            equal_mass_gap(confidences, right),
            ((confidences - right) ** 2).mean(),
            -np.log(np.clip(given, SMALLEST_PROBABILITY, 1.0)).mean(),
        ]
    )


def _means(rows: Sequence[Mapping[str, Any]], answers: int | str) -> Iterator[dict[str, Any]]:
    """Mean over the sets, and how much of the plain one is gone; sets are drawn again."""
    here = [row for row in rows if row["answers"] == answers]
    if not here:
        return
    names = ("accuracy", *MEASURES)
    own = {
        variant: np.array([[row[m] for m in names] for row in here if row["variant"] == variant])
        for variant in VARIANTS
    }
    n_sets = len(own[PLAIN])
    again = np.random.default_rng(SEED).integers(0, n_sets, (SET_DRAWS, n_sets))
    places = np.vstack((np.arange(n_sets), again))
    base = own[PLAIN][places].mean(axis=1)
    for variant in VARIANTS:
        drawn = own[variant][places].mean(axis=1)
        line = {"answers": answers, "variant": variant, "accuracy": float(drawn[0, 0])}
        line |= spread("gain", drawn[:, 0] - base[:, 0])
        line |= _leave_sets_out(here, own[variant][:, 0] - own[PLAIN][:, 0])
        for place, measure in enumerate(MEASURES, start=1):
            line |= spread(measure, drawn[:, place])
            line |= spread(f"{measure}_change", drawn[:, place] / base[:, place] - 1.0)
        yield line


def _leave_sets_out(here: Sequence[Mapping[str, Any]], gains: Floats) -> dict[str, Any]:
    """What the mean gain is at least and at most when one set is left out; None of one set."""
    if gains.size < 2:
        return dict.fromkeys(LEFT_OUT)
    names = list(dict.fromkeys(row["set"] for row in here))
    without = (gains.sum() - gains) / (gains.size - 1)
    least, most = int(without.argmin()), int(without.argmax())
    values = (float(without[least]), names[least], float(without[most]), names[most])
    return dict(zip(LEFT_OUT, values, strict=True))


if __name__ == "__main__":
    main()
