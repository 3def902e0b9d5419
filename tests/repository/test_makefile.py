"""The Makefile in a checkout whose path has a space, and on a second run, which may be offline."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = "runner/labeljob/portal/pages"
STAMPS = (
    ".tools/bootstrap/.installed", ".venv/.created", ".tools/node/.installed",
    f"{PAGES}/node_modules/.installed", "runner/labeljob/portal/static/elements.js",
    ".venv/.runner", ".venv/.dev",
    ".tools/sam/.installed", ".tools/runtime/.installed", ".aws-sam/.built",
)  # fmt: skip
OWN_TOOLS = {
    ".venv/bin/labeljob", ".venv/bin/python", ".venv/bin/ruff", ".venv/bin/mypy", ".ci/with-node",
}  # fmt: skip

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


@pytest.fixture
def checkout(tmp_path):
    """A checkout in which everything was installed and built, in an order that make would take."""
    folder = tmp_path / "my projects" / "a checkout"
    for name in ("Makefile", "pyproject.toml", "template.yaml", "samconfig.toml"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    for name in ("requirements", ".ci", PAGES):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules"))
    for name in ("functions", "layers"):
        (folder / name).mkdir()
    shutil.copy2(ROOT / "layers/Makefile", folder / "layers")
    (folder / ".aws-sam").mkdir()
    (folder / ".aws-sam/architecture").write_text("x86_64\n")
    later = max(path.stat().st_mtime for path in folder.rglob("*")) + 1
    for at, name in enumerate(STAMPS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
        os.utime(folder / name, (later + at, later + at))
    return folder


def make(folder, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    result = subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.mark.parametrize("target", ["demo", "lint", "test-fast", "format", "bench-quick"])
def test_a_second_run_installs_nothing(checkout, target):
    lines = make(checkout, "--dry-run", target)
    assert lines
    assert {line.split()[0] for line in lines} <= OWN_TOOLS


def test_what_was_built_is_not_built_again(checkout):
    assert not [line for line in make(checkout, "build") if "sam build" in line]


def test_changed_pages_are_built_again_and_installed_packages_kept(checkout):
    source = checkout / PAGES / "src/elements/main.ts"
    later = (checkout / STAMPS[-1]).stat().st_mtime + 1
    os.utime(source, (later, later))
    (line,) = make(checkout, "--dry-run", "--silent", ".venv/.dev")
    assert "run build" in line


def test_a_target_runs_in_a_path_with_a_space(checkout):
    program = checkout / ".venv/bin/labeljob"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$1" >"$MPLCONFIGDIR/../ran"\n')
    program.chmod(0o755)
    (checkout / ".tools/matplotlib").mkdir()
    make(checkout, "demo")
    assert (checkout / ".tools/ran").read_text() == "demo\n"


def test_what_a_lock_changed_is_installed_again(checkout):
    lock = checkout / "requirements/runner.txt"
    later = (checkout / STAMPS[-1]).stat().st_mtime + 1
    os.utime(lock, (later, later))
    assert any("-r requirements/runner.txt" in line for line in make(checkout, "-n", "demo"))


@pytest.mark.parametrize("installed", [False, True])
def test_a_node_that_is_too_old_is_not_used(tmp_path, installed):
    program = tmp_path / ".ci/with-node"
    program.parent.mkdir()
    shutil.copy2(ROOT / ".ci/with-node", program)
    usable = "#!/bin/sh\necho from-tools\n"
    write_programs(tmp_path / "old", node="#!/bin/sh\nexit 1\n", npm=usable)
    if installed:
        write_programs(tmp_path / ".tools/node/bin", node=usable, npm=usable)
    result = subprocess.run(
        [program, "node"],
        env={"PATH": f"{tmp_path / 'old'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if installed:
        assert result.stdout == "from-tools\n"
    else:
        assert result.returncode == 1
        assert "run `make build-pages`" in result.stderr


def write_programs(folder, **texts):
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
