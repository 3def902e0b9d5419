"""A portal that is killed at any step makes the same files as one that is not."""

import shutil
import signal
import subprocess
import sys
from random import Random

import pytest

from labeljob.portal.portal import Portal
from tests.runner.portal import people

pytestmark = pytest.mark.slow

MOMENT = 1_800_000_000.0

SCRIPT = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from groundtruth.storage.folder import FolderStore
from labeljob.portal.database import Database
from labeljob.portal.portal import Portal

store, moment, last_step = sys.argv[1:]
steps = 0

def step():
    global steps
    steps += 1
    if steps == int(last_step):
        os.kill(os.getpid(), signal.SIGKILL)

replace, transaction = FolderStore._replace, Database.transaction

def mortal_replace(self, uri, fill):
    step()
    replace(self, uri, fill)
    step()

@contextmanager
def mortal_transaction(self):
    with transaction(self) as connection:
        yield connection
        step()
    step()

portal = Portal(Path(store), settle=0, clock=lambda: float(moment))
FolderStore._replace, Database.transaction = mortal_replace, mortal_transaction
portal.run_due()
portal.close()
"""


def consolidate(store, *, last_step):
    """Make labels in a process that kills itself at a step; whether it came to its end."""
    arguments = [sys.executable, "-c", SCRIPT, str(store), str(MOMENT), str(last_step)]
    ended = subprocess.run(arguments, check=False, stderr=subprocess.PIPE)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr.decode()
    return ended.returncode == 0


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """A store with all answers to a job, of which no file is made; and the files to be made."""
    folder = tmp_path_factory.mktemp("answered")
    clock = iter(range(int(MOMENT), int(MOMENT) + 100_000))
    portal = Portal(folder / "store", settle=0, clock=lambda: float(next(clock)))
    job = portal.begin(people.describe(folder, n_images=5, batch_size=2))
    people.join(portal, *people.WORKERS)
    for name in people.WORKERS:
        people.work(portal, job, name, wrong=["1"] if name == "ben" else [])
    portal.close()
    undisturbed = folder / "undisturbed"
    shutil.copytree(folder / "store", undisturbed)
    assert consolidate(undisturbed, last_step=0)
    return folder / "store", people.files(undisturbed / "labeljob")


@pytest.mark.parametrize("seed", [None, 1])
def test_killed_between_any_two_steps(answered, tmp_path, seed):
    """Without a seed the steps before the kill grow one by one, until all are done."""
    before, expected = answered
    store = tmp_path / "store"
    shutil.copytree(before, store)
    kills = 0
    random = Random(seed)
    while not consolidate(store, last_step=random.randint(1, 20) if seed else kills + 1):
        kills += 1
        assert kills < 100
    assert kills > 0
    assert people.files(store / "labeljob") == expected
    names = [name.rpartition("/")[2] for name in expected]
    assert names.count("output.manifest") == names.count("summary.json") == 1
