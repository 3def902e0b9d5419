"""Jobs that people work on, from photographs to the output manifest and what reads it."""

import json

import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from labeljob.portal.portal import Portal
from tests.runner.portal import people

TASKS = ["image-multi-class", "image-multi-class-multi-label", "semantic-segmentation"]


def run_command(*words):
    outcome = CliRunner().invoke(app, [str(word) for word in words])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "the team's \N{LATIN SMALL LETTER E WITH ACUTE}tude"


@pytest.fixture
def portal(folder):
    folder.mkdir()
    portal = Portal(folder / "labeljob-store", settle=0)
    yield portal
    portal.close()


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_three_workers_label_photographs(portal, folder, task):
    job = portal.begin(people.describe(folder, task, n_images=7))
    people.join(portal, *people.WORKERS)
    for name in people.WORKERS:
        wrong = ["6"] if name == "ben" else []
        assert people.work(portal, job, name, wrong=wrong) == 7
    portal.run_due()
    assert job.state() == "finished"
    attribute = job.description.attribute
    for at, line in enumerate(people.read_lines(job.output_manifest)):
        metadata = line[f"{attribute}-metadata"]
        assert metadata["type"] == "groundtruth/custom"
        expected = people.LABELS[people.choose(str(at))]
        assert expected in json.dumps(line[attribute]), line
        assert line[attribute]["status"] != "no-usable-answer"
    for command in ("report", "explain", "replay", "finish", "tables", "export"):
        words = {
            "report": ["-o", folder / "report.html"],
            "explain": ["3"],
            "replay": [],
            "finish": [],
            "tables": ["-o", folder / "tables"],
            "export": ["--format", "coco", "-o", folder / "coco"],
        }[command]
        run_command(command, job.folder, *words)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "data:image/" in page  # the photographs, which are read where they lie
