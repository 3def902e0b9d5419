"""What the scaling study of `labeljob replay` counts, and which powers it finds."""

import sys

import pytest

from benchmarks.scaling.replay import find_exponents, measure_command

pytestmark = pytest.mark.slow

MIB = 2**20
PARENT = """
import subprocess, sys
kept = bytearray(b"x" * {size})
subprocess.run([sys.executable, "-c", {child!r}])
"""
CHILD = f"""
import time
kept = bytearray(b"x" * {100 * MIB})
until = time.process_time() + 0.5
while time.process_time() < until: pass
"""


def test_a_command_is_measured_with_the_processes_it_starts():
    parent = PARENT.format(size=100 * MIB, child=CHILD)
    figures = measure_command([sys.executable, "-c", parent])
    assert figures["peak_mib"] > 200
    assert figures["cpu_seconds"] > 0.3


def test_a_command_that_fails_says_why():
    with pytest.raises(SystemExit, match="no such job"):
        measure_command([sys.executable, "-c", "raise SystemExit('no such job')"])


def test_a_power_is_found_of_large_sizes_only():
    rows = [
        {"answers": answers, "what": "replay", "workers": 1, "cpu_seconds": seconds}
        for answers, seconds in ((10**5, 50.0), (10**6, 1.0), (10**7, 100.0))
    ]
    (power,) = find_exponents(rows)
    assert power["exponent"] == pytest.approx(2.0)
