"""The page's section on how time and memory grow."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.common.record import rows_of
from benchmarks.report.tables import folded, made_by, markdown_table, name_of, number
from benchmarks.scaling.curves import LARGEST, LEAST_MIB, PAIRS
from benchmarks.scaling.synthesis import PER_OBJECT, WORKERS
from benchmarks.segmentation.inputs import Size
from groundtruth.aggregation.classification.posterior import MOST_LISTED_CLASSES

NAMES = {"label-shares": "`majority` of each label", "multi-label": "`calibrated`"}
TITLES = {
    "answers": "One label an object: answers",
    "workers": "One label an object: workers",
    "classes": "One label an object: classes",
    "labels": "Several labels an object: labels",
    "pixels, whole object": "Masks: pixels, whole object",
    "pixels, fusion": "Masks: pixels, fusion",
    "workers of masks, whole object": "Masks: workers, whole object",
    "workers of masks, fusion": "Masks: workers, fusion",
    "classes of masks, whole object": "Masks: classes, whole object",
    "classes of masks, fusion": "Masks: classes, fusion",
}
SIZES = {
    "per_item": "answers an object",
    "megapixels": "megapixels",
}
OPENING = (
    "One size varies, the others stay as the title says. CPU time of the best repetition on one "
    "thread, inputs in memory; each case in a process of its own. MiB are those that the inputs "
    "and the run need at their peak, above the process with its imports. An exponent is the power "
    "of the size that time or memory grows with: 1 is in proportion, 0 not at all. It is fitted "
    "by least squares in the logarithms, over the sizes stated and with its 95 % interval; memory "
    f"below {LEAST_MIB:g} MiB takes no part."
)
NOTES = (
    "Methods that run until they have settled need different numbers of rounds at different "
    "sizes; the exponent of a round's time is free of that. Up to "
    f"{MOST_LISTED_CLASSES} classes our methods hold a table of objects and classes, above that "
    "the classes that were chosen, and `dawid-skene` and `calibrated` then learn one accuracy of "
    "each worker, not a matrix: so there are two fits. `majority` gives back a whole table at any "
    f"size. Pictures are square, with the same {Size.n_objects} objects at any size; the whole "
    "object is base64 in to PNG out, fusion goes from class maps in memory to such a map."
)
NOT_SHOWN = (
    "What is *not* shown: reading JSON and S3; several threads; masks of noise, whose runs are as "
    "many as their pixels; peers beyond the sizes that have a figure, and on the other curves."
)

SMALL = 0.05
"""Above 1, what an exponent may be whose interval holds 1 and is not told."""

type Row = Mapping[str, Any]


def scaling_section(record: Row) -> list[str]:
    """The section's lines.

    Parameters
    ----------
    record : mapping
        What `benchmarks.scaling` wrote.
    """
    rows, powers = rows_of(record["times"]), rows_of(record["exponents"])
    lines = ["## How time and memory grow", "", "![Time and memory against size]"]
    lines[-1] += "(benchmarks/scaling.svg)"
    lines += ["", OPENING, "", NOTES, ""]
    for curve in record["curves"]:
        own = [row for row in rows if row["curve"] == curve["curve"]]
        grown = [power for power in powers if power["curve"] == curve["curve"]]
        title = TITLES[curve["curve"]]
        lines += [f"### {_title(curve)}", "", *_table(own, curve["varied"])]
        lines += _exponents(grown, title)
    return [
        *lines,
        *_synthesis(rows_of(record["synthesis"])),
        NOT_SHOWN,
        "",
        f"Where we lose: {_losses(rows, powers)}",
        "",
        *made_by(record["run"]),
    ]


def shown(method: str) -> str:
    """A method as this section calls it."""
    return NAMES.get(method) or name_of(method).split(" (")[0].strip("*")


def _title(curve: Row) -> str:
    fixed = ", ".join(
        f"{value:,g} {SIZES.get(name, name)}" for name, value in curve["fixed"].items()
    )
    return f"{TITLES[curve['curve']]} ({fixed})"


def _table(rows: Sequence[Row], varied: str) -> list[str]:
    """CPU milliseconds and MiB by size and method, and the ratios to peers."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    found = {(row["size"], row["method"]): row for row in rows}
    pairs = PAIRS.get(rows[0]["curve"], ())
    table = []
    for size in dict.fromkeys(row["size"] for row in rows):
        cells = [_cell(found.get((size, method))) for method in methods]
        times = [[found.get((size, method)) for method in pair] for pair in pairs]
        table.append([_size(size), *cells, *(_ratio(*two) for two in times)])
    headings = (varied, *(f"{shown(method)}: ms / MiB" for method in methods))
    compared = (f"time of {shown(peer)} / {shown(own)}" for peer, own in pairs)
    return markdown_table((*headings, *compared), table)


