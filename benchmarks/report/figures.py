"""What the page's template shows: records as rows, numbers as texts, and comparisons of rows."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.classification.gold import PLAIN
from benchmarks.classification.methods import SLOW_PEERS
from benchmarks.classification.quality import GAINS
from benchmarks.common.record import rows_of
from benchmarks.common.scores import RESAMPLED
from benchmarks.scaling.__main__ import LEAST_MIB, PAIRS

RECORDS = {
    "birds": "birds",
    "quality": "classification-quality",
    "selection": "selection",
    "gold": "classification-gold",
    "replay": "classification-replay",
    "multi_label": "multi-label",
    "synthetic": "synthetic",
    "speed": "classification-speed",
    "scaling": "scaling",
    "lambdas": "lambda",
    "portal": "portal",
    "help_tools": "help-tools",
    "brush": "portal-brush",
    "large_images": "portal-large-images",
    "masks": "segmentation",
    "mask_quality": "segmentation-quality",
    "sources": "sources",
}
"""The records by the names that the template has for them, each with the stem of its file."""

NAMES = {
    "ck-majority": "crowd-kit MajorityVote",
    "ck-wawa": "crowd-kit Wawa",
    "ck-dawid-skene": "crowd-kit DawidSkene",
    "ck-one-coin": "crowd-kit OneCoinDawidSkene",
    "ck-glad": "crowd-kit GLAD",
    "ck-mace": "crowd-kit MACE",
    "ck-dawid-skene-20-rounds": "crowd-kit DawidSkene, 20 rounds",
    "la-two-pass": "LA, two passes (own code)",
    "calibrated": "**`calibrated`** (default)",
    "builtin": "`builtin` (AWS's rule, its posterior before rounding)",
    "majority": "`majority` (the plain baseline)",
    "weighted": "`weighted`",
    "dawid-skene": "`dawid-skene`",
    "ebcc": "`ebcc`",
    "calibrated-20-rounds": "`calibrated`, 20 rounds",
    "dawid-skene-20-rounds": "`dawid-skene`, 20 rounds",
}
WORDS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "jaccard": "Jaccard",
    "subset_accuracy": "subset accuracy",
    "ece": "ECE",
    "ece_equal_mass": "ECE, equal mass",
    "log_loss": "log loss",
    "brier": "Brier",
    "auroc": "AUROC",
}
SUMMARY = ("accuracy", "ece", "brier")
QUALITY = ("accuracy", "macro_f1", "ece", "ece_equal_mass", "log_loss", "brier", "auroc")
HIGHER_IS_BETTER = {"accuracy", "macro_f1", "micro_f1", "jaccard", "subset_accuracy", "auroc"}
DEFAULT, BASE, LIMIT, PEER = "calibrated", "majority", "limit", "ck-dawid-skene-20-rounds"
SAME_ROUNDS = ("dawid-skene-20-rounds", "calibrated-20-rounds")
VOTING = {"majority": "ck-majority"}
"""Methods that only vote, and the peer that only votes; beside EM their times mean nothing."""
FASTER = {450: 50, 100_000: 15, 1_000_000: 20}
"""How many times faster than crowd-kit we want to be, by the number of answers."""
BATCH = "50 x 9"
GOLD_SEEN = 0.0005
"""A loss of ECE that shows with three digits."""
TOO_DEAR = 2.0
"""How many times the cheapest cost a function may have at its own memory."""
GROWTH_SEEN = 0.05
"""Above 1, what an exponent may be whose interval holds 1 and is not told."""

Row: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = Sequence[Row]


def load_records(folder: Path) -> dict[str, Any]:
    """The results in a folder by their names in the template; None for what is not there."""
    files = {name: folder / f"{stem}.json" for name, stem in RECORDS.items()}
    return {
        name: json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        for name, path in files.items()
    }


def expand(record: Row | None) -> dict[str, Any]:
    """A record with its tables as lists of rows."""
    return {
        name: rows_of(value) if isinstance(value, Mapping) and "columns" in value else value
        for name, value in (record or {}).items()
    }


# --- numbers and tables as texts ---------------------------------------------------------------


def number(value: float | None, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    """A difference, with its sign."""
    if value is None:
        return "-"
    text = f"{value:+.{digits}f}"
    return text if float(text) else f"{0:.{digits}f}"


def percent(value: float | None, sign: str = "") -> str:
    """A share in whole percent."""
    return "-" if value is None else f"{value:{sign}.0%}"


def interval(row: Row, name: str, show: Callable[[Any], str] = number) -> str:
    """A number with its middle 95 %."""
    return f"{show(row[name])} [{show(row[f'{name}_low'])}, {show(row[f'{name}_high'])}]"


def difference(row: Row, name: str) -> str:
    """A difference with its middle 95 %."""
    return interval(row, name, signed)


def change(row: Row, name: str) -> str:
    """A change in percent with its middle 95 %."""
    return interval(row, name, lambda value: percent(value, "+"))


def numbers(row: Row, names: Iterable[str], digits: int = 3) -> list[str]:
    """Several figures of a row."""
    return [number(row[name], digits) for name in names]


def cells(*texts: object) -> str:
    """A row of a table; a list of texts is as many cells."""
    return f"| {' | '.join(_flat(texts))} |"


def head(*texts: object, rule: str = "---:|") -> str:
    """The head of a table; all columns but the first are numbers, flush right, unless told."""
    return f"{cells(*texts)}\n|---|{rule * (len(_flat(texts)) - 1)}"


def _flat(texts: Iterable[object]) -> list[str]:
    return [
        str(text) for part in texts for text in (part if isinstance(part, list | tuple) else [part])
    ]


def means(rows: Rows, names: Iterable[str]) -> list[str]:
    """Means of several figures."""
    return [number(mean(rows, name)) for name in names]


def intervals(row: Row, names: Iterable[str]) -> list[str]:
    """Several figures with their middle 95 %."""
    return [interval(row, name) for name in names]


def differences(row: Row, names: Iterable[str]) -> list[str]:
    """Several differences with their middle 95 %."""
    return [difference(row, name) for name in names]


def words(names: Iterable[str], more: str = "") -> list[str]:
    """Measures as the page calls them."""
    return [WORDS[name] + more for name in names]


def shorts(methods: Iterable[str]) -> list[str]:
    """Methods without what stands in brackets."""
    return [short(method) for method in methods]


def quoted(methods: Iterable[str], more: str = "") -> list[str]:
    """Methods of ours as code; peers as they are called."""
    return [(name if " " in name else f"`{name}`") + more for name in methods]


def percents(rows: Rows, name: str) -> str:
    """A share of each row."""
    return ", ".join(percent(row[name]) for row in rows)


def figures_across(rows: Rows, methods: Iterable[str], measures: Sequence[str]) -> list[str]:
    """Measures of each method, or a dash where it has none."""
    own = by(rows, "method")
    return [" / ".join(numbers(own[m], measures)) if m in own else "-" for m in methods]


def folded(summary: str, text: str) -> str:
    """Text that is shown when the reader opens it; HTML, with Markdown inside."""
    return f"<details>\n<summary>{summary}</summary>\n\n{text.strip()}\n\n</details>"


def joined(texts: Mapping[str, Any]) -> str:
    """Names with their versions, those that are known."""
    known = {name: value for name, value in texts.items() if value and name != "peers"}
    return ", ".join(f"{name} {value}" for name, value in known.items())


def contents(text: str) -> str:
    """Links to the sections of a text."""
    titles = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    return "\n".join(f"- [{title}](#{anchor(title)})" for title in titles)


def first_losses(text: str) -> list[tuple[str, str]]:
    """The first loss that each section of a text names, beside the section's title."""
    found = []
    for section in text.split("\n## ")[1:]:
        said = re.search(r"^Where we lose(?: \([^\n]*\))?:(?: |\n\n- )(.+)", section, re.MULTILINE)
        if said and not said[1].lower().startswith("no"):
            found.append((section.partition("\n")[0], _first_clause(said[1])))
    return found


