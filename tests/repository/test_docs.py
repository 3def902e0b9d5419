"""Links in the texts lead somewhere, and every command in them is one that is run.

A shell block is run by `make test`, or the comment above it says who runs it or why nobody can:
`<!-- needs an AWS account -->`, `<!-- run by tests/runner/test_cli.py -->`.
"""

import json
import re
import subprocess
import sys
import tomllib

import pytest

from labeljob.application import load_template
from tests.repository.markdown import anchors, fences, without_code
from tests.repository.source_files import LIBRARY, ROOT, RUNNER, own_files

TEXTS = own_files("*.md")
NEEDS = ("needs an AWS account", "needs a package index", "needs a CVAT server")
RUN_BY = re.compile(r"run by (\S+\.py)")
RUN_BY_EVERYONE = re.compile(r"git clone \S+|cd \S+|source \.venv/bin/activate")
PYTEST = re.compile(r"\.venv/bin/python -m pytest(?: -m \"[^\"]+\"| (\S+))?")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"(?m)^([a-z-]+):.*## ", MAKEFILE))


def shell_blocks():
    return [
        pytest.param(fence, id=f"{text.relative_to(ROOT)}-{number}")
        for text in TEXTS
        for number, fence in enumerate(fences(text.read_text(encoding="utf-8")))
        if fence.language in ("sh", "bash", "shell", "console")
    ]


def is_run(command):
    """Whether a command is one of the Makefile's, or starts the tests, or only moves about."""
    first, *rest = command.split()
    if first == "make":
        return set(rest) <= TARGETS
    if tests := PYTEST.fullmatch(command):
        return tests[1] is None or (ROOT / tests[1]).exists()
    by_make = f"$({first.upper()}) {' '.join(rest)}" in MAKEFILE
    return by_make or RUN_BY_EVERYONE.fullmatch(command) is not None


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: str(text.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(text):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text.read_text(encoding="utf-8"))):
        if re.match(r"https?:|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (text.parent / name).resolve() if name else text
        assert linked.exists(), target
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("fence", shell_blocks())
def test_every_command_is_run_or_needs_an_account(fence):
    if fence.remark in NEEDS:
        return
    if runner := RUN_BY.search(fence.remark):
        assert (ROOT / runner[1]).is_file(), fence.remark
        return
    assert [command for command in fence.commands if not is_run(command)] == []


def test_data_in_a_text_can_be_read():
    parsers = {"json": json.loads, "toml": tomllib.loads, "yaml": load_template}
    for text in TEXTS:
        for fence in fences(text.read_text(encoding="utf-8")):
            parsers.get(fence.language, str)(fence.text)


@pytest.mark.slow
def test_the_site_has_every_page_and_every_link_of_it_leads_somewhere(tmp_path):
    pytest.importorskip("furo", reason="Sphinx is not installed: make .venv/.docs")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    built = subprocess.run(
        [*command, ROOT / "docs", tmp_path], capture_output=True, text=True, check=False
    )
    assert built.stderr == ""
    assert (tmp_path / "index.html").is_file()


@pytest.mark.parametrize("top", [LIBRARY, RUNNER, ROOT / "benchmarks", ROOT / "tests"])
def test_the_map_has_every_folder_of_the_code(top):
    text = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    _, _, section = text.partition(f"### `{top.relative_to(ROOT)}`")
    listed = re.findall(r"(?m)^\| `(.+?)` \|", section.partition("###")[0])
    folders = {file.relative_to(top).parent for file in own_files("*.py") if top in file.parents}
    # The folders of tests mirror those of the code, which are listed.
    depth = 1 if top.name == "tests" else 2
    assert set(listed) == {"/".join(folder.parts[:depth]) for folder in folders if folder.parts}


def test_the_changelog_begins_with_the_packages_version():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(
        r"(?m)^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    )
    assert versions[0] == package["version"]
