"""`labeljob replay --dry-run`."""

import json

import pytest

from labeljob.commands.replay import replay
from tests.runner.command_line import run


@pytest.mark.parametrize("place", ["processes", "dask", "ray", "aws"])
def test_a_dry_run_tells_what_there_is_to_do_and_starts_nothing(zoo, place):
    before = {path for path in zoo.rglob("*") if ".columns" not in path.parts}
    outcome = run(replay, zoo, "--dry-run", "--on", place, "--json")
    assert outcome.exit_code == 0, outcome.output
    told = json.loads(outcome.stdout)
    files = (zoo / "annotations/worker-response").rglob("*.json")
    answers = [json.loads(file.read_text())["answers"] for file in files]
    assert told["objects"] == len(answers)
    assert told["answers"] == sum(map(len, answers))
    assert told["shards"] == 1
    assert told["rounds"]["typical"] <= told["rounds"]["at-most"]
    assert ("dollars" in told) == (place == "aws")
    assert {path for path in zoo.rglob("*") if ".columns" not in path.parts} == before
