"""Engines: what they need, and what they refuse."""

import importlib.util
import pickle
import platform
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

from groundtruth.storage.s3 import S3Store
from labeljob.commands.options import EngineName
from labeljob.engines import executors
from labeljob.engines.executors import ENGINES, open_engine
from labeljob.extras import MissingExtraError
from labeljob.jobs.description import JobError

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("processes", {"address": "tcp://10.0.0.7:8786"}, "processes have no address"),
        ("dask", {"address": "tcp://10.0.0.7:8786", "workers": 2}, "workers of its own"),
    ],
)
def test_options_that_contradict_each_other_are_refused(name, options, problem):
    with pytest.raises(JobError, match=problem), open_engine(name, **options):
        pass


@pytest.mark.parametrize(("name", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_an_extra_that_is_missing_is_named(name, package, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    problem = rf"--on {name} needs {package}.*pip install 'groundtruth-consolidation\[{name}\]'"
    with pytest.raises(MissingExtraError, match=problem), open_engine(name):
        pass


def test_a_cluster_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", 0.2)
    with (
        pytest.raises(JobError, match=r"dask cannot be used at tcp://127\.0\.0\.1:9"),
        open_engine("dask", address="tcp://127.0.0.1:9"),
    ):
        pass


def test_the_options_have_a_choice_for_every_engine():
    assert [*ENGINES, "aws"] == list(EngineName)


def test_another_process_opens_a_store_once():
    sent = pickle.dumps(S3Store("arn:aws:iam::123456789012:role/reader"))
    assert pickle.loads(sent) is pickle.loads(sent)


KILLED = """
import os, signal
from labeljob.engines.executors import open_engine

with open_engine(workers=2) as engine:
    started = [engine.executor.submit(os.getpid) for _ in range(2)]
    print(len({future.result() for future in started}), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_end_when_the_command_is_killed():
    # They have its standard output too, which is read until the last of them has closed it.
    told = subprocess.run([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, timeout=60)
    assert told.returncode == -9
    assert told.stdout.strip()


def test_ctrl_c_is_kept_from_a_process_before_it_begins():
    with open_engine(workers=1) as engine:
        blocked = engine.executor.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result()
    assert signal.SIGINT in blocked


def count_page_faults(rounds):
    """Faults of arrays that come and go together, 32 MB in each round."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        [np.ones(1 << 18) for _ in range(16)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="an option of glibc")
def test_a_process_keeps_the_memory_of_arrays_for_those_that_come_after():
    with open_engine(workers=1) as engine:
        first, later = (
            engine.executor.submit(count_page_faults, rounds).result() for rounds in (1, 20)
        )
    assert later < 2 * first
