import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


RUNS = 20_000


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64") or sys.version_info >= (3, 14),
    reason="there is no wheel of atheris, the fuzzer, for this platform",
)
def test_a_short_run_of_the_fuzzer_finds_nothing(tmp_path):
    library = ROOT / "layers" / "groundtruth" / "python"
    result = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", f"-runs={RUNS}", "-seed=1", f"{tmp_path}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{library}{os.pathsep}{ROOT}", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert re.search(rf"Done {RUNS} (runs )?in", result.stderr), result.stderr[-2000:]
