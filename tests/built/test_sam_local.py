"""`sam local invoke` as documented, up to Docker: what a container would be given works."""

import json
import os
import re
import shlex
import subprocess

import pytest

from labeljob.application import function_definition
from labeljob.commands.invoke import SERVED_PORT
from labeljob.emulator import EmulatedFunction
from labeljob.emulator.invocation import serve_event
from tests.built.conftest import ROOT

LEFT_OUT = {"replay_shard"}
"""Functions that a stack has only with a parameter that is empty by default."""

FUNCTIONS = sorted({folder.parent.name for folder in ROOT.glob("functions/*/app.py")} - LEFT_OUT)
ENV_VARS = json.loads((ROOT / "events" / "env-vars.json").read_text(encoding="utf-8"))
PAGE = "docs/reference/labeljob.md"


def documented_commands():
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    return [shlex.split(line) for line in re.findall(r"^sam local invoke .*", text, re.MULTILINE)]


@pytest.fixture(scope="module")
def containers():
    """What SAM would have Docker run for each function's documented command."""
    commands = {command[3]: command[1:] for command in documented_commands()}
    done = subprocess.run(
        [ROOT / ".tools/sam/bin/python", "tests/built/sam_local.py"],
        cwd=ROOT,
        env=os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true"},
        input="\n".join(shlex.join(command) for command in commands.values()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(commands, map(json.loads, done.stdout.splitlines()), strict=True))


def test_the_variables_file_sets_what_the_template_declares(application):
    declared = {name for function in FUNCTIONS for name in _declared(application, function)}
    assert list(ENV_VARS) == ["Parameters"]
    assert set(ENV_VARS["Parameters"]) <= declared
    assert ENV_VARS["Parameters"]["AWS_ENDPOINT_URL"].endswith(f":{SERVED_PORT}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_sam_gives_a_container_answers_the_example(name, application, containers):
    container = containers[function_definition(name).logical_id]
    folder = ROOT / "events" / name
    event = json.loads((folder / "event.json").read_text(encoding="utf-8"))
    assert container["event"] == event
    assert container["extra_hosts"] == {"host.docker.internal": "host-gateway"}
    assert str(application.function(name).code) in container["volumes"]

    variables = container["environment"]
    assert set(application.function(name).environment) <= set(variables)
    passed_on = _declared(application, name) & set(ENV_VARS["Parameters"])
    assert "AWS_ENDPOINT_URL" in passed_on
    assert all(variables[name] == ENV_VARS["Parameters"][name] for name in passed_on)

    with serve_event(name, folder / "event.json", application=ROOT) as (aws, _):
        # The name of the host leads elsewhere without Docker.
        variables["AWS_ENDPOINT_URL"] = aws.endpoint
        with EmulatedFunction(name, application.folder, variables) as function:
            response = function.invoke(event)
            log = function.log
    assert response == json.loads((folder / "response.json").read_text(encoding="utf-8"))
    assert '"level":"WARNING"' not in log


def _declared(application, function):
    """Names of the variables under a function's Environment, as built."""
    template = application._template
    own = template["Resources"][function_definition(function).logical_id]["Properties"]
    return {
        name
        for properties in (template["Globals"]["Function"], own)
        for name in properties.get("Environment", {}).get("Variables", {})
    }
