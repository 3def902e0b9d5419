"""The tutorials' commands, as a reader runs them."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labeljob.commands import app

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demonstration")]

ROOT = Path(__file__).resolve().parents[2]
REMARK = "<!-- run by tests/runner/test_tutorials.py -->"


def commands_of(page):
    text = (ROOT / "docs/tutorials" / page).read_text("utf-8")
    blocks = re.findall(rf"{re.escape(REMARK)}\n```sh\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


def test_the_first_job_goes_from_the_demonstration_to_training(
    demonstration, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    demo, *commands = commands_of("first-job.md")
    assert demo == ["demo", "--output", "demo-output"]
    shutil.copytree(demonstration, "demo-output")
    for command in commands:
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.stderr
    assert Path("textures.html").stat().st_size > 10_000
    assert len([*Path("textures").glob("*/*.*")]) == 40
    (coco,) = Path("regions").rglob("*.json")
    assert len(json.loads(coco.read_text())["images"]) == 4
