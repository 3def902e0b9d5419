"""The page's lines on a model that counts beside the workers of synthetic crews."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.common.record import rows_of
from benchmarks.report.tables import folded, markdown_table, number, signed

NAMES = {
    "majority": "`majority` of the workers",
    "calibrated": "`calibrated`, workers alone",
    "calibrated with model": "**`calibrated` with the model** (default weight)",
    "calibrated with model, up to 1": "`calibrated` with the model, `ModelMaxWeight=1`",
    "limit": "limit, which knows the crew and the honest probabilities",
}
WORDS = {"accuracy": "accuracy", "ece": "ECE", "brier": "Brier", "auroc": "AUROC"}
OURS = "calibrated with model"
LARGE_LOSS = 0.01

type Row = Mapping[str, Any]


def model_lines(record: Row) -> list[str]:
    """Lines on our methods and cleanlab's with a model of stated accuracy."""
    rows, plan = rows_of(record["model"]), record["plan"]["model"]
    lines = [
        "### A model beside the workers: where cleanlab fits",
        "",
        "The crews above with "
        f"{plan['answers']} answers an object and {plan['classes']} classes, and a made-up model "
        "that is right as often as it says. cleanlab's CROWDLAB "
        "(`get_label_quality_multiannotator`) reads the model's probabilities; we count the "
        "model's most probable class as one more worker's answer, of a weight of at most "
        f"`ModelMaxWeight={plan['max_weight']:g}`, and do not read them. cleanlab gets them "
        "honest, and over-confident (raised to the power "
        f"{plan['over_confident']:g}), each with and without its `calibrate_probs`. ECE "
        "and Brier are those of the winner's confidence; cleanlab's is its consensus quality "
        "score, which is made to rank labels, as AUROC judges, and not to be a probability. "
        + _judged(rows),
        "",
    ]
    headings = ("method", *WORDS.values(), "accuracy - majority [95 %]", "Brier - majority [95 %]")
    for accuracy in dict.fromkeys(row["model"] for row in rows):
        here = _limit_last([row for row in rows if row["model"] == accuracy])
        lines += [f"#### The model is right in {accuracy:g} of the cases; mean over the crews", ""]
        lines += markdown_table(headings, [_row(row) for row in here])
    title = f"Each crew, the model right in {plan['main']:g}: accuracy / Brier"
    return [*lines, *folded(title, _crews(rows_of(record["model_crews"]))), *_losses(rows)]


def _judged(rows: Sequence[Row]) -> str:
    """Over which crews AUROC is a mean."""
    counts = sorted({row["auroc_crews"] for row in rows if row.get("auroc_crews") is not None})
    if not counts:
        return (
            "AUROC is each method's mean over the crews on which it errs at all: compare it with "
            "care."
        )
    said = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"AUROC is over the {said} crews on which every method errs."


def _row(row: Row) -> list[str]:
    cells = [number(row[name]) for name in WORDS]
    if row["method"] == "majority":
        return [_name(row), *cells, "-", "-"]
    differences = []
    for name in ("accuracy_gain", "brier_gain"):
        low, high = signed(row[f"{name}_low"]), signed(row[f"{name}_high"])
        differences.append(f"{signed(row[name])} [{low}, {high}]")
    return [_name(row), *cells, *differences]


def _crews(rows: Sequence[Row]) -> list[str]:
    methods = [row["method"] for row in _limit_last(rows) if row["crew"] == rows[0]["crew"]]
    found = {(row["crew"], row["method"]): row for row in rows}
    table = []
    for crew in dict.fromkeys(row["crew"] for row in rows):
        here = [found[crew, method] for method in methods]
        cells = [f"{number(row['accuracy'])} / {number(row['brier'])}" for row in here]
        table.append([crew, *cells])
    names = [NAMES.get(method, method).split(", which")[0] for method in methods]
    return markdown_table(["crew", *names], table)


def _losses(rows: Sequence[Row]) -> list[str]:
    """Models with which a variant of cleanlab, or no model, does better than our default."""
    texts = []
    for name, better in (("accuracy", max), ("ece", min), ("brier", min), ("auroc", max)):
        for accuracy in dict.fromkeys(row["model"] for row in rows):
            here = {row["method"]: row[name] for row in rows if row["model"] == accuracy}
            here.pop("limit")
            best = better(here, key=lambda method: here[method])
            if abs(here[best] - here[OURS]) > LARGE_LOSS:
                texts.append(
                    f"{WORDS[name]}, model {accuracy:g}: {number(here[OURS])} against "
                    f"{number(here[best])} ({NAMES.get(best, best)})"
                )
    said = "; ".join(texts) or "nowhere"
    return [f"Where we lose (with the default weight, by more than {LARGE_LOSS}): {said}.", ""]


def _name(row: Row) -> str:
    method = str(row["method"])
    return NAMES.get(method, method)


def _limit_last(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: bool(row["method"] == "limit"))
