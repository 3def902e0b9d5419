"""What `invoke_built` says when it cannot; what it does is tested in tests/built."""

import pytest

from labeljob.emulator import BuildError
from labeljob.emulator.invocation import EventError, invoke_built
from tests.runner.emulator.example_build import make_build


@pytest.fixture
def application(tmp_path):
    make_build(tmp_path / ".aws-sam" / "build")
    return tmp_path


def test_without_a_build_it_is_said_how_to_make_one(tmp_path):
    with pytest.raises(BuildError, match="make build"):
        invoke_built("acs_image_multi_class", application=tmp_path)


def test_an_event_that_is_not_there_is_named(application):
    with pytest.raises(EventError, match=r"mine\.json"):
        invoke_built("acs_image_multi_class", application / "mine.json", application=application)


def test_an_event_that_is_not_json_is_named(application):
    event = application / "mine.json"
    event.write_text("{")
    with pytest.raises(EventError, match=r"mine\.json is not JSON"):
        invoke_built("acs_image_multi_class", event, application=application)


def test_an_event_without_its_payload_names_the_file(application):
    event = application / "mine.json"
    event.write_text('{"payload": {"s3Uri": "s3://bucket/payload.json"}}')
    with pytest.raises(EventError, match=r"payload\.json"):
        invoke_built("acs_image_multi_class", event, application=application)
