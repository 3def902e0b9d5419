"""`labeljob labels`, as a person calls it."""

import json

import pytest

from groundtruth.contract.fields import parse_label_categories
from labeljob.commands.labels import labels
from tests.runner.command_line import lines_of, run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_is_what_the_functions_read(folder):
    result = run(labels, "cat", "O'Brien", "猫", "--task", "image-multi-class")
    assert result.exit_code == 0
    body = (folder / "label_categories.json").read_bytes()
    assert parse_label_categories(body, path="file") == ("cat", "O'Brien", "猫")
    assert json.loads(body)["document-version"] == "2018-11-28"


def test_labels_come_from_a_file_after_those_of_the_command_line(folder):
    (folder / "names.txt").write_bytes("\ufeffhot dog\r\nother\r\n".encode())
    result = run(labels, "cat", "--from", "names.txt", "--output", "-")
    assert parse_label_categories(result.stdout, path="file") == ("cat", "hot dog", "other")
    assert result.stderr == ""


def test_every_problem_is_said_and_nothing_is_written(folder):
    result = run(labels, "cat", "cat", "", "--task", "image-multi-class")
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in lines_of(result.stderr)] == ["error", "error"]
    assert list(folder.iterdir()) == []


def test_a_warning_does_not_stop_it(folder):
    result = run(labels, *(f"label-{at}" for at in range(11)), "--task", "image-multi-class")
    assert result.exit_code == 0
    assert "warning: " in result.stderr
    assert (folder / "label_categories.json").exists()


@pytest.mark.parametrize("body", [None, b"caf\xe9\n"])
def test_a_file_that_cannot_be_read_is_one_line(folder, body):
    if body is not None:
        (folder / "names.txt").write_bytes(body)
    result = run(labels, "--from", "names.txt")
    assert result.exit_code == 1
    (line,) = lines_of(result.stderr)
    assert line.startswith("error: names.txt")


@pytest.mark.parametrize("arguments", [[], ["cat", "dog", "--task", "video"]])
def test_a_wrong_call_is_a_usage_error(arguments):
    assert run(labels, *arguments).exit_code == 2
