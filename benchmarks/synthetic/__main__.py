"""Quality on synthetic worker responses: crews of stated behaviors, beside peers and the limit.

    python -m benchmarks.synthetic [--output FILE]

The answers come from the synthetic workforce of `labeljob synthesize`. Peers are installed on
first use into `.tools/`.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.record import (
    ROOT,
    output_option,
    peers_python,
    run_record,
    table,
    write_result,
)
from benchmarks.synthetic.crews import CREWS, SEVERAL, SINGLE, TASKS
from benchmarks.synthetic.groups import COLUMNS as GROUP_COLUMNS
from benchmarks.synthetic.kinds import KINDS
from benchmarks.synthetic.model import MEASURES as MODEL_MEASURES
from benchmarks.synthetic.model import OVER_CONFIDENT, ModelPlan, model_results
from benchmarks.synthetic.runs import LOSSES, MEANS, MEASURES, Plan, results
from groundtruth.settings import Settings
from labeljob.simulation.workers import SKILLS

SEEDS = (1, 2)
MAIN = {SINGLE: (4, 5), SEVERAL: (10, 5)}
"""Classes and answers to a data object of the cases that all peers are run on."""
_ENDS = ("", "_low", "_high")
COLUMNS: Mapping[str, Sequence[str]] = {
    "scores": ("task", "crew", "method", *MEASURES),
    "gains": ("task", "crew", "method", *(name + end for name in LOSSES for end in _ENDS)),
    "groups": ("task", *GROUP_COLUMNS),
    "sizes": ("task", "classes", "answers", "method", *MEANS),
    "cut_off": ("task", "method", "job", "seconds"),
}
_GAINS = tuple(f"{name}_gain{end}" for name in ("accuracy", "brier") for end in _ENDS)
MODEL_COLUMNS: Mapping[str, Sequence[str]] = {
    "model": ("model", "method", *MODEL_MEASURES, "auroc_crews", *_GAINS),
    "model_crews": ("crew", "method", *MODEL_MEASURES),
}


def main() -> None:
    """Run everything and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    output_option(parser, "synthetic")
    parser.add_argument("--objects", type=int, default=450, help="data objects in a job")
    parser.add_argument("--limit", type=float, default=15.0, help="CPU s of a slow peer's case")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    options = parser.parse_args()
    peers_python(ROOT / ".tools")
    plan = Plan(
        main=MAIN, seeds=SEEDS, objects=options.objects, limit=options.limit, jobs=options.jobs
    )
    beside = ModelPlan(seeds=SEEDS, objects=options.objects)
    with tempfile.TemporaryDirectory() as folder:
        parts = {"plan": planned(plan, beside)} | measured(Path(folder), plan)
        model = model_results(Path(folder), beside)
    given = {"objects": options.objects, "limit": options.limit}
    run = run_record("benchmarks.synthetic", given, seed=SEEDS[0])
    run["versions"].setdefault("peers", {})["cleanlab"] = model["cleanlab"]
    parts |= {name: table(model[name], columns) for name, columns in MODEL_COLUMNS.items()}
    write_result(options.output, {"run": run} | parts)


def measured(folder: Path, plan: Plan) -> dict[str, Any]:
    """The tables of both tasks."""
    found = [results(folder, plan, task) for task in (SINGLE, SEVERAL)]
    joined = {name: [row for part in found for row in part[name]] for name in COLUMNS}
    return {name: table(joined[name], COLUMNS[name]) for name in COLUMNS}


def planned(plan: Plan, model: ModelPlan) -> dict[str, Any]:
    """What the page says of the crews."""
    kinds = ("careful", "average", "careless", "confuser")
    return {
        "objects": plan.objects,
        "seeds": list(plan.seeds),
        "main": {TASKS[task]: list(size) for task, size in plan.main.items()},
        "workers": {name: CREWS[name].options for name in plan.crews},
        "kinds": {name: KINDS[name].says for name in plan.kinds},
        "skills": {kind: SKILLS[kind].accuracy for kind in kinds},
        "model": {
            "main": model.main,
            "classes": model.classes,
            "answers": model.answers,
            "max_weight": Settings().model_max_weight,
            "over_confident": OVER_CONFIDENT,
        },
    }


if __name__ == "__main__":
    main()
