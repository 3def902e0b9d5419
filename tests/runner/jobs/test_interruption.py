"""`labeljob run` goes on after an interruption, and does nothing twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LABELS = "cat,dog,bird"

COMMAND = [sys.executable, "-c", "from labeljob.cli import main; main()", "run"]


def run_as_process(arguments, **options):
    root = Path(__file__).resolve().parents[3]
    paths = [str(root / "layers/groundtruth/python"), str(root / "runner")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], env=environment, stderr=subprocess.PIPE, **options
    )


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_interrupted_job_goes_on_and_does_nothing_twice(tmp_path):
    store = tmp_path / "store"
    manifest = tmp_path / "photos.manifest"
    lines = (json.dumps({"source-ref": f"s3://photos/{at}.jpg"}) for at in range(3000))
    manifest.write_text("\n".join(lines) + "\n")
    arguments = [
        manifest, "--task", "image-multi-class", "--labels", LABELS, "--workers", "5", "-o", store,
    ]  # fmt: skip
    process = run_as_process(arguments)
    deadline = time.monotonic() + 60
    while not list(store.glob("**/consolidation-response/*/*.json")):
        assert time.monotonic() < deadline, "no batch was consolidated"
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Run the same command again" in message
    job = store / "labeljob/jobs/photos"
    before = {path: path.stat().st_mtime_ns for path in job.rglob("*.json")}
    assert not (job / "manifests").exists()

    process = run_as_process(arguments)
    process.communicate(timeout=120)
    assert process.returncode == 0
    # The request of the batch that was under way is the same again, so it may be written again.
    again = [path for path, time in before.items() if path.stat().st_mtime_ns != time]
    assert [path for path in again if "consolidation-request" not in str(path)] == []
    assert len(again) <= 1

    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(store / ".labeling-jobs", undisturbed / ".labeling-jobs")
    process = run_as_process([*arguments[:-1], undisturbed])
    process.communicate(timeout=120)
    assert files(undisturbed / "labeljob") == files(store / "labeljob")
