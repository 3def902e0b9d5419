"""What the page says before any figure: how it is made, and what its measures are."""

from collections.abc import Mapping
from typing import Any

from benchmarks.common.scores import N_BINS, SMALLEST_PROBABILITY

MADE = (
    "# Benchmarks",
    "",
    "This page is made by `python -m benchmarks.report` from the results in "
    "[docs/benchmarks](benchmarks). No figure on it is typed, but for one paragraph on how the "
    "defaults were chosen: it says so.",
    "Each section with figures says which command makes them, what is not shown, and where we "
    "lose.",
    "FOLDER in a command is a folder with the public data sets, which are not part of this "
    "project.",
    "",
    "Quality is exact: a second run gives the same figures, but for peers that were cut off after "
    "some CPU seconds; `python -m benchmarks.compare OLD_FOLDER NEW_FOLDER` checks it on two "
    "folders of results.",
    "Times are CPU times on one thread of a shared machine: only ratios within one run mean "
    "something elsewhere.",
    "Every method is timed in a process of its own, peers and ours in the same run. crowd-kit and "
    "cleanlab share an environment, ours runs in the project's; the peers for masks have another, "
    "and there ours is timed in it, too, so that all have the same libraries.",
    "AWS's own code is not measured, only its published results and our copy of its rule "
    "(`builtin`).",
    "",
)
GLOSSARY = (
    "The measures, and what they are of:",
    "",
    "- *AUROC*: the probability that a right label has more confidence than a wrong one; ties "
    "count half, 0.5 is a coin. Higher is better. It is of the winner's confidence.",
    f"- *ECE*: the mean distance of confidence and accuracy over {N_BINS} bins of confidence. "
    "Lower is better. It is of the winner's confidence; of several labels an object, of each "
    "label's probability of yes in real sets, and of the likelier of yes and no in synthetic "
    "crews.",
    "- *Brier*: the squared distance of probabilities and truth. Lower is better. It is summed "
    "over all classes, from 0 to 2, but for three parts: of the winner's confidence alone in the "
    "real job and with a model beside the workers, and of each label's yes alone in real sets of "
    "several labels, from 0 to 1. In synthetic crews both sides of each label count.",
    "- *Log loss*: minus the logarithm of the probability of what is true, which is taken as "
    f"{SMALLEST_PROBABILITY:g} at least. Lower is better.",
    "",
)


def opening(records: Mapping[str, Any]) -> list[str]:
    """The page's first lines; the measures only where there are results.

    Parameters
    ----------
    records : mapping
        The results by the names of their files.
    """
    return [*MADE, *(GLOSSARY if records else ())]
