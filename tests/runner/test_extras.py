"""What is not in the base installation is named where it is missing."""

import importlib.util
import re
import tomllib

import pytest

from labeljob.extras import EXTRA_OF, MissingExtraError, need
from tests.repository.source_files import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def test_every_extra_is_documented():
    text = (ROOT / "docs/reference/labeljob.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| extra \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    cells = " ".join(line.split("|")[1] for line in table.splitlines())
    assert set(re.findall(r"`(\S+)`", cells)) == set(EXTRAS)


def test_what_is_missing_is_in_an_extra():
    assert set(EXTRA_OF.values()) <= set(EXTRAS)
    assert [name for name in EXTRA_OF if importlib.util.find_spec(name) is None] == []


def test_what_is_missing_is_said_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(EXTRA_OF, "no_such_module", "exports")
    message = r"COCO needs no_such_module: pip install 'groundtruth-consolidation\[exports\]'"
    with pytest.raises(MissingExtraError, match=message):
        need("no_such_module", "COCO")
