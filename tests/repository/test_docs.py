"""Links in the texts lead somewhere, and every command in them is one that is run.

A shell block is run by `make test`, or the comment above it says who runs it or why nobody can:
`<!-- needs an AWS account -->`, `<!-- run by tests/runner/test_cli.py -->`.
"""

import json
import re
import tomllib

import pytest

from labeljob.application import load_template
from tests.repository.markdown import anchors, fences, without_code
from tests.repository.source_files import ROOT, own_files

TEXTS = own_files("*.md")
NEEDS_ACCOUNT = "needs an AWS account"
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
    if NEEDS_ACCOUNT in fence.remark:
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


def test_every_text_under_docs_is_linked_from_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [text.name for text in (ROOT / "docs").glob("*.md") if text.name not in readme]
    assert missing == []
