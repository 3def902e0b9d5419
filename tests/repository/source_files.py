"""The repository's own files, and what its Python files import."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "layers/groundtruth/python/groundtruth"
RUNNER = ROOT / "runner/labeljob"
FUNCTIONS = ROOT / "functions"

_MADE_HERE = {"build", "dist", "demo-output", "node_modules", "__pycache__"}


def own_files(pattern: str = "*") -> list[Path]:
    """Files that are, or will be, under version control; in an unpacked archive, all."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        files = list(_walk(ROOT))
    return sorted(file for file in files if file.is_file() and file.match(pattern))


def _walk(folder: Path) -> Iterator[Path]:
    hidden_and_ours = {".ci", ".gitignore"}
    for path in folder.iterdir():
        if path.name in _MADE_HERE:
            continue
        if path.name.startswith(".") and path.name not in hidden_and_ours:
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


@cache
def imports(file: Path, *, when_loaded: bool = False) -> frozenset[str]:
    """Modules that a file imports, by full name.

    With `when_loaded` only those that loading the file imports: none that a function or a type
    checker imports.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = _loaded(tree) if when_loaded else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def _loaded(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _loaded(child)


def part(module: str) -> str:
    """The part of the library that a module belongs to: `contract` for `groundtruth.contract.pre`.

    The package itself is a part with an empty name.
    """
    return module.split(".")[1] if "." in module else ""
