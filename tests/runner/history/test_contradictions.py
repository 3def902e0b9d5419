"""Options that say something else than the job's own files, or that would do nothing."""

import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

COMMANDS = {
    "replay": ["replay"],
    "report": ["report", "-o", "{out}"],
    "explain": ["explain", "0"],
    "plan": ["plan"],
    "tables": ["tables", "-o", "{out}"],
    "export": ["export", "--format", "coco", "-o", "{out}"],
    "requeue": ["requeue", "-o", "{out}"],
    "finish": ["finish"],
    "calibrate": ["calibrate", "--truth", "{truth}"],
    "gold score": ["gold", "score", "--gold", "{truth}"],
}
OF_TASK = [name for name in COMMANDS if name != "calibrate"]
OF_LABELS = [name for name in OF_TASK if name not in ("requeue", "finish")]


def files_under(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def refuse(zoo, tmp_path):
    """Runs a command that has to fail without a trace; returns what it says on one line."""
    truth = on_disk.write(
        tmp_path / "truth.jsonl", '{"source-ref": "s3://images/0.jpg", "label": "cat"}'
    )
    on_disk.write(zoo / "replays/majority/replay.json", "of an earlier replay")

    def run(name, *options):
        first, *rest = COMMANDS.get(name, [name])
        words = [first, rest.pop(0)] if first == "gold" else [first]
        places = {"out": tmp_path / "out", "truth": truth}
        words += [str(zoo), *(word.format(**places) for word in rest), *options]
        before = files_under(tmp_path)
        outcome = CliRunner().invoke(app, words)
        assert outcome.exit_code == 1, outcome.output
        assert files_under(tmp_path) == before
        assert not (tmp_path / "out").exists()
        return " ".join(outcome.stderr.split())

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_an_attribute_that_the_labels_do_not_have(refuse, command):
    text = refuse(command, "--attribute", "nope")
    assert "--attribute is nope, but the labels of zoo are under animal" in text
    assert "leave --attribute out" in text


@pytest.mark.parametrize("command", OF_LABELS)
def test_labels_without_a_class_that_the_job_has(refuse, command):
    text = refuse(command, "--labels", "cat,dog")
    assert "--labels is cat, dog, but the classes of zoo are cat, dog, eel" in text
    assert "(2 answers named eel)" in text
    assert "leave --labels out" in text


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        pytest.param("dog,cat,eel", "the class with index 0 is cat", id="another-order"),
        pytest.param("cow,cat,dog,eel", "the class with index 0 is cat", id="one-before"),
        pytest.param("red,green", "the class with index 0 is cat", id="others"),
    ],
)
def test_labels_that_the_jobs_labels_contradict(refuse, labels, problem):
    assert problem in refuse("replay", "--labels", labels)


@pytest.mark.parametrize("command", OF_TASK)
def test_another_job_type(refuse, command):
    text = refuse(command, "--task", "semantic-segmentation")
    assert "--task is semantic-segmentation, but" in text
    assert "of image-" in text
    assert "leave --task out" in text


def test_a_label_category_file_of_another_job_does_not_finish_it(refuse, tmp_path):
    names = ("red", "green")
    content = {"labels": [{"label": name} for name in names]}
    file = on_disk.write(tmp_path / "labels.json", content)
    text = refuse("finish", "--labels", str(file))
    assert f"--labels is {', '.join(names)}, but the classes of zoo are cat, dog" in text
    assert "leave --labels out" in text


def test_another_job_type_than_the_answers_are_of(refuse, zoo):
    (zoo / "manifests/output/output.manifest").unlink()
    text = refuse("replay", "--task", "image-multi-class-multi-label")
    assert "the answers of zoo are of image-multi-class; leave" in text


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("replay", ["--keep-skill"], "--keep-skill goes with --calls"),
        ("replay", ["--quorum", "0.4"], "image-multi-class has no quorum"),
        ("plan", ["--objects", "100"], "--objects goes with --price"),
        ("requeue", ["--workers", "3"], "go with --request"),
    ],
)
def test_options_that_would_do_nothing(refuse, command, options, message):
    assert message in refuse(command, *options)
