"""Every command that a text, a message or a page proposes is one that works.

Commands stand in docs, in docstrings that the help shows, and in messages. Each is parsed by the
command line itself; what stands for a value of the reader's (JOB, FILE) is taken as it is.
"""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer

from labeljob.commands import COMMANDS, load_command

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *ROOT.glob("docs/**/*.md"),
]
SOURCES = [
    *ROOT.glob("runner/labeljob/**/*.py"),
    *ROOT.glob("layers/groundtruth/python/groundtruth/**/*.py"),
    *ROOT.glob("benchmarks/**/*.py"),
]
PAGES = [*ROOT.glob("**/templates/*.jinja"), *ROOT.glob("benchmarks/report/**/*.jinja")]

_SHELL_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_EXAMPLE = re.compile(r"Example: (labeljob .*?)(?:\n\n|\Z)", re.DOTALL)
_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
_STAMPS = {".venv/.dev", ".venv/.runner"}
_OWN = re.compile(r"^(labeljob|make|pip)\b")
_MAY_PROPOSE = re.compile(r"```sh|Example:\W+labeljob|`\W*(?:labeljob|make|pip)\b")
_PLACEHOLDER = "VALUE"


def texts_of(path):
    """The strings of a file that are read by people: of Python, with placeholders for values."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return [text]
    return strings_of(text) if _MAY_PROPOSE.search(text) else []


def strings_of(source):
    """The strings of a Python source, with placeholders for the values in them."""
    nodes = list(ast.walk(ast.parse(source)))
    formatted = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in formatted for part in node.values}
    return [
        "".join(
            part.value if isinstance(part, ast.Constant) else _PLACEHOLDER for part in node.values
        )
        for node in formatted
    ] + [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
    ]


def proposals(paths):
    """Each command with the file that proposes it, and whether it is whole or only named."""
    for path in paths:
        where = str(path.relative_to(ROOT))
        for text in texts_of(path):
            for block in _SHELL_BLOCK.findall(text):
                for line in block.replace("\\\n", " ").splitlines():
                    yield where, line.strip().removeprefix("$ "), True
            for example in _EXAMPLE.findall(text):
                yield where, " ".join(example.split()), True
            for span in _SPAN.findall(text):
                yield where, span, False


def own_commands():
    found = {}
    for where, command, whole in proposals([*TEXTS, *SOURCES, *PAGES]):
        command = re.split(r" [>|&]|;| #", command)[0].strip()
        if _OWN.match(command):
            found.setdefault((command, whole), where)
    return [(command, whole, where) for (command, whole), where in sorted(found.items())]


PROPOSED = own_commands()


def parse(tokens, whole):
    """Parse a command of `labeljob`; a command that is only named may leave out arguments."""
    name, *rest = tokens
    command = load_command(name)
    commands = getattr(command, "commands", {})
    if commands and not rest:
        return
    if commands:
        command, name, rest = commands[rest[0]], rest[0], rest[1:]
    while True:
        try:
            command.make_context(name, list(rest))
        except typer.Exit:
            return
        except typer.TyperException as error:
            problem = error.format_message()
            absent = re.search(r"(file|dir|path) '(.+?)' does not exist", problem)
            if absent:
                path = Path(absent[2])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.mkdir() if absent[1] == "dir" else path.touch()
                continue
            if not whole and re.search("Missing|requires an argument", problem):
                return
            raise AssertionError(problem) from error
        return


def test_the_commands_of_all_kinds_of_texts_are_seen():
    places = {where for _, _, where in PROPOSED}
    assert {"README.md", "docs/reference/labeljob.md", "runner/labeljob/commands/run.py"} <= places
    assert len(PROPOSED) > 80


@pytest.mark.parametrize(
    ("command", "whole", "where"), [one for one in PROPOSED if one[0].startswith("labeljob")]
)
def test_a_proposed_command_parses(command, whole, where, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tokens = [token for token in shlex.split(command)[1:] if token not in ("…", "...")]
    tokens = [token.strip("[]").removesuffix("…") for token in tokens]
    if tokens and not tokens[0].startswith("-") and not tokens[0].isupper():
        assert tokens[0] in COMMANDS, where
        parse(tokens, whole and "…" not in command)


@pytest.mark.parametrize(
    ("command", "where"),
    [(command, where) for command, _, where in PROPOSED if command[:4] == "make"],
)
def test_a_proposed_target_is_in_the_makefile(command, where):
    names = [word for word in command.split()[1:] if "=" not in word and not word.startswith("-")]
    assert set(names) <= _TARGETS | _STAMPS, where


def test_no_text_proposes_our_package_from_an_index():
    # It is in none. What is missing of an installed one, pip finds by the extra's name.
    wrong = [one for one in PROPOSED if re.search(r"groundtruth-consolidation(?!\[)", one[0])]
    assert wrong == []
    assert [one for one in PROPOSED if one[1] and "groundtruth-consolidation" in one[0]] == []


def test_an_extra_that_a_text_proposes_is_one_that_there_is():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own = [command for command, _, _ in PROPOSED if project["name"] in command]
    extras = {
        extra
        for command in own
        for names in re.findall(rf"{project['name']}\[([\w,-]+)\]", command)
        for extra in names.split(",")
    }
    assert extras
    assert extras <= set(project["optional-dependencies"])


def test_an_option_that_a_message_names_is_one_that_there_is():
    known = {"--help", "--version"}
    for name in COMMANDS:
        command = load_command(name)
        for one in (command, *getattr(command, "commands", {}).values()):
            for parameter in one.params:
                known.update(parameter.opts, parameter.secondary_opts)
    unknown = set()
    others = "runner/labeljob/emulator/function.py"  # starts other programs, with their options
    for path in sorted({*ROOT.glob("runner/labeljob/**/*.py")} - {ROOT / others}):
        for text in texts_of(path):
            if re.search(r"\b(aws|sam|git|docker|uv|pip) [a-z]|--headless", text):
                continue  # options of another program
            unknown.update(
                (str(path.relative_to(ROOT)), option)
                for option in re.findall(r"(?<![\w-])(?<!var\()--[a-z][a-z-]+[a-z]", text)
                if option not in known
            )
    assert unknown == set()
