"""A process in which careless workers label a job: they walk away, come late and submit twice.

Called with the database, a log, a seed, and the time limit in seconds. Each line of the log is
JSON: ``["asked", object, worker, accepted]`` after an object was handed out, and
``["saved", object, worker, answer]`` after an answer was acknowledged. The process ends when no
object is open.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

from labeljob.portal.assignments import release, reserve, skip, submit, take
from labeljob.portal.database import Database
from labeljob.portal.progress import count_objects

WORKERS = [f"worker-{number}" for number in range(12)]


def label_job(database, log, rng, time_limit):
    def note(*entry):
        os.write(log, (json.dumps(entry) + "\n").encode())

    def hand_in(object_id, worker):
        answer = f"{os.getpid()}-{rng.random()}"
        if submit(database, "job", object_id, worker, {"label": answer}) == "saved":
            note("saved", object_id, worker, answer)

    late = []
    while count_objects(database, "job").open:
        worker = rng.choice(WORKERS)  # the same one may be at work in another process: two tabs
        lease = take(database, "job", worker, time_limit)
        if lease is None:
            time.sleep(0.01)
            continue
        note("asked", lease.object_id, worker, lease.accepted)
        if rng.random() < 0.7:
            reserve(database, "job", worker, time_limit)
        what = rng.random()
        if what < 0.1:
            late.append((lease.object_id, worker))
        elif what < 0.15:
            skip(database, "job", lease.object_id, worker)
        elif what < 0.2:
            release(database, "job", worker)
        else:
            hand_in(lease.object_id, worker)
            if what > 0.8:
                hand_in(lease.object_id, worker)
        if len(late) > 10:
            hand_in(*late.pop(0))


def main(path, log_path, seed, time_limit):
    database = Database(Path(path))
    log = os.open(log_path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    label_job(database, log, random.Random(int(seed)), float(time_limit))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
