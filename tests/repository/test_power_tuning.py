"""The inputs for AWS Lambda Power Tuning fit its state machine, the functions and the stack."""

import json
import tomllib

import pytest

from tests.repository.source_files import ROOT
from tests.repository.template import DEPLOYED, PARAMETERS

FILES = sorted(ROOT.glob("events/acs_*/power-tuning.json"))
REQUIRED = {"lambdaARN", "num"}
KNOWN = REQUIRED | {
    "autoOptimize",
    "balancedWeight",
    "discardTopBottom",
    "includeOutputResults",
    "parallelInvocation",
    "payload",
    "powerValues",
    "strategy",
}
LARGEST_INPUT = 262_144  # bytes that a state machine takes


def logical_id(file):
    return "".join(word.capitalize() for word in file.parent.name.split("_")) + "Function"


def test_every_acs_function_has_one():
    functions = {folder.parent.name for folder in ROOT.glob("functions/acs_*/app.py")}
    assert {file.parent.name for file in FILES} == functions


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_the_state_machine_understands_it(file):
    given = json.loads(file.read_text(encoding="utf-8"))
    assert REQUIRED <= given.keys() <= KNOWN
    assert given["num"] >= 5
    assert given["strategy"] in {"cost", "speed", "balanced"}
    assert 0 <= given["balancedWeight"] <= 1
    assert all(isinstance(value, int) for value in given["powerValues"])
    assert given["powerValues"] == sorted(set(given["powerValues"]))
    assert file.stat().st_size < LARGEST_INPUT
    # The best size goes into a parameter of the stack, not past it.
    assert given["autoOptimize"] is False


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_it_tries_sizes_that_the_stack_allows_and_its_own_among_them(file):
    sizes = json.loads(file.read_text(encoding="utf-8"))["powerValues"]
    parameter = PARAMETERS[DEPLOYED[logical_id(file)]["MemorySize"]["Ref"]]
    assert parameter["MinValue"] <= min(sizes)
    assert max(sizes) <= parameter["MaxValue"]
    assert parameter["Default"] in sizes


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_it_sends_the_functions_example_event(file):
    event = json.loads((file.parent / "event.json").read_text(encoding="utf-8"))
    assert json.loads(file.read_text(encoding="utf-8"))["payload"] == event


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_it_names_the_function_as_the_default_stack_does(file):
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    stack = config["default"]["deploy"]["parameters"]["stack_name"]
    name = DEPLOYED[logical_id(file)]["FunctionName"]["Fn::Sub"][0]
    arn = json.loads(file.read_text(encoding="utf-8"))["lambdaARN"]
    assert arn.startswith("arn:aws:lambda:")
    assert arn.rpartition(":function:")[2] == name.replace("${Prefix}", f"SageMaker-{stack}")
