"""The functions as built, in the Lambda emulator, answer their example events."""

import json

import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from labeljob.emulator import EmulatedFunction, FunctionError
from labeljob.emulator.invocation import invoke_built
from tests.built.conftest import ROOT

FUNCTIONS = sorted(folder.parent.name for folder in ROOT.glob("functions/*/app.py"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_event_gets_the_example_response(name):
    expected = json.loads((ROOT / "events" / name / "response.json").read_text(encoding="utf-8"))
    invocation = invoke_built(name, application=ROOT)
    assert invocation.response == expected
    masks = [uri for uri in invocation.written if uri.endswith(".png")]
    assert all(uri in json.dumps(expected) for uri in masks)
    assert bool(masks) == (name == "acs_semantic_segmentation")


def test_a_handlers_error_tells_its_type_and_where_it_happened(application):
    with (
        EmulatedFunction("acs_image_multi_class", application.folder) as function,
        pytest.raises(FunctionError) as caught,
    ):
        function.invoke({})
    assert caught.value.error_type == "ContractError"
    assert any("/opt/python/groundtruth/" in line for line in caught.value.trace)


def test_a_bad_setting_fails_the_start_by_name(application):
    settings = {"QUORUM": "most"}
    with (
        EmulatedFunction("acs_image_multi_class", application.folder, settings) as function,
        pytest.raises(FunctionError) as caught,
    ):
        function.invoke({})
    assert "QUORUM" in caught.value.log


@pytest.mark.parametrize("name", ["acs_image_multi_class", "pre_semantic_segmentation"])
def test_the_command_prints_the_response(name):
    result = CliRunner().invoke(app, ["invoke", name])
    assert result.exit_code == 0, result.stderr
    expected = json.loads((ROOT / "events" / name / "response.json").read_text(encoding="utf-8"))
    assert json.loads(result.stdout) == expected
