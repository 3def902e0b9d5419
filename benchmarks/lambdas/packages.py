"""Unzipped size of the built functions, and processor time of importing them."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common.environment import ROOT
from labeljob.emulator import BuiltApplication
from labeljob.emulator.tools import find_python, find_runtime_packages, merge_layers

IMPORTS = {
    "numpy alone": ("acs_image_multi_class", "import numpy"),
    "a classification ACS function": ("acs_image_multi_class", "import app"),
    "the segmentation ACS function": ("acs_semantic_segmentation", "import app"),
    "a PRE function": ("pre_image_multi_class", "import app"),
    "boto3 and an S3 client": ("pre_image_multi_class", "import boto3; boto3.client('s3')"),
}
"""What is imported: a built function's path, and the statements."""

COMPILED = {"boto3 and an S3 client, if compiled before": "boto3 and an S3 client"}
"""What is imported once more, from files that Python has compiled."""

_SCRIPT = """
import time
wall, used = time.perf_counter(), time.process_time()
{statements}
used, wall = time.process_time() - used, time.perf_counter() - wall
import json
print(json.dumps([1000 * used, 1000 * wall]))
"""


def package_sizes(build: Path, functions: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of function, and MB (of a million bytes) of its code with all its layers."""
    application = BuiltApplication(build)
    rows = []
    for name in functions:
        function = application.function(name)
        size = sum(map(_size, (function.code, *function.layers)))
        rows.append({"function": name, "mb": size / 1e6})
    return rows


def import_times(build: Path, *, n_times: int) -> list[dict[str, Any]]:
    """Rows of what is imported, best and median processor time, and median time, in ms.

    Each import runs in a process of its own with the function's variables, from the built
    layers; Python's own start is not counted. All take turns, so that other load meets all.
    """
    taken: dict[str, list[list[float]]] = {name: [] for name in (*IMPORTS, *COMPILED)}
    with tempfile.TemporaryDirectory() as folder:
        compiled = {"PYTHONPYCACHEPREFIX": folder}
        for name in COMPILED.values():
            _imported(build, name, compiled)
        for _ in range(n_times):
            for name in IMPORTS:
                taken[name].append(_imported(build, name, {"PYTHONDONTWRITEBYTECODE": "1"}))
            for name, same in COMPILED.items():
                taken[name].append(_imported(build, same, compiled))
    return [
        {
            "what": name,
            "cpu_ms_best": min(used for used, _ in times),
            "cpu_ms": median(used for used, _ in times),
            "wall_ms": median(wall for _, wall in times),
        }
        for name, times in taken.items()
    ]


def _imported(build: Path, what: str, variables: Mapping[str, str]) -> list[float]:
    name, statements = IMPORTS[what]
    function = BuiltApplication(build).function(name)
    paths = (
        function.code,
        merge_layers(function.layers) / "python",
        find_runtime_packages(ROOT / ".tools"),
    )
    environment = {
        **function.environment,
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": ":".join(map(str, paths)),
        **variables,
    }
    python = find_python() / "bin" / "python3.13"
    run = subprocess.run(
        [str(python), "-c", _SCRIPT.format(statements=statements)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    times: list[float] = json.loads(run.stdout)
    return times


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
