"""`labeljob explain`."""

import json

import pytest

from labeljob.commands.explain import explain
from labeljob.tasks.registry import find_job_type
from tests.real_data import real_data
from tests.runner.command_line import run

pytestmark = pytest.mark.slow


def explained(*arguments):
    outcome = run(explain, *arguments, "--json")
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


def test_a_label_that_hangs_on_one_answer_says_so(zoo):
    result = explained(zoo, "1", "--algorithm", "majority")
    assert result["manifest"]["classes"] == ["dog"]
    assert result["result"]["class-name"] == "dog"
    said = {vote["worker-id"]: vote["said"] for vote in result["votes"]}
    assert said == {"ann": "dog", "bob": "dog", "cy": "cat"}
    without = {vote["worker-id"]: vote["without"] for vote in result["votes"]}
    assert without["cy"] == {"label": "dog", "confidence": 1.0}
    assert without["ann"]["confidence"] == 0.5
    assert sum(result["posterior"].values()) == pytest.approx(1, abs=0.01)
    assert result["settings"]["algorithm"] == "majority"


@pytest.mark.parametrize("name", ["2", "2.jpg", "s3://images/2.jpg"])
def test_an_object_is_found_by_number_name_or_uri(zoo, name):
    assert explained(zoo, name)["object"] == "2"


def test_an_unknown_object_is_an_error(zoo):
    outcome = run(explain, zoo, "77")
    assert outcome.exit_code == 1
    assert "no data object 77" in outcome.stderr


def test_a_terminal_shows_votes_weights_and_settings(zoo):
    outcome = run(explain, zoo, "1")
    assert outcome.exit_code == 0
    for part in ("Votes", "without this answer", "Posterior", "Settings: algorithm"):
        assert part in outcome.stderr


def test_every_algorithm_of_the_job_type_can_be_explained(zoo):
    for algorithm in find_job_type("image-multi-class").algorithms:
        result = explained(zoo, "1", "--algorithm", algorithm, "--all-at-once")
        assert result["settings"]["algorithm"] == algorithm
        assert result["call"]["objects"] == 4


def test_a_real_label_is_explained_with_its_own_call():
    result = explained(real_data("birds-job"), "165", "--algorithm", "builtin")
    assert result["call"]["objects"] == 50
    assert result["manifest"]["classes"] == ["Goose"]
    assert result["result"]["confidence"] == 0.6
    assert {vote["without"]["label"] for vote in result["votes"]} == {"Goose", "Duck"}
