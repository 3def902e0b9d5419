"""A build is read from the template that `sam build` writes."""

import pytest

from labeljob.emulator import BuildError, BuiltApplication
from tests.runner.emulator.example_build import TEMPLATE, make_build


@pytest.fixture
def build(tmp_path):
    return make_build(tmp_path)


def test_a_function_has_what_it_shares_and_what_is_its_own(build):
    function = BuiltApplication(build).function("acs_image_multi_class")
    assert function.handler == "app.lambda_handler"
    assert function.code == build / "AcsImageMultiClassFunction"
    assert function.layers == (build / "FirstLayer",)
    assert (function.timeout, function.memory) == (30, 1024)
    assert function.environment == {"SHARED": "both", "STYLE": "builtin", "QUORUM": "0.5"}


def test_functions_are_called_as_their_folders(build):
    assert BuiltApplication(build).functions() == ("acs_image_multi_class",)


def test_without_a_build_it_is_said_how_to_make_one(tmp_path):
    with pytest.raises(BuildError, match="make build"):
        BuiltApplication(tmp_path)


def test_an_unknown_function_is_told_from_the_known_ones(build):
    with pytest.raises(BuildError, match="acs_image_multi_class"):
        BuiltApplication(build).function("acs_video")


def test_half_a_build_is_none(build):
    (build / "FirstLayer").rmdir()
    with pytest.raises(BuildError, match="FirstLayer"):
        BuiltApplication(build).function("acs_image_multi_class")


@pytest.mark.parametrize("value", ["{Ref: Bucket}", "{Fn::If: [Has, {Ref: Bucket}, '']}"])
def test_a_variable_that_only_a_stack_knows_is_left_out(build, value):
    (build / "template.yaml").write_text(TEMPLATE.replace("SHARED: both", f"SHARED: {value}"))
    function = BuiltApplication(build).function("acs_image_multi_class")
    assert "SHARED" not in function.environment
