"""The wheel that is made of the checkout."""

import subprocess
import sys

import pytest

from tests.repository.source_files import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Path of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made