def _first_clause(text: str) -> str:
    """What stands before the first semicolon, full stop or next example, brackets apart."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        ends = character == ";" or text.startswith(("), ", ". "), place)
        if depth == 0 and ends:
            return text[: place + (character == ")")]
    return text.rstrip(". ")


def name_of(method: str) -> str:
    """A method as the page calls it."""
    return NAMES.get(method, method)


def short(method: str) -> str:
    """A method's name without what stands in brackets."""
    return name_of(method).split(" (")[0].strip("*")


def answers(votes: int | str) -> str:
    """How many answers each item has."""
    return "all answers" if votes == "all" else f"{votes} answer{'s' * (votes != 1)} per item"


def sizes(votes: Iterable[int | str]) -> list[int | str]:
    """Numbers of answers: all of them first, then ascending."""
    return sorted(set(votes), key=lambda size: (size != "all", 0 if size == "all" else size))


def listed(votes: Iterable[int | str]) -> str:
    """Numbers of answers as in a sentence."""
    *first, last = ("all answers" if size == "all" else str(size) for size in sizes(votes))
    return f"{', '.join(first)} and {last}" if first else last


def anchor(title: str) -> str:
    """What a heading is called in a link."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


# --- rows --------------------------------------------------------------------------------------


def pick(rows: Rows, **values: Any) -> list[Row]:
    """The rows that have these values."""
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def groups(rows: Rows, *names: str) -> dict[Any, list[Row]]:
    """Rows by their value of a column, or by their values of several, in their order."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        key = row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)
        found.setdefault(key, []).append(row)
    return found


