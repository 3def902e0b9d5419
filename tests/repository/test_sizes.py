"""Files and functions stay short enough to read in one go."""

import ast

import pytest

from tests.repository.source_files import ROOT, own_files

LONGEST_FILE = 250
LONGEST_FUNCTION = 40
FILES = own_files("*.py")


def lines_of_code(function):
    """Lines of a function from `def` on, its docstring not counted."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_and_no_function_is_too_long(file):
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    too_long = {
        function.name: lines_of_code(function)
        for function in functions
        if lines_of_code(function) > LONGEST_FUNCTION
    }
    assert too_long == {}


def test_no_module_is_a_drawer_for_everything():
    drawers = {"utils", "helpers", "common", "misc"}
    assert [file for file in FILES if drawers & {*file.parts, file.stem}] == []