def _cell(row: Row | None) -> str:
    if row is None:
        return "-"
    milliseconds = 1000 * row["cpu_seconds"]
    needed = row["inputs_mib"] + row["run_mib"]
    digits = 0 if milliseconds >= 100 else 1 if milliseconds >= 10 else 2
    return f"{milliseconds:,.{digits}f} / {needed:,.{0 if needed >= 10 else 1}f}"


def _ratio(peer: Row | None, own: Row | None) -> str:
    return f"{peer['cpu_seconds'] / own['cpu_seconds']:.1f}" if peer and own else "-"


def _size(size: float) -> str:
    return f"{size:,}" if isinstance(size, int) else f"{size:,g}"


def _exponents(powers: Sequence[Row], title: str) -> list[str]:
    table = [
        [
            shown(power["method"]),
            power["measure"],
            f"{_size(power['first'])} to {_size(power['last'])}",
            _power(power),
            number(power["r2"]),
        ]
        for power in powers
    ]
    headings = ("method", "what grows", "from, to", "exponent [95 %]", "R²")
    return folded(f"Exponents: {title}", markdown_table(headings, table)) if table else []


def _power(power: Row) -> str:
    exponent, low, high = (
        f"{power[name]:.2f}".replace("-0.00", "0.00") for name in ("exponent", "low", "high")
    )
    return f"{exponent} [{low}, {high}]"


def _synthesis(rows: Sequence[Row]) -> list[str]:
    """Rate and memory of `labeljob synthesize`."""
    if not rows:
        return []
    table = [
        [
            f"{row['answers']:,}",
            "yes" if row["tree"] else "no",
            f"{row['cpu_seconds']:,.1f}",
            f"{row['answers'] / row['cpu_seconds']:,.0f}",
            number(row["peak_mib"], 0),
            f"{row['written_mib']:,.0f}",
            row["date"],
        ]
        for row in rows
    ]
    headings = ("answers", "a file for each object", "CPU s", "answers per CPU second")
    return [
        "### Synthetic answers: `labeljob synthesize`",
        "",
        f"One label an object, {PER_OBJECT} answers an object, {WORKERS} workers, written to a "
        "local disk. "
        f"MiB are the peak of the whole process. {LARGEST:,} answers are written with `--largest` "
        "alone; later runs keep that row.",
        "",
        *markdown_table((*headings, "peak MiB", "MiB written", "measured"), table),
    ]


def _losses(rows: Sequence[Row], powers: Sequence[Row]) -> str:
    """Cases in which a peer is faster or needs less memory, and what outgrows its input."""
    own = [p for p in powers if p["exponent"] > 1.0 and not _is_peer(p["method"])]
    sure = [_grown(power) for power in own if power["low"] > 1.0]
    unsure = [_grown(power) for power in own if power["low"] <= 1.0 < power["exponent"] - SMALL]
    texts = [*_behind(rows)]
    said = "; ".join(texts) + "." if texts else "in no case against these peers."
    if sure:
        said += f" These grow faster than in proportion: {'; '.join(sure)}."
    if unsure:
        said += (
            f" These do by more than {SMALL:g}, but their intervals reach down to 1: "
            f"{'; '.join(unsure)}."
        )
    return said


def _grown(power: Row) -> str:
    sizes = f"{_size(power['first'])} to {_size(power['last'])}"
    where = f"{power['measure']} of {shown(power['method'])} against {power['curve']}"
    return f"{where}, {sizes}, {_power(power)}"


def _behind(rows: Sequence[Row]) -> Iterator[str]:
    found = {(row["curve"], row["size"], row["method"]): row for row in rows}
    for curve, pairs in PAIRS.items():
        for peer, method in pairs:
            for size in dict.fromkeys(row["size"] for row in rows if row["curve"] == curve):
                theirs, own = found.get((curve, size, peer)), found.get((curve, size, method))
                if theirs is None or own is None:
                    continue
                where = f"{shown(peer)} at {_size(size)} ({curve})"
                if theirs["cpu_seconds"] < own["cpu_seconds"]:
                    yield f"{where} is faster than {shown(method)}"
                needed = [row["inputs_mib"] + row["run_mib"] for row in (theirs, own)]
                if needed[0] < needed[1] >= LEAST_MIB:
                    yield f"{where} needs {needed[0]:.0f} MiB, {shown(method)} {needed[1]:.0f}"


def _is_peer(method: str) -> bool:
    return method.startswith(("ck-", "SimpleITK"))
