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
from typer.testing import CliRunner

from labeljob.commands import app
from labeljob.output_files import draft_folder, write_text
from tests.runner.history import job_folders as on_disk

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


def words_of_a_job(tmp_path, *, n_objects, n_workers):
    """What is said after `run`, the store last; writes the manifest."""
    manifest = tmp_path / "photos.manifest"
    lines = (json.dumps({"source-ref": f"s3://photos/{at}.jpg"}) for at in range(n_objects))
    manifest.write_text("\n".join(lines) + "\n")
    kind = ["--task", "image-multi-class", "--labels", LABELS]
    return [manifest, *kind, "--workers", n_workers, "-o", tmp_path / "store"]


def wait_for(pattern, store, process, *, missing):
    deadline = time.monotonic() + 60
    while not list(store.glob(pattern)):
        assert time.monotonic() < deadline, missing
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_interrupted_job_goes_on_and_does_nothing_twice(tmp_path):
    store = tmp_path / "store"
    arguments = words_of_a_job(tmp_path, n_objects=3000, n_workers=5)
    process = run_as_process(arguments)
    wait_for(
        "**/consolidation-response/*/*.json", store, process, missing="no batch was consolidated"
    )
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


def test_what_a_killed_run_left_half_written_is_gone_after_the_next(tmp_path):
    store = tmp_path / "store"
    arguments = words_of_a_job(tmp_path, n_objects=500, n_workers=3)
    process = run_as_process(arguments, start_new_session=True)
    wait_for("**/worker-response/*/*/*.json", store, process, missing="nobody answered")
    process.kill()
    process.communicate(timeout=60)
    # Where it is killed is chance; these are what it would have left at other moments.
    job = store / "labeljob/jobs/photos"
    left = [
        job / f".part-{process.pid}-1",
        job / f"annotations/worker-response/.part-{process.pid}-2",
        store / f".labeling-jobs/.part-{process.pid}-abcd",
    ]
    alive = job / f".part-{os.getpid()}-1"
    for path in [*left, alive]:
        path.write_text("half")
    process = run_as_process(arguments)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert list(store.rglob(".part-*")) == [alive]
    assert (job / "manifests/output/output.manifest").read_text().count("\n") == 500


@pytest.mark.parametrize("write", ["text", "folder"])
def test_what_is_written_anywhere_removes_what_was_left_beside_it(tmp_path, write):
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    on_disk.write(tmp_path / f"out/.part-{killed.pid}-draft/page.html", "half")
    on_disk.write(tmp_path / f"out/.part-{killed.pid}-x", "half")
    deeper = on_disk.write(tmp_path / f"out/other/.part-{killed.pid}-x", "not looked for")
    if write == "text":
        write_text(tmp_path / "out/page.html", "whole")
    else:
        with draft_folder(tmp_path / "out/made") as draft:
            (draft / "page.html").write_text("whole")
    assert list(tmp_path.rglob(".part-*")) == [deeper]
    assert next((tmp_path / "out").rglob("page.html")).read_text() == "whole"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["replay", "{job}"], id="replay"),
        pytest.param(["replay", "{job}", "-o", "{job}/replays/mine"], id="replay-elsewhere"),
        pytest.param(["finish", "{job}"], id="finish"),
    ],
)
def test_writers_remove_what_was_left_half_written(tmp_path, words):
    job = on_disk.make_job(tmp_path / "bucket/zoo", {"0": {"ann": "cat"}}, ["cat"])
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    for folder in ("replays/majority/masks", "manifests/output", "replays/mine"):
        on_disk.write(job / folder / f".part-{killed.pid}-1", "half")
    on_disk.write(job / f"replays/.part-{killed.pid}-draft/mine/object.manifest", "half")
    outcome = CliRunner().invoke(app, [word.format(job=job) for word in words])
    assert outcome.exit_code == 0, outcome.output
    assert list(job.rglob(".part-*")) == []
