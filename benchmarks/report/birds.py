"""The page's headline: AWS's own confidence beside ours on a job that AWS ran."""

from collections.abc import Mapping
from typing import Any

from benchmarks.classification.birds import AWS, DRAWS
from benchmarks.common.record import rows_of
from benchmarks.report.plots import FEWEST_IMAGES
from benchmarks.report.tables import interval, made_by, markdown_table, name_of

NAMES = {
    AWS: "**AWS's function**, labels and confidences of its manifest",
    "builtin, in AWS's calls": "`builtin` call by call, its posterior before rounding",
    "fresh, in AWS's calls": "`calibrated` call by call, nothing kept",
    "kept, in AWS's calls": "**`calibrated`** call by call, worker skill kept",
    "calibrated": "**`calibrated`**, the whole job at once",
}
MEASURES = ("accuracy", "auroc", "ece", "brier")
WORDS = {"auroc": "AUROC", "ece": "ECE", "brier": "Brier", "accuracy": "accuracy"}


def birds_section(record: Mapping[str, Any]) -> list[str]:
    """The section's lines."""
    rows = {row["method"]: row for row in rows_of(record["scores"])}
    headings = ("method", *(f"{WORDS[name]} [95 %]" for name in MEASURES))
    table = [
        [NAMES.get(method, name_of(method)), *(interval(row, name) for name in MEASURES)]
        for method, row in rows.items()
    ]
    return [
        "## The confidence of a real job",
        "",
        *_headline(record, rows),
        "",
        "![Accuracy against confidence on the birds job](benchmarks/birds.svg)",
        "",
        *markdown_table(headings, table),
        "ECE and Brier are of the winner's confidence, lower is better; AUROC is the probability "
        "that a right label has more confidence than a wrong one, ties count half.",
        f"Intervals: images drawn again {DRAWS:,} times. In the plot, dots of fewer than "
        f"{FEWEST_IMAGES} images are drawn together with the next.",
        "",
        "What is compared: every method gets the same answers. "
        "The peers get the whole job at once, AWS got its calls.",
        "",
        "What is *not* shown: this is one job of one kind. "
        f"Only {round((1 - rows[AWS]['accuracy']) * record['items'])} of AWS's labels are wrong, "
        "so the intervals are wide. "
        "It was among the sets the defaults of `calibrated` were chosen on: it is in-sample.",
        "",
        _losses(rows),
        "",
        *made_by(record["run"]),
    ]


def _headline(record: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    ours, aws, calls = rows["calibrated"], rows[AWS], record["calls"]
    kept = rows["kept, in AWS's calls"]
    return [
        f"A public Ground Truth job of {record['items']} images (see Data, below); "
        f"AWS's own function labeled it in {len(calls)} calls of {min(calls)} to {max(calls)} "
        "images.",
        f"AWS's confidence tells right from wrong labels with AUROC {aws['auroc']:.2f}, where "
        f"0.5 is a coin; `calibrated` with {ours['auroc']:.2f} on the same answers "
        f"(difference {interval(ours, 'auroc_gain', sign=True)}), and with {kept['auroc']:.2f} "
        "in AWS's own calls.",
        f"Accuracy: {aws['accuracy']:.3f} and {ours['accuracy']:.3f}; differences of an image "
        f"or two of {record['items']} say nothing.",
    ]


def _losses(rows: Mapping[str, Mapping[str, Any]]) -> str:
    ours, kept, fresh, rule = (
        rows[name]
        for name in (
            "calibrated",
            "kept, in AWS's calls",
            "fresh, in AWS's calls",
            "builtin, in AWS's calls",
        )
    )
    return (
        f"Where we lose: call by call AUROC is {fresh['auroc']:.2f} with nothing kept and "
        f"{kept['auroc']:.2f} with kept skill, against {ours['auroc']:.2f} for the whole job. "
        f"AWS's rule itself ranks its labels with AUROC {rule['auroc']:.2f} in the same calls and "
        f"{rows['builtin']['auroc']:.2f} on the whole job before its result is squeezed and "
        f"rounded; but with ECE {rule['ece']:.3f}, against "
        f"{kept['ece']:.3f} for `calibrated` in these calls."
    )
