"""The notebooks run as they are, and find what they show; so does the reference's code."""

import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demonstration")]

DOCS = Path(__file__).resolve().parents[3] / "docs"
NOTEBOOKS = DOCS / "notebooks"
WITHOUT_PORTS = Config({"ConnectionFileMixin": {"transport": "ipc"}})


def shown(notebook):
    """All texts that cells put out, cell by cell; pictures by their kind alone."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [(cell["source"], *map(text_of, cell["outputs"])) for cell in cells]


def text_of(output):
    if output["output_type"] == "stream":
        return output["text"]
    return "picture" if "image/jpeg" in output["data"] else output["data"]["text/plain"]


@pytest.fixture(autouse=True)
def folder(demonstration, tmp_path, monkeypatch):
    """The folder that a reader works in, with `labeljob` on the path."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # not into the home folder
    shutil.copy(NOTEBOOKS / "answers.csv", tmp_path)
    (tmp_path / "demo-output").symlink_to(demonstration)
    monkeypatch.chdir(tmp_path)  # where a kernel's sockets are made, too


@pytest.mark.parametrize("name", ["three-lines", "a-job"])
def test_a_notebook_finds_what_it_shows(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    expected = shown(notebook)
    NotebookClient(notebook, config=WITHOUT_PORTS).execute()
    assert shown(notebook) == expected


def test_the_code_of_the_reference_runs():
    blocks = re.findall(
        r"```python\n(.*?)```", (DOCS / "reference/python.md").read_text(), re.DOTALL
    )
    assert len(blocks) == 3
    for block in blocks:
        exec(block, {})


def test_all_notebooks_are_run():
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == {"three-lines", "a-job"}
