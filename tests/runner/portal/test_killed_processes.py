"""Several processes label one job and are killed: nothing is lost, nobody is asked twice."""

import json
import random
import subprocess
import sys
import threading
import time

import pytest

from labeljob.portal.assignments import add_job, take
from labeljob.portal.database import Database
from tests.runner.portal.clocks import Clock

N_OBJECTS = 300
N_PROCESSES = 8
N_KILLS = 6
WANTED = 3
TIME_LIMIT = 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_killed_processes_lose_nothing_and_ask_nobody_twice(tmp_path, checkout, seed):
    path, log = tmp_path / "portal.sqlite", tmp_path / "log"
    database = Database(path)
    add_job(database, "job", map(str, range(N_OBJECTS)), wanted=WANTED)
    log.touch()
    rng = random.Random(seed)

    def start():
        arguments = [path, log, rng.randrange(10**9), TIME_LIMIT]
        module = "tests.runner.portal.careless_workers"
        return subprocess.Popen([sys.executable, "-m", module, *map(str, arguments)], cwd=checkout)

    processes = [start() for _ in range(N_PROCESSES)]
    try:
        for answers in sorted(rng.sample(range(50, N_OBJECTS * WANTED - 100), N_KILLS)):
            while log.read_bytes().count(b'"saved"') < answers:
                time.sleep(0.01)
            killed = rng.randrange(N_PROCESSES)
            processes[killed].kill()
            processes[killed].wait()
            processes[killed] = start()
        assert [process.wait() for process in processes] == [0] * N_PROCESSES
    finally:
        for process in processes:
            process.kill()
            process.wait()

    with database.read() as connection:
        kept = {
            (row["object_id"], row["worker_id"]): row
            for row in connection.execute("SELECT * FROM assignments WHERE submitted IS NOT NULL")
        }
        objects = connection.execute("SELECT * FROM objects").fetchall()
    database.close()
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]

    workers_of = {str(number): 0 for number in range(N_OBJECTS)}
    for object_id, _ in kept:
        workers_of[object_id] += 1
    assert set(workers_of.values()) == {WANTED}
    assert {(row["state"], row["answered"], row["leased"]) for row in objects} == {
        ("complete", WANTED, 0)
    }
    saved = {(what[1], what[2]): what[3] for what in entries if what[0] == "saved"}
    assert saved == {
        key: json.loads(row["answer"])["label"] for key, row in kept.items() if key in saved
    }
    assert len(kept) - len(saved) <= N_KILLS  # killed between the commit and the log
    assert sum(what[0] == "saved" for what in entries) == len(saved)
    for _, object_id, worker_id, accepted in (what for what in entries if what[0] == "asked"):
        row = kept.get((object_id, worker_id))
        assert row is None or accepted <= row["submitted"]


def test_the_clock_is_read_after_the_lock_is_taken(tmp_path):
    clock = Clock()
    database = Database(tmp_path / "portal.sqlite", clock=clock)
    add_job(database, "job", ["a"], wanted=1)
    leases = []
    waiting = threading.Thread(target=lambda: leases.append(take(database, "job", "ann", 300)))
    with database.transaction():
        waiting.start()
        time.sleep(0.3)  # until it waits for the lock
        clock.time += 1000
    waiting.join()
    database.close()
    assert leases[0].accepted == clock.time