def by(rows: Rows, *names: str) -> dict[Any, Row]:
    """The row of each value of a column, or of several."""
    return {key: found[-1] for key, found in groups(rows, *names).items()}


def mean(rows: Iterable[Row], name: str) -> float | None:
    """Mean over rows that have the number."""
    values = [row[name] for row in rows if row[name] is not None]
    return sum(values) / len(values) if values else None


def best_of(values: Mapping[str, float], measure: str) -> str:
    """The method with the best value of a measure; the first of several."""
    better = max if measure in HIGHER_IS_BETTER else min
    return better(values, key=lambda method: values[method])


def losses(
    rows: Rows, case: Sequence[str], measure: str, *, ours: str = DEFAULT, least: float
) -> tuple[list[dict[str, Any]], int]:
    """Cases in which another method is better than ours by more than `least`; number of cases."""
    lost, count = [], 0
    for key, here in groups(rows, *case).items():
        values = {row["method"]: row[measure] for row in here if row[measure] is not None}
        values.pop(LIMIT, None)
        if ours not in values:
            continue
        count += 1
        best = best_of(values, measure)
        gap = abs(values[best] - values[ours])
        if gap > least:
            lost.append(
                {"case": key, "gap": gap, "ours": values[ours], "best": best, "value": values[best]}
            )
    return lost, count


# --- labels ------------------------------------------------------------------------------------


def finished(rows: Rows, averaged: Sequence[str]) -> tuple[dict[str, Rows], dict[str, Rows]]:
    """Rows on the averaged sets by method: of those that have all sets, and of the others."""
    own = groups([row for row in rows if row["set"] in averaged], "method")
    full = {method: found for method, found in own.items() if len(found) == len(averaged)}
    return full, {method: found for method, found in own.items() if method not in full}


def compared(record: Row) -> list[str]:
    """Measures whose difference to majority was taken."""
    there = {name for row in record["differences"] for name in row}
    return [name for name in QUALITY if name in GAINS and name in there]


def moved(record: Row) -> list[str]:
    """Those of them whose intervals are moved: no mean over items, and bound to be biased."""
    return [name for name in compared(record) if name in RESAMPLED and name != "log_loss"]


def never_run(record: Row) -> dict[tuple[int | str, ...], list[str]]:
    """Slow peers by the numbers of answers that they were not run with on any set."""
    found: dict[tuple[int | str, ...], list[str]] = {}
    for method in SLOW_PEERS:
        rows = pick([*record["scores"], *record["cut_off"]], method=method)
        tried = {row["votes"] for row in rows}
        left = sizes({row["votes"] for row in record["scores"]} - tried)
        if tried and left:
            found.setdefault(tuple(left), []).append(name_of(method))
    return found


def best_mean(rows: Mapping[str, Rows], peers: Iterable[str], measure: str) -> str:
    """The peer with the best mean of a measure."""
    return best_of({name: mean(rows[name], measure) or 0.0 for name in peers}, measure)


def means_across(rows: Rows, method: str, measure: str, votes: Iterable[int | str]) -> list[str]:
    """A method's mean with its middle 95 % at each number of answers, or a dash."""
    own = by(pick(rows, method=method), "votes")
    return [interval(own[size], measure) if size in own else "-" for size in votes]


