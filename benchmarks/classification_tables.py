"""The classification benchmark's report as Markdown tables."""

from collections.abc import Iterable
from typing import Any

import numpy as np

MEASURES = ("accuracy", "macro_f1", "ece", "ece_equal_mass", "log_loss", "brier", "auroc")
NOT_AVERAGED = ("birds", "product", "equal-crew", "unequal-crew", "spammed-crew")
"""Left out of means: the twelve sets of the table of peers are what is compared."""


def print_tables(report: dict[str, Any]) -> None:
    """Print the tables of the parts that were measured."""
    if "quality" in report:
        _print_quality(report["quality"])
    if "replay" in report:
        _print_replay(report["replay"])
    if "speed" in report:
        _print_speed(report["speed"])


def _print_quality(found: list[dict[str, Any]]) -> None:
    sizes = list(dict.fromkeys(entry["votes"] for entry in found))
    methods = list(dict.fromkeys(entry["method"] for entry in found))
    for votes in sizes:
        here = [entry for entry in found if entry["votes"] == votes]
        every = _sets_of_all(here, methods)
        print(f"\n### Votes per item: {votes} (mean over {len(every)} sets all methods ran on)\n")
        _print_row(["method", *MEASURES])
        _print_row(["---"] * (len(MEASURES) + 1))
        for method in methods:
            rows = [e for e in here if e["method"] == method and e["set"] in every]
            if rows:
                _print_row([method, *(f"{_mean(rows, m):.3f}" for m in MEASURES)])
    print("\n### Each set, all votes: accuracy (95 % interval) and calibration error\n")
    _print_row(["set", *methods])
    _print_row(["---"] * (len(methods) + 1))
    for name in dict.fromkeys(entry["set"] for entry in found):
        cells = []
        for method in methods:
            rows = [
                entry
                for entry in found
                if (entry["set"], entry["method"], entry["votes"]) == (name, method, "all")
            ]
            cells.append(_cell(rows[0]) if rows else "-")
        _print_row([name, *cells])


def _print_replay(found: list[dict[str, Any]]) -> None:
    for votes in dict.fromkeys(entry["votes"] for entry in found):
        here = [e for e in found if e["votes"] == votes and e["set"] not in NOT_AVERAGED]
        print(f"\n### Call by call, votes per item: {votes} (mean over the sets)\n")
        _print_row(["variant", "objects per call", *MEASURES, "share of the gain"])
        _print_row(["---"] * (len(MEASURES) + 3))
        cases = list(dict.fromkeys((e["variant"], e["call_size"]) for e in here))
        means = {case: [_mean(_of(here, *case), measure) for measure in MEASURES] for case in cases}
        if not means:
            continue
        whole = means["all at once", 0][0]
        for (variant, size), values in means.items():
            base = means["majority", size or 10][0]
            gain = (values[0] - base) / (whole - base) if whole != base else float("nan")
            row = [variant, str(size or "all"), *(f"{value:.3f}" for value in values)]
            _print_row([*row, f"{gain:.0%}"])


def _print_speed(found: list[dict[str, Any]]) -> None:
    print("\n### Time and memory, one thread\n")
    _print_row(["crowd", "method", "CPU ms", "crowd-kit / ours", "peak MiB", "of it the run's"])
    _print_row(["---"] * 6)
    peers = {
        entry["crowd"]: entry["cpu_seconds"]
        for entry in found
        if entry["method"] == "ck-dawid-skene-20-rounds"
    }
    for entry in found:
        peer = peers.get(entry["crowd"])
        ratio = f"{peer / entry['cpu_seconds']:.1f}" if peer else "-"
        added = entry["peak_after_mib"] - entry["peak_before_mib"]
        milliseconds = f"{entry['cpu_seconds'] * 1000:.2f}"
        memory = [f"{entry['peak_after_mib']:.0f}", f"{added:.0f}"]
        _print_row([entry["crowd"], entry["method"], milliseconds, ratio, *memory])


def _sets_of_all(entries: list[dict[str, Any]], methods: list[str]) -> set[str]:
    """Sets that every method ran on, of those that are averaged."""
    ran = [{e["set"] for e in entries if e["method"] == method} for method in methods]
    return set.intersection(*ran) - set(NOT_AVERAGED)


def _of(entries: list[dict[str, Any]], variant: str, size: int) -> list[dict[str, Any]]:
    return [e for e in entries if (e["variant"], e["call_size"]) == (variant, size)]


def _mean(entries: list[dict[str, Any]], measure: str) -> float:
    return float(np.nanmean([entry[measure] for entry in entries]))


def _cell(entry: dict[str, Any]) -> str:
    low, high = entry["accuracy_low"], entry["accuracy_high"]
    return f"{entry['accuracy']:.3f} ({low:.3f}-{high:.3f}) {entry['ece']:.3f}"


def _print_row(cells: Iterable[str]) -> None:
    print("| " + " | ".join(cells) + " |")
