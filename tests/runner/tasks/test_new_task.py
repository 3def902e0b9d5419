"""A fourth job type is added in a few lines, and goes through all of the command.

`new_task/` holds what `docs/contributing/new-task.md` walks through.
"""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import groundtruth.tasks.registry
from labeljob.application import APPLICATION_VARIABLE
from labeljob.commands import app
from labeljob.tasks.registry import JOB_TYPES
from tests.runner.tasks.new_task import groundtruth_task, labeljob_task

pytestmark = pytest.mark.slow

NEW_TASK = Path(labeljob_task.__file__).parent
TEXTS = ["good food", "bad service", "the bill was wrong", "lovely", "never again", "fine"]


@pytest.fixture(autouse=True)
def text_classification(monkeypatch):
    """The job type, registered for these tests alone."""
    job_type = labeljob_task.TextClassification()
    monkeypatch.setitem(JOB_TYPES, job_type.name, job_type)
    task = groundtruth_task.TextClassification()
    monkeypatch.setitem(groundtruth.tasks.registry.TASKS, task.name, task)
    monkeypatch.setenv(APPLICATION_VARIABLE, str(NEW_TASK))


def labeljob(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def job(tmp_path):
    """The folder of a job whose texts three careful workers labeled."""
    manifest, truth = tmp_path / "texts.manifest", tmp_path / "truth.jsonl"
    labels = ["praise", "complaint", "praise", "praise", "complaint", "praise"]
    lines = [{"source": text} for text in TEXTS]
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    known = [{**line, "label": label} for line, label in zip(lines, labels, strict=True)]
    truth.write_text("".join(f"{json.dumps(line)}\n" for line in known))
    labeljob(
        "run", manifest, "--task", "text-classification", "--labels", "praise,complaint",
        "--workers", "careful:3", "--truth", truth, "-o", tmp_path / "store",
    )  # fmt: skip
    return tmp_path / "store/labeljob/jobs/texts"


def read_json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_labels_every_text(job):
    lines = read_json_lines(job / "manifests/output/output.manifest")
    assert [line["source"] for line in lines] == TEXTS
    assert {line["label"]["class-name"] for line in lines} == {"praise", "complaint"}
    assert {line["label"]["schema"] for line in lines} == {
        "consolidated-label/text-classification/1"
    }


def test_the_consolidation_gets_the_text(job):
    (request,) = (job / "annotations/consolidated-annotation/consolidation-request").rglob("*.json")
    content = [entry["dataObject"] for entry in json.loads(request.read_text())]
    assert content == [{"content": text} for text in TEXTS]


def test_a_replay_gives_the_labels_that_there_are(job, tmp_path):
    labeljob("replay", job, "-o", tmp_path / "out")
    before = read_json_lines(job / "manifests/output/output.manifest")
    after = read_json_lines(tmp_path / "out/object.manifest")
    assert [line["label"] for line in after] == [line["label"] for line in before]


def test_a_report_shows_the_job(job, tmp_path):
    labeljob("report", job, "-o", tmp_path / "report.html")
    assert "one label per text" in (tmp_path / "report.html").read_text()


def test_a_finished_manifest_has_the_builtin_shape(job):
    labeljob("finish", job)
    lines = read_json_lines(job / "manifests/output/finished.manifest")
    assert {line["label-metadata"]["type"] for line in lines} == {"groundtruth/text-classification"}
    assert {line["label"] for line in lines} == {0, 1}


def stripped(text):
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def test_the_page_for_contributors_shows_this_code():
    text = (NEW_TASK.parents[3] / "docs/contributing/new-task.md").read_text(encoding="utf-8")
    files = [path for suffix in ("py", "html", "yaml") for path in NEW_TASK.rglob(f"*.{suffix}")]
    written = stripped("\n".join(path.read_text(encoding="utf-8") for path in files))
    blocks = re.findall(r"```\w+\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        assert stripped(block) in written
