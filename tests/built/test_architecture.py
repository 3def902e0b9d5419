"""A build is for one processor, and its template takes no other."""

import shutil
import subprocess

import pytest
import yaml

from tests.built.conftest import ROOT

MACHINES = {"x86_64": 62, "arm64": 183}  # e_machine of an ELF header


def parameter(template):
    return yaml.safe_load(template.read_text(encoding="utf-8"))["Parameters"]["Architecture"]


def test_native_code_is_for_the_architecture_of_the_template(application):
    (architecture,) = parameter(application.folder / "template.yaml")["AllowedValues"]
    layers = application.function("acs_semantic_segmentation").layers
    libraries = [file for layer in layers for file in layer.rglob("*.so*")]
    assert libraries
    for library in libraries:
        with library.open("rb") as content:
            header = content.read(20)
        assert int.from_bytes(header[18:20], "little") == MACHINES[architecture], library


@pytest.mark.parametrize("architecture", MACHINES)
def test_a_built_template_is_pinned(application, tmp_path, architecture):
    template = tmp_path / "template.yaml"
    shutil.copy(application.folder / "template.yaml", template)
    subprocess.run([ROOT / ".ci/pin-architecture", template, architecture], check=True)
    pinned = parameter(template)
    assert (pinned["Default"], pinned["AllowedValues"]) == (architecture, [architecture])
    assert [file.name for file in tmp_path.iterdir()] == ["template.yaml"]


def test_a_template_without_the_parameter_is_refused(tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text("Parameters:\n  Other:\n    Default: 1\n", encoding="utf-8")
    done = subprocess.run([ROOT / ".ci/pin-architecture", template, "arm64"], check=False)
    assert done.returncode != 0