def pairs_of_means(own: Rows, default: Mapping[str, Row], names: Iterable[str]) -> list[str]:
    """A peer's means beside those of the default on the same sets."""
    same = [default[row["set"]] for row in own]
    return [f"{number(mean(own, name))} / {number(mean(same, name))}" for name in names]


def best_in_bold(own: Mapping[str, Row], methods: Iterable[str]) -> list[str]:
    """Accuracy and ECE of each method on a set, the best of both bold."""
    best = max(row["accuracy"] for row in own.values()), min(row["ece"] for row in own.values())
    texts = []
    for method in methods:
        pair = zip(("accuracy", "ece"), best, strict=True) if method in own else ()
        both = [(number(own[method][name]), own[method][name] == most) for name, most in pair]
        texts.append(" / ".join(f"**{text}**" if bold else text for text, bold in both) or "-")
    return texts


def shares_of_calls(gains: Rows, size: int, variant: str) -> str:
    """Shares of the whole job's gain that calls of a size have."""
    return ", ".join(
        f"{percent(row['share'])} ({'all' if row['votes'] == 'all' else row['votes']} answers)"
        for row in pick(gains, call_size=size, variant=variant)
        if row["share"] is not None
    )


def cut_off_peers(record: Row, rows: Rows, measure: str) -> dict[str, Any] | None:
    """The closest to ours of the peers that our limits cut off, and how many those are."""
    full, partial = finished(rows, record["averaged"])
    default = by(full[DEFAULT], "set")
    slow = {
        method: (mean(own, measure), mean([default[row["set"]] for row in own], measure), len(own))
        for method, own in partial.items()
        if method in SLOW_PEERS
    }
    if not slow:
        return None
    ahead = {name: (peer or 0.0) - (ours or 0.0) for name, (peer, ours, _) in slow.items()}
    best = best_of({name: ahead[name] for name in SLOW_PEERS if name in ahead}, measure)
    peer, ours, n_sets = slow[best]
    return {"count": len(slow), "method": best, "peer": peer, "ours": ours, "sets": n_sets}


def gold_losses(rows: Rows, variant: str) -> tuple[list[tuple[str, float, float]], int]:
    """Sets whose ECE is higher with known objects than without: set, without, with; all sets."""
    plain = {row["set"]: row["ece"] for row in pick(rows, variant=PLAIN)}
    lost = [
        (row["set"], plain[row["set"]], row["ece"])
        for row in pick(rows, variant=variant)
        if row["ece"] > plain[row["set"]] + GOLD_SEEN
    ]
    return lost, len(plain)


def crew_methods(rows: Rows) -> dict[str, list[Row]]:
    """Rows of each method, the limit last."""
    found = groups(rows, "method")
    if LIMIT in found:
        found[LIMIT] = found.pop(LIMIT)
    return found


def judged(rows: Rows) -> set[str]:
    """Crews on which every method has an AUROC, for it errs."""
    return {row["crew"] for row in rows} - {row["crew"] for row in rows if row["auroc"] is None}


def crew_means(rows: Rows, fair: set[str]) -> dict[str, float | None]:
    """Mean of each measure over the crews that have it; of AUROC over those that are judged."""
    of_auroc = [row for row in rows if row["crew"] in fair]
    names = ("accuracy", "ece", "log_loss", "brier", "auroc")
    return {name: mean(of_auroc if name == "auroc" else rows, name) for name in names}


def reference_rows(settings: Rows) -> dict[str, Row]:
    """The settings that the grid is compared with, by name."""
    return {row["name"]: row for row in settings if row["name"]}


def best_settings(settings: Rows, count: int) -> list[Row]:
    """The best of the grid, by the mean Brier score of both halves."""
    grid = [row for row in settings if row["name"] not in ("fixed", "free")]
    return sorted(grid, key=lambda row: float(row["brier_both"]))[:count]


def costly_folds(folds: Rows, least: float) -> list[Row]:
    """Those on which the shipped setting has more Brier score than errors always dependent."""
    return [fold for fold in folds if fold["brier_shipped"] > fold["brier_fixed"] + least]


def setting_text(row: Row, rule: str = "") -> str:
    """The numbers of a setting: correlation and pairs known before, and the two ends."""
    end = f"_{rule}" if rule else ""
    names = ("prior_correlation", "prior_pairs", "independent", "dependent")
    return " / ".join(f"{row[name + end]:g}" for name in names)


# --- time and memory ---------------------------------------------------------------------------


