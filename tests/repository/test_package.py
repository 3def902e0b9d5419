"""The wheel: it brings the built pages, so that its users need no Node.js."""

import subprocess
import sys
import zipfile

import pytest

from tests.repository.source_files import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl"))).namelist()


def test_the_built_pages_are_in_the_wheel(wheel):
    made = {"elements.js", "worker.js", "owner.js", "portal.css", "licenses.txt"}
    assert {f"labeljob/portal/static/{name}" for name in made} <= set(wheel)


def test_what_pages_are_built_of_is_not_in_the_wheel(wheel):
    assert [name for name in wheel if "/pages/" in name or name.endswith(".map")] == []


def test_the_application_is_in_the_wheel(wheel):
    assert "labeljob/_application/template.yaml" in wheel
    assert "labeljob/_application/worker_templates/image_multi_class.liquid.html" in wheel
