"""Metrics say which stack they are of."""

import json

import pytest

from tests.examples import ACS_FUNCTIONS, example


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
@pytest.mark.parametrize(
    ("variables", "stack"),
    [
        pytest.param({}, "local", id="no-variable"),
        pytest.param({"STACK_NAME": "labels"}, "labels", id="deployed"),
    ],
)
def test_every_batch_is_counted_for_its_stack(
    load_handler, jobs_folder, put, capsys, function, variables, stack
):
    event = example(function, "event")
    put(event["payload"]["s3Uri"], [])
    handler = load_handler(function, **variables)
    for _ in range(2):
        handler(event)
        lines = capsys.readouterr().out.splitlines()
        (counted,) = [json.loads(line) for line in lines if "CloudWatchMetrics" in line]
        (block,) = counted["_aws"]["CloudWatchMetrics"]
        assert counted["stack"] == stack
        assert all("stack" in names for names in block["Dimensions"])
