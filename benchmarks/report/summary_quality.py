"""The rows of the page's beginning that are on labels and confidences."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.classification.runs import SLOW_PEERS
from benchmarks.common.record import rows_of
from benchmarks.report.synthetic import DEFAULT, LIMIT, TASKS
from benchmarks.report.tables import mean, name_of, number

type Row = Mapping[str, Any]
type Line = tuple[str, str, str]

FEW = 3
"""Answers per item whose figures are shown."""
CALL = 10
"""Objects in a call whose share of the whole job's gain is shown."""
WORDS = {"accuracy": "accuracy", "ece": "expected calibration error, lower is better"}


def birds_rows(record: Row) -> Iterator[Line]:
    """The confidence of AWS's function and ours on a real job."""
    rows = {row["method"]: row for row in rows_of(record["scores"])}
    ours, aws = rows.get("calibrated"), rows.get("AWS, as in its manifest")
    kept = rows.get("kept, in AWS's calls")
    rules = [rows[name] for name in ("builtin", "builtin, in AWS's calls") if name in rows]
    if not (ours and kept and aws):
        return
    beside = f"AWS's function {number(aws['auroc'], 2)}; a coin 0.50"
    if rules:
        whole = " and ".join(number(row["auroc"], 2) for row in rules)
        beside += (
            f"; AWS's own rule has {whole} (the whole job, its calls) before its result is "
            "squeezed and rounded"
        )
    yield (
        "Does the confidence tell right from wrong labels? (AUROC of a real job)",
        f"{number(ours['auroc'], 2)}; in AWS's own calls {number(kept['auroc'], 2)}",
        beside,
    )


def quality_rows(record: Row) -> Iterator[Line]:
    """Accuracy and ECE with few answers, beside majority, fast peers and those cut off."""
    averaged = record["averaged"]
    sets: dict[str, dict[str, Row]] = {}
    for row in rows_of(record["scores"]):
        if row["votes"] == FEW and row["set"] in averaged:
            sets.setdefault(row["method"], {})[row["set"]] = row
    whole = {name: list(own.values()) for name, own in sets.items() if len(own) == len(averaged)}
    peers = [name for name in whole if name.startswith("ck-")]
    if "calibrated" not in whole or not peers:
        return
    for word, measure, better in (("right", "accuracy", max), ("miscalibrated", "ece", min)):
        best = _best({name: whole[name] for name in peers}, measure, better)
        yield (
            f"How {word} is it with {FEW} answers? ({WORDS[measure]}, mean of "
            f"{len(averaged)} crowds)",
            number(mean(whole["calibrated"], measure)),
            f"`majority` {number(mean(whole['majority'], measure))}; the best of {len(peers)} "
            f"peers that finish: {name_of(best)} {number(mean(whole[best], measure))}"
            + _unfinished(sets, len(averaged), measure, better),
        )


def _best(rows: Mapping[str, Sequence[Row]], measure: str, better: Callable[..., str]) -> str:
    return better(rows, key=lambda name: mean(rows[name], measure) or 0.0)


def _unfinished(
    sets: Mapping[str, Mapping[str, Row]], n_sets: int, measure: str, better: Callable[..., str]
) -> str:
    """The best, beside ours, of the peers that our limits cut off, on the sets that they have."""
    found = {
        name: (
            mean(list(sets[name].values()), measure),
            mean([sets["calibrated"][one] for one in sets[name]], measure),
        )
        for name in SLOW_PEERS
        if 0 < len(sets.get(name, ())) < n_sets
    }
    if not found:
        return ""
    best = better(found, key=lambda name: (found[name][0] or 0.0) - (found[name][1] or 0.0))
    peer, ours = found[best]
    return (
        f"; the closest of {len(found)} that our limits cut off: {name_of(best)} {number(peer)} on "
        f"{len(sets[best])} sets, on which ours has {number(ours)}"
    )


def replay_rows(record: Row) -> Iterator[Line]:
    """How much of the whole job's gain is left in small calls."""
    shares: dict[str, list[str]] = {"kept": [], "fresh": []}
    for row in rows_of(record["gains"]):
        if row["call_size"] == CALL and row["variant"] in shares and row["share"] is not None:
            answers = "all answers" if row["votes"] == "all" else f"{row['votes']} answers"
            shares[row["variant"]].append(f"{row['share']:.0%} ({answers})")
    if all(shares.values()):
        yield (
            f"How much of the whole job's gain in accuracy is left in calls of {CALL} objects?",
            f"with kept skill {', '.join(shares['kept'])}",
            f"nothing kept: {', '.join(shares['fresh'])}",
        )


def crews_rows(record: Row) -> Iterator[Line]:
    """Brier score on synthetic crews, where errors do not go together."""
    rows = rows_of(record["scores"])
    for task, (title, _) in TASKS.items():
        here = [row for row in rows if row["task"] == task]
        crews = {row["crew"] for row in here}
        own: dict[str, list[Row]] = {}
        for row in here:
            own.setdefault(row["method"], []).append(row)
        whole = {name: found for name, found in own.items() if len(found) == len(crews)}
        peers = {name: found for name, found in whole.items() if name.startswith("ck-")}
        if not peers or not {DEFAULT, LIMIT} <= set(whole):
            continue
        best = _best(peers, "brier", min)
        ours, theirs = mean(whole[DEFAULT], "brier"), mean(peers[best], "brier")
        loses = ours is not None and theirs is not None and theirs < ours
        yield (
            f"And on synthetic crews, whose errors do not go together? ({title.lower()}: Brier, "
            f"lower is better, mean of {len(crews)} crews)",
            number(ours) + (": here we lose" if loses else ""),
            f"the best of {len(peers)} peers: {name_of(best)} {number(theirs)}; the limit "
            f"{number(mean(whole[LIMIT], 'brier'))}",
        )
