"""A job of 100,000 data objects takes no more memory than a small one."""

import json
import subprocess
import sys

import pytest

from groundtruth.compat import batched
from tests.unit.finishing.ended_jobs import (
    ATTRIBUTE,
    METADATA,
    RESPONSES,
    ROOT,
    Job,
    chosen,
    custom,
    reference,
)

CALL_SIZE = 50
OBJECTS = 100_000
MOST_GROWTH_KB = 24 * 1024

FINISH = f"""
import resource, sys
from pathlib import Path
from groundtruth.finishing.job import EndedJob
from groundtruth.finishing.job import finish_job
from groundtruth.storage.folder import FolderStore

job = EndedJob(root={ROOT!r}, attribute={ATTRIBUTE!r}, min_confidence=0.5)
result = finish_job(job, store=FolderStore(Path(sys.argv[1])))
print(result.summary["objects"], result.summary["labeled"], result.summary["requeued"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def label(at):
    return chosen(
        at % 20,
        f"class {at % 20}",
        (at % 100) / 100,
        votes={f"class {at % 20}": 3, "class 99": 1},
        status="consensus",
        answers={
            "used": 4,
            "set-aside": [
                {"worker-id": f"private.us-west-2.{at % 500:016x}", "reason": "unknown-label"}
            ],
        },
        algorithm={"name": "majority", "settings": "e6a435b76184"},
    )


def write_job(folder, n_objects):
    job = Job(folder)
    manifest = job.store.path(f"{ROOT}/manifests/output/output.manifest")
    manifest.parent.mkdir(parents=True)
    with manifest.open("w") as file:
        for at in range(n_objects):
            line = {"source-ref": reference(at), ATTRIBUTE: label(at), METADATA: custom()}
            file.write(json.dumps(line) + "\n")
    for number, numbers in enumerate(batched(range(n_objects), CALL_SIZE)):
        time = f"2026-03-{1 + number // 1440:02d}_{number // 60 % 24:02d}:{number % 60:02d}:00"
        job.response({at: {ATTRIBUTE: label(at)} for at in numbers}, time=time)
    assert len(list(job.store.list(RESPONSES + "/"))) == -(-n_objects // CALL_SIZE)


def finish_in_a_process(folder, checkout):
    """What another process says of the job, and how much memory it took at most, in KB."""
    found = subprocess.run(
        [sys.executable, "-c", FINISH, str(folder)],
        env={"PYTHONPATH": str(checkout / "layers/groundtruth/python")},
        capture_output=True,
        text=True,
        check=True,
    )
    counts, memory = found.stdout.splitlines()
    return counts, int(memory)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is counted in KB on Linux only")
def test_memory_does_not_grow_with_the_number_of_lines(tmp_path, checkout):
    memory = {}
    for n_objects in (OBJECTS // 100, OBJECTS):
        folder = tmp_path / str(n_objects)
        write_job(folder, n_objects)
        counts, memory[n_objects] = finish_in_a_process(folder, checkout)
        assert counts == f"{n_objects} {n_objects} {n_objects // 2}"
    assert memory[OBJECTS] - memory[OBJECTS // 100] < MOST_GROWTH_KB
