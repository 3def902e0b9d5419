"""What becomes of a function that misbehaves, and what a function sees of the machine."""

import os

import pytest

from labeljob.emulator import EmulatedFunction, FunctionError, FunctionTimeout
from tests.built.conftest import ROOT

TEMPLATE = """
Globals: {Function: {Handler: app.lambda_handler, Timeout: 1, MemorySize: 128}}
Parameters: {}
Resources:
  OddLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: OddLayer}
  OddFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: OddFunction, Layers: [{Ref: OddLayer}]}
    Metadata: {SamResourceId: OddFunction}
"""
HANDLER = """
import os, time
import from_layer

def lambda_handler(event, context):
    match event["do"]:
        case "sleep": time.sleep(event["seconds"])
        case "exit": os._exit(3)
        case "raise": raise LookupError("nothing there")
        case "answer": return event["answer"]
        case "look": return {
            "code": __file__,
            "layer": from_layer.__file__,
            "variables": sorted(os.environ),
            "memory": context.memory_limit_in_mb,
        }
"""


@pytest.fixture(scope="module")
def odd_function(tmp_path_factory):
    root = tmp_path_factory.mktemp("odd")
    (root / ".tools").symlink_to(ROOT / ".tools")
    build = root / ".aws-sam" / "build"
    (build / "OddFunction").mkdir(parents=True)
    (build / "OddFunction" / "app.py").write_text(HANDLER)
    (build / "OddLayer" / "python").mkdir(parents=True)
    (build / "OddLayer" / "python" / "from_layer.py").touch()
    (build / "template.yaml").write_text(TEMPLATE)
    with EmulatedFunction("odd", build, {"OWN": "1"}) as function:
        yield function


@pytest.mark.parametrize("answer", [None, 0, "text", [], {"errorMessage": "only a message"}])
def test_any_json_value_can_be_an_answer(odd_function, answer):
    assert odd_function.invoke({"do": "answer", "answer": answer}) == answer


def test_a_response_that_lambda_could_not_write_fails_here_too(odd_function):
    with pytest.raises(FunctionError):
        odd_function.invoke({"do": "answer", "answer": "half a pair: \ud800"})
    assert odd_function.invoke({"do": "answer", "answer": "🦀"}) == "🦀"


def test_a_function_that_takes_too_long_is_stopped_and_then_works_again(odd_function):
    with pytest.raises(FunctionTimeout):
        odd_function.invoke({"do": "sleep", "seconds": 30})
    assert odd_function.invoke({"do": "answer", "answer": 1}) == 1


def test_a_function_that_ends_its_process_is_told_and_then_works_again(odd_function):
    with pytest.raises(FunctionError) as caught:
        odd_function.invoke({"do": "exit"})
    assert caught.value.error_type == "Runtime.ExitError"
    assert odd_function.invoke({"do": "answer", "answer": 1}) == 1


def test_an_error_comes_with_its_type_and_trace(odd_function):
    with pytest.raises(FunctionError) as caught:
        odd_function.invoke({"do": "raise"})
    assert caught.value.error_type == "LookupError"
    assert "app.py" in caught.value.trace[-1]


def test_a_function_sees_nothing_of_this_machines_environment(odd_function):
    seen = odd_function.invoke({"do": "look"})
    assert {"OWN", "AWS_REGION", "LAMBDA_TASK_ROOT"} <= set(seen["variables"])
    assert not {"HOME", "SHELL", "VIRTUAL_ENV"} & set(seen["variables"])
    assert seen["memory"] == "128"


def test_code_and_layers_lie_where_lambda_has_them(odd_function):
    if not odd_function.isolated:
        pytest.skip("this machine lets no process have a file system of its own")
    seen = odd_function.invoke({"do": "look"})
    assert seen["code"] == "/var/task/app.py"
    assert seen["layer"] == "/opt/python/from_layer.py"


def test_the_process_ends_with_the_block(odd_function):
    with EmulatedFunction("odd", odd_function.function.code.parent) as function:
        process = function.process
        assert process.poll() is None
    assert process.poll() is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