def slower(rows: Rows) -> Iterator[tuple[Row, float, int]]:
    """Where we are not as much faster than crowd-kit, at as many rounds, as we aim: how much."""
    seconds = {
        key: row["cpu_seconds"] for key, row in by(rows, "answers", "classes", "method").items()
    }
    for row in rows:
        aim, peer = (
            FASTER.get(row["answers"]),
            seconds.get((row["answers"], row["classes"], PEER)),
        )
        if row["method"] in SAME_ROUNDS and aim and peer and peer / row["cpu_seconds"] < aim:
            yield row, peer / row["cpu_seconds"], aim


def peer_ratio(row: Row, times: Mapping[str, Row]) -> str:
    """How many times as long the peer of a method takes that does the same."""
    method = row["method"]
    peer = times.get(VOTING.get(method, PEER)) if method not in VOTING.values() else None
    return f"{peer['cpu_seconds'] / row['cpu_seconds']:.1f}" if peer else "-"


def milliseconds(seconds: float) -> str:
    """CPU time with the digits that mean something."""
    return f"{seconds * 1000:,.{2 if seconds < 0.1 else 0}f}"


def size_text(size: float) -> str:
    """A size of a curve."""
    return f"{size:,}" if isinstance(size, int) else f"{size:,g}"


def shown(method: str) -> str:
    """A method as the section on growth calls it."""
    names = {"label-shares": "`majority` of each label", "multi-label": "`calibrated`"}
    return names.get(method) or short(method)


def needed_mib(row: Row) -> float:
    """Memory of inputs and run."""
    return float(row["inputs_mib"] + row["run_mib"])


def time_and_memory(row: Row | None) -> str:
    """Milliseconds and MiB of a case."""
    if row is None:
        return "-"
    taken, mib = 1000 * row["cpu_seconds"], needed_mib(row)
    digits = 0 if taken >= 100 else 1 if taken >= 10 else 2
    return f"{taken:,.{digits}f} / {mib:,.{0 if mib >= 10 else 1}f}"


def compared_in(rows: Rows) -> tuple[list[str], Sequence[tuple[str, str]]]:
    """Methods of a curve, and the peers and methods of ours that are compared on it."""
    return list(groups(rows, "method")), PAIRS.get(rows[0]["curve"], ())


def scaling_heads(rows: Rows) -> list[str]:
    """Heads of a curve's table: times and memory, and ratios to peers."""
    methods, pairs = compared_in(rows)
    heads = [f"{shown(method)}: ms / MiB" for method in methods]
    return heads + [f"time of {shown(peer)} / {shown(own)}" for peer, own in pairs]


def scaling_cells(rows: Rows, size: float) -> list[str]:
    """Cells of a curve's table at one size."""
    methods, pairs = compared_in(rows)
    here = by(pick(rows, size=size), "method")
    texts = [time_and_memory(here.get(method)) for method in methods]
    for peer, own in pairs:
        both = peer in here and own in here
        ratio = here[peer]["cpu_seconds"] / here[own]["cpu_seconds"] if both else None
        texts.append(number(ratio, 1))
    return texts


def power_text(power: Row) -> str:
    """An exponent with its interval."""
    texts = [f"{power[n]:.2f}".replace("-0.00", "0.00") for n in ("exponent", "low", "high")]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


def behind(rows: Rows) -> Iterator[str]:
    """Cases in which a peer is faster or needs less memory."""
    found = by(rows, "curve", "size", "method")
    for curve, pairs in PAIRS.items():
        for peer, method in pairs:
            for size in groups(pick(rows, curve=curve), "size"):
                theirs, own = found.get((curve, size, peer)), found.get((curve, size, method))
                if theirs is None or own is None:
                    continue
                where = f"{shown(peer)} at {size_text(size)} ({curve})"
                if theirs["cpu_seconds"] < own["cpu_seconds"]:
                    yield f"{where} is faster than {shown(method)}"
                their_mib, own_mib = needed_mib(theirs), needed_mib(own)
                if their_mib < own_mib >= LEAST_MIB:
                    yield f"{where} needs {their_mib:.0f} MiB, {shown(method)} {own_mib:.0f}"


def outgrown(powers: Rows) -> tuple[list[Row], list[Row]]:
    """Exponents of ours above 1: surely, and by more than a little but not surely."""
    own = [p for p in powers if not p["method"].startswith(("ck-", "SimpleITK"))]
    sure = [power for power in own if power["low"] > 1.0]
    return sure, [p for p in own if p["low"] <= 1.0 < p["exponent"] - GROWTH_SEEN]


