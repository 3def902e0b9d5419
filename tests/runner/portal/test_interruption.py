"""A portal that is killed at any step makes the same files as one that is not."""

import shutil
import subprocess
import sys
from random import Random

import pytest

from labeljob.portal.portal import Portal
from tests.runner.portal import people

pytestmark = pytest.mark.slow

MOMENT = 1_800_000_000.0

SCRIPT = """
import os, signal, sys, traceback
from contextlib import contextmanager
from pathlib import Path
from groundtruth.storage.folder import FolderStore
from labeljob.portal.database import Database
from labeljob.portal.portal import Portal

store, moment, *last_steps = sys.argv[1:]
steps = last_step = 0

def step():
    global steps
    steps += 1
    if steps == last_step:
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

def make_labels():
    portal = Portal(Path(store), settle=0, clock=lambda: float(moment))
    FolderStore._replace, Database.transaction = mortal_replace, mortal_transaction
    portal.run_due()
    portal.close()

for kills, last_step in enumerate(map(int, last_steps)):
    process = os.fork()
    if process == 0:
        try:
            make_labels()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if ended != -signal.SIGKILL:
        print(kills)
        sys.exit(ended)
sys.exit("it never came to its end")
"""


def consolidate(store, *last_steps):
    """Make labels in processes that kill themselves at a step, until one ends; how many did not."""
    arguments = [sys.executable, "-c", SCRIPT, str(store), str(MOMENT), *map(str, last_steps)]
    ended = subprocess.run(arguments, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


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
    assert consolidate(undisturbed, 0) == 0
    return folder / "store", people.files(undisturbed / "labeljob")


@pytest.mark.parametrize("seed", [None, 1])
def test_killed_between_any_two_steps(answered, tmp_path, seed):
    """Without a seed the steps before the kill grow one by one, until all are done."""
    before, expected = answered
    store = tmp_path / "store"
    shutil.copytree(before, store)
    random = Random(seed)
    last_steps = [random.randint(1, 20) if seed else 1 + kills for kills in range(100)]
    assert consolidate(store, *last_steps) > 0
    assert people.files(store / "labeljob") == expected
    names = [name.rpartition("/")[2] for name in expected]
    assert names.count("output.manifest") == names.count("summary.json") == 1
