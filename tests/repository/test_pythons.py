"""The wheel alone, in every Python that it is for: a job is run there, replayed and reported."""

import json
import os
import subprocess

import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from tests.repository.source_files import ROOT

pytestmark = pytest.mark.slow

OTHERS = ("3.11", "3.12", "3.14")
"""All other tests are run by Python 3.13, which is Lambda's."""

UV = ROOT / ".tools/bootstrap/bin/uv"
JOB = "labeljob-store/labeljob/jobs/photos"
RUN = (
    "run", "photos.manifest", "--task", "image-multi-class", "--labels", "cat,dog,bird",
    "--workers", "careful:3,careless:2",
)  # fmt: skip
REPLAY = ("replay", JOB, "--algorithm", "calibrated", "-o", "again", "--json")
REPORT = ("report", JOB, "-o", "report")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    """What the job and its replay give in this Python."""
    folder = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_manifest(folder)
        for arguments in (RUN, REPLAY):
            result = CliRunner().invoke(app, arguments)
            assert result.exit_code == 0, result.output
    return read_manifests(folder)


def write_manifest(folder):
    lines = [json.dumps({"source-ref": f"s3://photos/{number}.jpg"}) for number in range(40)]
    (folder / "photos.manifest").write_text("\n".join(lines))


def read_manifests(folder):
    files = (folder / JOB / "manifests/output/output.manifest", folder / "again/object.manifest")
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    for line in lines:
        del line["label-metadata"]["creation-date"]
    return lines


def install(version, wheel, folder):
    """Install the wheel without extras, in the locked versions; return its command."""
    found = subprocess.run([ROOT / ".ci/find-python", version], capture_output=True, text=True)
    if found.returncode:
        pytest.skip(f"there is no Python {version} on this machine")
    lock = ROOT / "requirements/runner.txt"
    environment = {"UV_CACHE_DIR": str(ROOT / ".tools/cache"), **os.environ}
    for arguments in (
        ["venv", "--python", found.stdout.strip(), folder],
        ["pip", "install", "--python", folder, "--constraints", lock, wheel],
    ):
        subprocess.run([UV, *arguments, "--quiet"], env=environment, check=True)
    return folder / "bin/labeljob"


@pytest.mark.parametrize("version", OTHERS)
def test_another_python_gives_the_same_labels(version, wheel, manifests, tmp_path):
    labeljob = install(version, wheel, tmp_path / "environment")
    write_manifest(tmp_path)
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "pyc"), "PYTHONPATH": ""}
    for arguments in (RUN, REPLAY, REPORT):
        result = subprocess.run(
            [labeljob, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr
    assert read_manifests(tmp_path) == manifests
    assert "photos" in (tmp_path / "report").read_text(encoding="utf-8")
