"""The repository speaks of the project alone: not of a machine, nor of where packages come from."""

import re

import pytest

from tests.repository.source_files import ROOT, own_files

FORBIDDEN = {
    "package registry": r"py(?:pi|thonhosted)\.(?:org|io)|regist(?:ry)\.npm",
    "package index": r"--(?:extra-)?index(?:-url)|--find(?:-links)|--trusted(?:-host)",
    "path of a machine": r"(?<![\w.:/-])/(?:root|home|Users|work|mnt|private)/[\w.]",
    "access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE(?: KEY)-----",
}


def text_of(file):
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what):
    leaks = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in own_files()
        for match in re.finditer(FORBIDDEN[what], text_of(file))
    ]
    assert leaks == []
