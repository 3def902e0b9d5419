"""`sam deploy --guided` in a terminal of its own, each question answered with Enter alone."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys

import pytest

from labeljob.emulator import BUILD_FOLDER
from tests.built.conftest import ROOT
from tests.deployed.conftest import SAM
from tests.repository.template import PARAMETERS

pytestmark = pytest.mark.xdist_group("deployed")

OTHER_QUESTIONS = 20
SILENT_SECONDS = 300
IN_TERMINAL = "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"
QUESTION = re.compile(rb": \Z")
PARAMETER = re.compile(r"Parameter (\w+) \[(.*?)\]:")
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def copy_checkout(folder):
    """What `sam deploy` reads, and the samconfig.toml that it writes."""
    build = folder / BUILD_FOLDER
    build.mkdir(parents=True)
    for item in (ROOT / BUILD_FOLDER).iterdir():
        if item.is_dir():
            (build / item.name).symlink_to(item)
        else:
            shutil.copy(item, build)
    for name in ("template.yaml", "samconfig.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)


def answer_with_enter(command, *, most, **options):
    """What a program shows in a terminal, and its exit code; None if it asked too often."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, *command], stdin=theirs, **options
    )
    os.close(theirs)
    shown = b""
    try:
        for _ in range(most):
            while not QUESTION.search(shown):
                assert select.select([ours], [], [], SILENT_SECONDS)[0], shown.decode()
                try:
                    shown += os.read(ours, 65536)
                except OSError:  # how Linux says that the other side is closed
                    return shown.decode(), process.wait()
            shown += b"\n"
            os.write(ours, b"\n")
        return shown.decode(), None
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()


def test_enter_alone_leads_to_the_change_set(stack, tmp_path):
    copy_checkout(tmp_path)
    command = [str(SAM), "deploy", "--guided", "--no-progressbar", "--stack-name", "guided"]
    shown, code = answer_with_enter(
        command,
        most=len(PARAMETERS) + OTHER_QUESTIONS,
        cwd=tmp_path,
        env=os.environ | stack.aws.environment | {"SAM_CLI_TELEMETRY": "0", "COLUMNS": "240"},
    )
    shown = STYLE.sub("", shown).replace("\r\n", "\n")
    asked = dict(PARAMETER.findall(shown))
    assert code == 0, shown[-3000:]
    assert asked == {name: str(entry["Default"]) for name, entry in PARAMETERS.items()}
    assert 'Capabilities                 : ["CAPABILITY_NAMED_IAM"]' in shown
    _, _, changes = shown.partition("CloudFormation stack changeset")
    for name, kind in (
        ("FinishJobFunction", "AWS::Lambda::Function"),
        ("WorkerIdKey", "AWS::SecretsManager::Secret"),
        ("WorkerSkillTable", "AWS::DynamoDB::Table"),
    ):
        assert re.search(rf"\+ Add +{name} +{kind}", changes), changes
    assert changes.count("Deploy this changeset? [y/N]:") == 1
