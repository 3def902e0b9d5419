"""The wheel and the sdist: they bring the built pages, so that their users need no Node.js."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.repository.source_files import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def names(wheel):
    """Names of the files in the wheel."""
    return zipfile.ZipFile(wheel).namelist()


def test_the_built_pages_are_in_the_wheel(names):
    made = {"elements.js", "worker.js", "owner.js", "portal.css", "licenses.txt"}
    assert {f"labeljob/portal/static/{name}" for name in made} <= set(names)


def test_what_pages_are_built_of_is_not_in_the_wheel(names):
    assert [name for name in names if "/pages/" in name or name.endswith(".map")] == []


def test_the_application_is_in_the_wheel(names):
    assert "labeljob/_application/template.yaml" in names
    assert "labeljob/_application/worker_templates/image_multi_class.liquid.html" in names


def test_the_sdist_has_the_built_pages_and_nothing_of_the_users(tmp_path):
    """`make dist` makes the wheel of the sdist; a checkout may hold photographs and jobs."""
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path)
    page = "runner/labeljob/portal/static/worker.js"
    users = ("photos/cat.jpg", "labeljob-store/labeljob/jobs/photos/answer.json", "photos.manifest")
    for name in (page, *users):
        Path(tmp_path, name).parent.mkdir(parents=True, exist_ok=True)
        Path(tmp_path, name).touch()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", "dist"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("dist/*.tar.gz")
    with tarfile.open(sdist) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert page in files
    assert files.isdisjoint(users)
