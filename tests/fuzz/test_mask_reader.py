import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_a_short_run_of_the_fuzzer_finds_nothing(tmp_path):
    pytest.importorskip("atheris", reason="fuzzing needs atheris, which is optional")
    library = ROOT / "layers" / "groundtruth" / "python"
    result = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "-runs=3000", "-seed=1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{library}{os.pathsep}{ROOT}", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
