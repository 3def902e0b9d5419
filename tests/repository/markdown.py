"""The parts of a Markdown text that tests look at."""

import re
from dataclasses import dataclass

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_REMARK = re.compile(r"<!--\s*((?:(?!-->).)*?)\s*-->\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language, its text, and the HTML comment right above it."""

    language: str
    text: str
    remark: str

    @property
    def commands(self):
        """The commands of a shell block; what a console prints is left out."""
        joined = self.text.replace("\\\n", " ")
        lines = [line.strip() for line in joined.splitlines()]
        if self.language == "console":
            return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [line.split(" # ")[0].strip() for line in lines if line and line[0] != "#"]


def fences(text):
    """All fenced blocks of a text."""
    found = []
    for match in _FENCE.finditer(text):
        remark = _REMARK.search(text[: match.start()])
        found.append(Fence(match[1], match[2], remark[1] if remark else ""))
    return found


def without_code(text):
    """The text without fenced blocks and inline code."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))


def anchors(text):
    """Names of the headings, as a link's part after # writes them."""
    headings = re.findall(r"(?m)^#+\s+(.*?)\s*$", _FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(text, heading):
    """Rows of the first table below a heading of the second level: a cell for each column."""
    section = text.partition(f"\n## {heading}\n")[2]
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)[0].splitlines()
    columns, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def code_in(cell):
    """The parts of a text that are marked as code."""
    return re.findall(r"`([^`]+)`", cell)
