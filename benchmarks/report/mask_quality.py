"""The page's part on how good masks and their confidences are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.report.tables import folded, interval, made_by, markdown_table, number, signed
from benchmarks.segmentation.scores import TOLERANCE

FAR = 0.05  # an error of the expected IoU that is worth telling
ALONE = ("object_error", "object_spearman")  # of the classes but BACKGROUND; newer results only
LOW = 0.6  # a rank correlation that is worth telling
CLOSE = 0.005  # by how much the best peer may be better

type Row = Mapping[str, Any]


def mask_quality(record: Row) -> list[str]:
    """Lines on the quality of masks.

    Parameters
    ----------
    record : mapping
        What `benchmarks.segmentation.quality` wrote.
    """
    crowds, peers = record["crowds"], record.get("peers", [])
    return [
        "### Masks: mean IoU with the truth",
        "",
        "IoU is added up over the pictures of a crowd, class by class, BACKGROUND among them; the "
        "mean is over the classes. n is the number of workers, k that of classes. even, mixed and "
        "bad are pools of synthetic workers without, with some and with many careless ones; lidc "
        "and bsds leave each annotator in turn out as the truth for the others; sffg has the vote "
        "of other volunteers as truth. Intervals are from resampled pictures and crews.",
        "",
        *(_beside_peers(peers, record["peer_cpu_seconds"]) if peers else []),
        *_ours(crowds),
        "What is *not* shown: real jobs with masks and known truth, of which we know none that is "
        "public. " + ("" if peers else "Peers were not scored in this run."),
        "",
        f"Where we lose: {_lost(peers)} {_worse(crowds)} {_unsure(crowds)} {_of_objects(crowds)}",
        "",
        *made_by(record["run"]),
    ]


def _beside_peers(peers: Sequence[Row], seconds: Row) -> list[str]:
    spent = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
    return [
        f"Every method on the same pictures (CPU seconds in all: {spent}). Peers have their "
        "default settings; what SimpleITK leaves undecided is BACKGROUND. `weighted` is the "
        "default; where workers are not known it is `majority`.",
        "",
        *_table(peers, "mean_iou", ("`weighted` - best peer [95 %]",), _to_best),
        *_boundaries([line for line in peers if "boundary_f" in line]),
    ]


def _boundaries(lines: Sequence[Row]) -> list[str]:
    if not lines:
        return []
    return [
        "The same for boundaries: F of the boundary pixels within "
        f"{100 * TOLERANCE:g} % of the diagonal. sffg has boxes, not outlines.",
        "",
        *folded("Boundaries", _table(lines, "boundary_f", (), lambda line: ())),
    ]


def _table(lines: Sequence[Row], figure: str, more: Sequence[str], cells: Any) -> list[str]:
    """Crowd by method, and further cells."""
    names = list(lines[0][figure])
    rows = [
        [line["crowd"], *(number(line[figure][name]) for name in names), *cells(line)]
        for line in lines
    ]
    return markdown_table(("crowd", *(_quoted(name) for name in names), *more), rows)


def _quoted(method: str) -> str:
    return method if " " in method else f"`{method}`"


def _to_best(line: Row) -> tuple[str]:
    return (f"{interval(line['difference'], 'gain', sign=True)} {line['best_peer']}",)


def _ours(crowds: Sequence[Row]) -> list[str]:
    """All pictures: gains over the majority, and the expected IoU beside the true one."""
    alone = any(name in line["confidence"] for line in crowds for name in ALONE)
    methods = list(dict.fromkeys(name for line in crowds for name in line.get("differences", {})))
    rows = [
        [
            line["crowd"],
            number(line["mean_iou"]["majority"]),
            *(_gain(line, method) for method in methods),
            *_confidence(line["confidence"]),
            *((number(line["confidence"].get(name)) for name in ALONE) if alone else ()),
        ]
        for line in crowds
    ]
    gains = [f"{_quoted(method)} - majority [95 %]" for method in methods]
    sure = ["error of the expected IoU", "bias", "rank correlation"]
    sure += ["error without BACKGROUND", "rank correlation without it"] if alone else []
    return [
        "All pictures and crews. *careless known* is no method: it weighs those who did not try, "
        "as only we know, and shows what weights could gain by finding them; where it gains "
        "nothing, the others outvote them. The expected IoU is the confidence of a class, set "
        "beside its true IoU in each picture: the mean distance, its sign kept (bias), and "
        "Spearman's correlation. BACKGROUND is among the classes, and its IoU is easily foretold: "
        "the correlation is in part that of telling it from the objects"
        + ("; the last columns leave it out." if alone else "."),
        "",
        *markdown_table(("crowd", "`majority`", *gains, *sure), rows),
        "lidc's files leave out the line of the outline itself, which makes nodules smaller by a "
        "pixel all round and IoU lower; *with the line* each mask is widened by that pixel.",
        "",
    ]


def _gain(line: Row, method: str) -> str:
    found = line.get("differences", {})
    return interval(found[method], "gain", sign=True) if method in found else "-"


def _confidence(found: Row) -> Iterable[str]:
    return number(found["error"]), signed(found.get("bias")), number(found["spearman"])


def _lost(peers: Sequence[Row]) -> str:
    """Crowds on which a peer is better by more than little."""
    lost = [
        f"{line['crowd']} ({line['best_peer']}: {interval(line['difference'], 'gain', sign=True)})"
        for line in peers
        if line["difference"]["gain"] < -CLOSE
    ]
    if not peers or lost:
        return f"to the best peer by more than {CLOSE}: {'; '.join(lost)}." if lost else ""
    return f"no peer is better by more than {CLOSE} on any crowd."


def _worse(crowds: Sequence[Row]) -> str:
    worse = [
        f"{line['crowd']}, `{method}` ({interval(gain, 'gain', sign=True)})"
        for line in crowds
        for method, gain in line.get("differences", {}).items()
        if gain["gain_high"] < 0
    ]
    if not worse:
        return "No method of ours is below majority by more than chance explains."
    return f"Below majority by more than chance explains: {'; '.join(worse)}."


def _unsure(crowds: Sequence[Row]) -> str:
    """On how many crowds the expected IoU is far from the true one."""
    far = {line["crowd"] for line in crowds if line["confidence"]["error"] > FAR}
    return (
        f"The expected IoU is off by more than {FAR} on average on {len(far)} of "
        f"{len({line['crowd'] for line in crowds})} crowds."
    )


def _of_objects(crowds: Sequence[Row]) -> str:
    """What the expected IoU of the objects' classes alone is worth."""
    found = [line for line in crowds if set(ALONE) <= set(line["confidence"])]
    if not found:
        return (
            "Both figures of it have BACKGROUND among the classes; of the objects' classes alone, "
            "which were not scored apart in this run, the rank correlation may be lower."
        )
    low = [
        f"{line['crowd']} ({number(line['confidence']['object_spearman'])}, with BACKGROUND "
        f"{number(line['confidence']['spearman'])})"
        for line in found
        if line["confidence"]["object_spearman"] < LOW
    ]
    said = "; ".join(low) or "none"
    return f"Of the objects' classes alone its rank correlation is below {LOW:g} on: {said}."
