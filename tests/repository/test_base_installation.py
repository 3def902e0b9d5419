"""The wheel alone, without extras: how large it is, and what a command says that needs more.

That jobs are run, replayed and reported with it is in test_pythons.py.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.repository.source_files import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the sizes are those on Linux"),
]

MOST_BYTES = 275_000_000
"""Of all files but bytecode, of which pip makes another 25 MB or so."""

UV = ROOT / ".tools/bootstrap/bin/uv"
JOB = "labeljob-store/labeljob/jobs/photos"


@pytest.fixture(scope="module")
def installation(wheel, tmp_path_factory):
    """A folder with an environment of the wheel and what it needs, in the locked versions."""
    if not UV.is_file():
        pytest.skip("needs uv, which make installs")
    folder = tmp_path_factory.mktemp("base")
    lock = ROOT / "requirements/runner.txt"
    environment = {"UV_CACHE_DIR": str(ROOT / ".tools/cache"), **os.environ}
    for arguments in (
        ["venv", "--python", sys.executable, folder / "venv"],
        ["pip", "install", "--python", folder / "venv", "--constraints", lock, wheel],
    ):
        subprocess.run([UV, *arguments, "--quiet"], env=environment, check=True)
    return folder


def call(installation, *arguments, code=0):
    """Run a command in the installation's folder; all that it prints."""
    result = subprocess.run(
        [installation / "venv/bin/labeljob", *arguments],
        cwd=installation,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(installation),
            "PYTHONPYCACHEPREFIX": str(installation / "bytecode"),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == code, result.stderr
    return result.stdout + result.stderr


def test_it_is_as_small_as_the_documents_say(installation):
    files = [file for file in (installation / "venv/lib").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files if file.suffix != ".pyc") < MOST_BYTES


def test_the_version_and_the_help_need_no_extra(installation):
    assert re.match(r"labeljob \d", call(installation, "--version"))
    assert "--public-url" in call(installation, "portal", "--help")


def test_a_command_that_needs_more_names_the_extra(installation):
    lines = [json.dumps({"source-ref": f"s3://photos/{number}.jpg"}) for number in range(6)]
    (installation / "photos.manifest").write_text("\n".join(lines), encoding="utf-8")
    task = ("--task", "image-multi-class", "--labels", "cat,dog", "--workers", "4")
    call(installation, "run", "photos.manifest", *task)
    for arguments, extra in (
        (["portal", "."], "portal"),
        (["replay", "s3://bucket/job"], "aws"),
        (["doctor"], "aws"),
        (["demo"], "demo"),
        (["replay", JOB, "--on", "dask"], "dask"),
        (["export", JOB, "--format", "huggingface", "-o", "out"], "exports"),
    ):
        text = call(installation, *arguments, code=1)
        assert f"pip install 'groundtruth-consolidation[{extra}]'" in text, (arguments, text)
