"""All benchmarks in small: generated data only, under three minutes, no data sets needed.

    python -m benchmarks.quick [--output FOLDER]

Peers take part if their environment was made (any full benchmark makes it). Exits with 1 if a
figure that does not depend on the machine is not as it has to be; no time has a limit.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.classification.methods import FAST_PEERS, TIMED, is_peer, measure_speed
from benchmarks.classification.quality import Plan, quality
from benchmarks.classification.replay import replays
from benchmarks.common.crowds import Crowd, synthetic_crowds
from benchmarks.common.record import ROOT, peers_present, rows_of, run_record, write_result
from benchmarks.report.__main__ import render_page, render_summary
from benchmarks.report.figures import load_records
from benchmarks.report.plots import draw_plots
from benchmarks.synthetic.__main__ import measured, planned
from benchmarks.synthetic.model import ModelPlan
from benchmarks.synthetic.runs import SMALL
from labeljob.emulator import BUILD_FOLDER

SEED = 1
REPLAYED = "spammed-crew"  # a thousand calls of one object, six times over: one crew is enough
SIZES = ((450, 9, 10, 50), (10_000, 5, 10, 100), (100_000, 5, 10, 500))
MASKS = "512px-k11-n3"


def main() -> None:
    """Measure, write results and page, and check what has to hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "benchmarks")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    peers = FAST_PEERS if peers_present(ROOT / ".tools") else ()
    run = run_record("benchmarks.quick", {}, seed=SEED)
    crowds = list(synthetic_crowds(seed=SEED))
    names = tuple(crowd.name for crowd in crowds)
    with tempfile.TemporaryDirectory() as folder:
        found = quality(Path(folder), crowds, _plan(peers, names))
        write_result(options.output / "classification-quality.json", {"run": run} | found)
        spammed = [crowd for crowd in crowds if crowd.name == REPLAYED]
        calls = replays(Path(folder), spammed, averaged=[REPLAYED], seed=SEED, jobs=2)
        write_result(options.output / "classification-replay.json", {"run": run} | calls)
        methods = [name for name in TIMED if peers or not is_peer(name)]
        times = measure_speed(Path(folder), methods=methods, sizes=SIZES, many_classes=False)
        write_result(options.output / "classification-speed.json", {"run": run} | times)
        crews = {"plan": planned(SMALL, ModelPlan())} | measured(Path(folder), SMALL)
        write_result(options.output / "synthetic.json", {"run": run} | crews)
    _masks(options.output)
    _lambda_functions(options.output)
    records = load_records(options.output)
    draw_plots(records, options.output / "benchmarks")
    page = render_page(records)
    (options.output / "benchmarks/tables.md").write_text(page, encoding="utf-8")
    summary = render_summary(records, page)
    (options.output / "benchmarks.md").write_text(summary, encoding="utf-8")
    problems = list(problems_of(found, calls, crowds))
    print("\n".join(problems) or f"all as it has to be; see {options.output / 'benchmarks.md'}")
    if problems:
        raise SystemExit(1)


def problems_of(
    found: Mapping[str, Any], calls: Mapping[str, Any], crowds: Sequence[Crowd]
) -> list[str]:
    """What is not as it has to be, in sentences."""
    problems = []
    scores = {(r["set"], r["votes"], r["method"]): r for r in rows_of(found["scores"])}
    for crowd in crowds:
        ours = scores[crowd.name, "all", "calibrated"]
        plain = scores[crowd.name, "all", "majority"]
        if ours["brier"] > plain["brier"]:
            problems.append(f"{crowd.name}: calibrated has a worse Brier score than majority")
        if crowd.name != "equal-crew" and ours["accuracy"] < plain["accuracy"]:
            problems.append(f"{crowd.name}: calibrated is less often right than majority")
    return problems + [
        f"kept skill gains nothing in calls of {row['call_size']}"
        for row in rows_of(calls["gains"])
        if row["variant"] == "kept" and row["votes"] == "all" and row["gain"] <= 0
    ]


def _plan(peers: tuple[str, ...], names: tuple[str, ...]) -> Plan:
    return Plan(
        peers=peers,
        votes=(3,),
        slow_votes=(),
        slow_up_to=0,
        limit=0.0,
        seed=0,
        averaged=names,
        jobs=2,
    )


def _masks(output: Path) -> None:
    """The smallest case of the mask benchmark, by its own command."""
    result = output / "segmentation.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks.segmentation.speed",
        "--only",
        MASKS,
        "--installed",
    ]
    subprocess.run([*command, "--output", str(result)], check=True, cwd=ROOT)
    cases = json.loads(result.read_text(encoding="utf-8"))["cases"]
    print(f"{len(cases)} cases of masks", file=sys.stderr)


def _lambda_functions(output: Path) -> None:
    """One function in the Lambda emulator, if it was built, by the benchmark's own command."""
    if not (ROOT / BUILD_FOLDER / "template.yaml").is_file():
        print("the Lambda figures are left out: run `make build` for them", file=sys.stderr)
        return
    command = [sys.executable, "-m", "benchmarks.lambdas", "--quick"]
    subprocess.run([*command, "--output", str(output / "lambda.json")], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
