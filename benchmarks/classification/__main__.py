"""Quality, replay and speed of classification beside crowd-kit; one figure a run.

    python -m benchmarks.classification --only quality --data FOLDER
    python -m benchmarks.classification --only replay --data FOLDER
    python -m benchmarks.classification --only speed

FOLDER holds `classification/` and `birds-job/`; without it only generated crowds are measured.
Peers are installed on first use into `.tools/`. Times are CPU times of the best repetition on
one thread; only their ratios mean something elsewhere.
"""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.classification.methods import FAST_PEERS, SLOW_PEERS, measure_speed
from benchmarks.classification.quality import Plan, quality
from benchmarks.classification.replay import replays
from benchmarks.common.crowds import SETS, SPEED_SEED, Crowd, real_crowds, synthetic_crowds
from benchmarks.common.record import (
    RESULTS,
    ROOT,
    data_option,
    peers_python,
    run_record,
    write_result,
)

AVERAGED = SETS[:12]
"""The sets of the published table of peers; "product" and "birds" are shown, not averaged."""
SYNTHETIC_SEED = 1
DRAW_SEED = 0


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.only == "speed":
            peers_python(ROOT / ".tools")
            found = measure_speed(folder)
        elif options.only == "replay":
            found = replays(
                folder,
                _crowds(options.data),
                averaged=_averaged(options.data),
                seed=DRAW_SEED,
                jobs=options.jobs,
            )
        else:
            peers_python(ROOT / ".tools")
            found = quality(folder, _crowds(options.data), _plan(options))
    output = options.output or RESULTS / f"classification-{options.only}.json"
    write_result(output, {"run": _record(options)} | found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=("quality", "replay", "speed"), required=True)
    parser.add_argument("--data", type=Path, help="folder with the real sets")
    parser.add_argument("--output", type=Path, help="JSON file to write")
    parser.add_argument(
        "--keep", type=Path, help="folder for posteriors; a run that was interrupted goes on there"
    )
    parser.add_argument("--votes", type=int, nargs="*", default=[1, 3, 5, 7, 9])
    parser.add_argument(
        "--slow-votes", type=int, nargs="*", default=[3, 5, 9], help="--votes of slow peers"
    )
    parser.add_argument("--slow-up-to", type=int, default=30_000, help="answers for slow peers")
    parser.add_argument("--limit", type=float, default=15.0, help="CPU s of a slow peer's case")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        peers=(*FAST_PEERS, *SLOW_PEERS),
        votes=tuple(options.votes),
        slow_votes=tuple(options.slow_votes),
        slow_up_to=options.slow_up_to,
        limit=options.limit,
        seed=DRAW_SEED,
        averaged=_averaged(options.data),
        jobs=options.jobs,
    )


def _crowds(data: Path | None) -> list[Crowd]:
    crowds = list(synthetic_crowds(seed=SYNTHETIC_SEED))
    if data is not None:
        crowds += real_crowds(data, [*SETS, "birds"])
    return crowds


def _averaged(data: Path | None) -> tuple[str, ...]:
    """The crowds that a mean is over: the real ones that are there, else the synthetic ones."""
    names = {crowd.name for crowd in _crowds(data)}
    return tuple(name for name in AVERAGED if name in names) or tuple(sorted(names))


def _record(options: argparse.Namespace) -> Mapping[str, Any]:
    given: dict[str, Any] = {"only": options.only}
    if options.only != "speed":
        given["data"] = data_option(options.data)
    if options.only == "quality":
        names = ("votes", "slow_votes", "slow_up_to", "limit")
        given |= {name: getattr(options, name) for name in names}
    seed = SPEED_SEED if options.only == "speed" else SYNTHETIC_SEED
    return run_record("benchmarks.classification", given, seed=seed)


if __name__ == "__main__":
    main()
