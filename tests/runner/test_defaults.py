"""`labeljob.toml`: defaults of options."""

import json
import re

import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from tests.repository.source_files import ROOT
from tests.runner.history.job_folders import make_job

LABELS = ["labels", "cat", "dog"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def zoo(tmp_path):
    """A finished job."""
    votes = {"0": {"ann": "cat", "bob": "cat", "cy": "dog"}, "1": {"ann": "dog", "bob": "dog"}}
    return make_job(tmp_path / "bucket" / "zoo", votes, ["cat", "dog"])


def configure(folder, text):
    (folder / "labeljob.toml").write_text(text, encoding="utf-8")


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_working_folder_has_defaults_of_a_command(folder):
    configure(folder, '[labels]\noutput = "own.json"\n')
    outcome = call(*LABELS)
    assert outcome.exit_code == 0, outcome.output
    assert (folder / "own.json").is_file()
    assert "note: --output own.json from labeljob.toml" in outcome.stderr


def test_the_command_line_comes_first(folder):
    configure(folder, '[labels]\noutput = "own.json"\n')
    assert call(*LABELS, "-o", "other.json").exit_code == 0
    assert [file.name for file in folder.glob("*.json")] == ["other.json"]


def test_what_stands_before_all_tables_is_for_every_command_that_has_it(folder):
    configure(folder, 'output = "own.json"\nbatch-size = 10\n\n[replay]\noutput = "again"\n')
    assert call(*LABELS).exit_code == 0
    assert (folder / "own.json").is_file()


def test_a_jobs_own_folder_comes_before_what_is_around_it(folder, zoo):
    configure(folder, "[plan]\nreplays = 3\nmost = 2\nseed = 1\n")
    configure(zoo.parent, "[plan]\nreplays = 4\nmost = 3\n")
    configure(zoo, "json = true\n[plan]\nreplays = 5\n")
    outcome = call("plan", zoo)
    assert outcome.exit_code == 0, outcome.output
    result = json.loads(outcome.stdout)
    assert (result["replays"], max(one["start"] for one in result["plans"])) == (5, 3)


def test_the_example_of_the_documents_is_one(folder, zoo):
    text = (ROOT / "docs/reference/labeljob.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    configure(folder, example)
    (folder / "true_labels.json").write_text("0,cat\n", encoding="utf-8")
    outcome = call("report", zoo)
    assert outcome.exit_code == 0, outcome.output
    notes = re.findall(r"note: (.*) from labeljob.toml", outcome.stderr)
    assert notes == ["--algorithm calibrated", "--truth true_labels.json", "--below 0.9"]
    assert "--count 50 from labeljob.toml" in call("gold", "draw", zoo).stderr


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("[labels\n", "labeljob.toml cannot be read", id="no-toml"),
        pytest.param("[lables]\n", r"\[lables\] is no command", id="no-command"),
        pytest.param("[labels]\nouput = 'a'\n", r"\[labels\] has no ouput", id="no-option"),
        pytest.param("ouput = 'a'\n", "ouput is no option of any command", id="nobodys-option"),
        pytest.param("labels = 1\n", r"its options stand in \[labels\]", id="no-table"),
        pytest.param("[labels.task]\n", "'{}' is not one of", id="table-of-option"),
        pytest.param("[labels.again]\n", r"\[labels\] has no again", id="table-of-nothing"),
        pytest.param("[labels]\ntask = true\n", "task is True, not a value", id="no-flag"),
        pytest.param("[labels]\ntask = 'x'\n", "in labeljob.toml, unless the command", id="value"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(folder, text, problem):
    configure(folder, text)
    assert call("labels", "--help").exit_code == 0
    outcome = call(*LABELS)
    assert outcome.exit_code == 2
    assert re.search(problem, " ".join(outcome.stderr.replace("│", " ").split())), outcome.stderr


def test_a_table_of_several_commands_has_their_names_alone(folder, zoo):
    configure(folder, "[gold]\ncount = 5\n")
    outcome = call("gold", "draw", zoo)
    assert (outcome.exit_code, "[gold] has no count; it has" in outcome.stderr) == (2, True)