def aims(record: Row) -> list[dict[str, Any]]:
    """Figures of the Lambda functions beside what they are to stay below."""
    pre, acs = ("pre_", "acs_image_")
    figures: tuple[tuple[str, list[float], float, str], ...] = (
        (
            "PRE: start (init), whole processor, slowest function's median",
            [r["init_ms"] for r in _of(record["starts"], pre) if r["memory_mb"] is None],
            150,
            "ms",
        ),
        (
            "PRE: warm call, slowest function's median",
            [r["ms_p50"] for r in _of(record["warm"], pre) if r["objects_from"] == "S3"],
            2,
            "ms",
        ),
        (
            f"ACS, classification: warm call, {BATCH}, without S3, slower function's median",
            [
                r["ms_p50"]
                for r in _of(record["warm"], acs)
                if r["input"] == BATCH and r["objects_from"] != "S3"
            ],
            15,
            "ms",
        ),
        (
            "ACS, classification: processor time of imports, median",
            [r["cpu_ms"] for r in pick(record["imports"], what="a classification ACS function")],
            150,
            "ms",
        ),
        (
            "PRE: unzipped, largest function",
            [r["mb"] for r in _of(record["sizes"], pre)],
            10,
            "MB",
        ),
        (
            "ACS, classification: unzipped, larger function",
            [r["mb"] for r in _of(record["sizes"], acs)],
            90,
            "MB",
        ),
    )
    return [
        {
            "what": what,
            "text": f"{_three_digits(values)} {unit}",
            "aim": f"below {limit:g} {unit}",
            "reached": max(values) < limit,
        }
        for what, values, limit, unit in figures
        if values
    ]


def _of(rows: Rows, kind: str) -> Rows:
    return [row for row in rows if row["function"].startswith(kind)]


def _three_digits(values: Sequence[float]) -> str:
    return number(max(values), 0 if min(values) >= 100 else 2 if max(values) < 5 else 1)


def dear(costs: Rows) -> Iterator[tuple[Row, Row]]:
    """Functions whose own memory costs far more than the cheapest: their own row, and that one."""
    for here in groups(costs, "function").values():
        own = next(row for row in here if row["own"])
        best = min(here, key=lambda row: float(row["usd_x86_64"]))
        if own["usd_x86_64"] > TOO_DEAR * best["usd_x86_64"]:
            yield own, best


def is_met(ratio: Row) -> bool:
    """Whether a ratio is as its aim says."""
    relation, limit = ratio["target"].rsplit(" ", 1)
    value = ratio["ratio"]
    return bool(value <= float(limit) if relation == "at most" else value >= float(limit))


def faster_masks(cases: Rows) -> Iterator[tuple[Row, float]]:
    """Cases in which another method is faster than ours, and how many times."""
    ours = {key: row["cpu_ms"] for key, row in by(pick(cases, name="ours"), "kind", "size").items()}
    for case in cases:
        own = ours.get((case["kind"], case["size"]), 0.0)
        if not case["name"].startswith("ours") and case["cpu_ms"] < own:
            yield case, own / case["cpu_ms"]


def methods_compared(crowds: Rows) -> list[str]:
    """Methods whose difference to the majority was taken on any crowd."""
    return list(dict.fromkeys(name for line in crowds for name in line.get("differences", {})))


def gains_of(line: Row, methods: Iterable[str]) -> list[str]:
    """A crowd's differences to the majority."""
    found = line.get("differences", {})
    return [difference(found[name], "gain") if name in found else "-" for name in methods]


def below_majority(crowds: Rows) -> list[str]:
    """Crowds and methods of ours that are below the majority by more than chance explains."""
    return [
        f"{line['crowd']}, `{method}` ({difference(gain, 'gain')})"
        for line in crowds
        for method, gain in line.get("differences", {}).items()
        if gain["gain_high"] < 0
    ]


def model_names(methods: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """Methods beside a model as heads of a table."""
    return [names.get(method, method).split(", which")[0] for method in methods]


def on_all(rows: Rows, count: int) -> dict[str, Rows]:
    """Rows of the methods that have as many."""
    return {name: own for name, own in groups(rows, "method").items() if len(own) == count}
