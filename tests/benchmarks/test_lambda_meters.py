"""Processor share, processor time and peak memory are those of the adopted processes."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

from benchmarks.lambdas import emulated as lambda_meters
from benchmarks.lambdas.emulated import ProcessCounters, descendants, meter, resident_peak

pytestmark = pytest.mark.slow

BUSY = """
import time
block = bytearray(60_000_000)
end = time.process_time() + 0.2
while time.process_time() < end: pass
print("done", flush=True)
input()
"""


@contextmanager
def waiting_shell():
    """A shell that starts Python when a line comes in, so that both can be adopted before."""
    command = ["sh", "-c", 'read line; "$0" -c "$1"; true', sys.executable, BUSY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        yield shell


def until_done(shell):
    shell.stdin.write(b"go\n")
    shell.stdin.flush()
    shell.stdout.readline()


@pytest.fixture
def group():
    with meter() as gauge:
        if not gauge.limits:
            pytest.skip("this machine lets us make no control group")
        yield gauge


def test_a_control_group_measures_what_its_processes_start(group):
    with waiting_shell() as shell:
        group.adopt([shell.pid])
        until_done(shell)
        shell.stdin.close()
    assert group.processor_seconds() >= 0.2
    assert 60e6 < group.peak_bytes() < 200e6


def test_a_control_group_keeps_processes_to_their_share(group):
    with waiting_shell() as shell:
        group.adopt([shell.pid])
        group.limit(0.25)
        until_done(shell)
        shell.stdin.close()
        statistics = (group._folders["cpu"] / "cpu.stat").read_text().split()
    assert int(statistics[statistics.index("nr_throttled") + 1]) > 0


def test_a_control_group_is_gone_afterwards():
    with meter() as gauge:
        if not gauge.limits:
            pytest.skip("this machine lets us make no control group")
        folders = set(gauge._folders.values())
        assert all(folder.is_dir() for folder in folders)
    assert not any(folder.exists() for folder in folders)


def test_without_control_groups_the_processes_own_counters_have_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(lambda_meters, "MOUNT", tmp_path / "nothing")
    with meter() as gauge, waiting_shell() as shell:
        assert not gauge.limits
        assert isinstance(gauge, ProcessCounters)
        gauge.adopt([shell.pid])
        gauge.limit(0.25)
        until_done(shell)
        assert 0.15 <= gauge.processor_seconds() < 1.0
        assert 60e6 < gauge.peak_bytes() < 200e6
        assert len(descendants([shell.pid])) == 2
        shell.stdin.close()


def test_a_process_that_ended_counts_for_nothing():
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert descendants([ended.pid]) == []
    assert resident_peak(ended.pid) == 0
