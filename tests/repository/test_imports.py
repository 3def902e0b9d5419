"""Imports point one way."""

from graphlib import TopologicalSorter

import pytest

from tests.repository.source_files import FUNCTIONS, LIBRARY, RUNNER, imports, part

FILES = sorted(LIBRARY.rglob("*.py"))


def part_of(file):
    return file.relative_to(LIBRARY).parts[0].removesuffix(".py")


PARTS = sorted({part_of(file) for file in FILES})

ONLY_FROM = {
    "compat": set(),
    "errors": set(),
    "settings": {"errors"},
    "contract": {"errors"},
    "masks": {"errors"},
    "aggregation": {"masks"},
    "storage": {"compat", "errors"},
}
"""What a part of the library may import of the others; a part that is not here is free."""

ONLY_IN = {
    "boto3": {"storage", "jobs", "worker_history"},
    "botocore": {"storage", "jobs", "worker_history"},
    "aws_lambda_powertools": {"observability"},
    "numpy": {"aggregation", "masks", "sharding", "tasks"},
    "PIL": {"masks"},
    "zlib_ng": {"masks"},
    "skimage": {"aggregation", "masks"},
    "scipy": {"aggregation", "masks"},
}
"""Which parts of the library may import a package."""


def files_of(name):
    return [
        file for file in FILES if file.relative_to(LIBRARY).parts[0].removesuffix(".py") == name
    ]


def parts_imported_by(name):
    modules = {module for file in files_of(name) for module in imports(file)}
    return {part(module) for module in modules if module.startswith("groundtruth.")} & set(PARTS)


def test_no_two_parts_of_the_library_import_each_other():
    graph = {name: parts_imported_by(name) - {name} for name in PARTS}
    assert len(list(TopologicalSorter(graph).static_order())) == len(PARTS)


@pytest.mark.parametrize("name", sorted(ONLY_FROM))
def test_a_part_imports_only_what_lies_below(name):
    assert files_of(name), f"there is no part {name}"
    assert parts_imported_by(name) - {name} <= ONLY_FROM[name]


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_a_package_is_imported_only_where_it_belongs(package):
    users = {
        part_of(file)
        for file in FILES
        if any(module.split(".")[0] == package for module in imports(file))
    }
    assert users <= ONLY_IN[package]


@pytest.mark.parametrize("folder", [LIBRARY, RUNNER], ids=["library", "runner"])
def test_nothing_imports_the_functions(folder):
    importers = [
        file.name
        for file in folder.rglob("*.py")
        if any(module.split(".")[0] in ("functions", "app") for module in imports(file))
    ]
    assert importers == []


def test_the_library_does_not_know_the_runner():
    modules = {module for file in FILES for module in imports(file)}
    assert not {module.split(".")[0] for module in modules} & {"labeljob", "runner"}


def test_functions_import_the_library_and_powertools_only():
    allowed = {"__future__", "aws_lambda_powertools", "groundtruth", "os", "typing"}
    for file in FUNCTIONS.rglob("*.py"):
        assert {module.split(".")[0] for module in imports(file)} <= allowed, file


@pytest.mark.parametrize("function", sorted(folder.name for folder in FUNCTIONS.glob("pre_*")))
def test_loading_a_pre_function_loads_no_numerics(function):
    loaded = everything_loaded_by(FUNCTIONS / function / "app.py")
    assert not {module.split(".")[0] for module in loaded} & {
        "numpy",
        "PIL",
        "scipy",
        "skimage",
        "zlib_ng",
    }


def everything_loaded_by(file):
    """Modules that a file loads, and those that the library's own modules load in turn."""
    loaded, waiting = set(), [file]
    while waiting:
        for module in imports(waiting.pop(), when_loaded=True) - loaded:
            loaded.add(module)
            source = LIBRARY.parent / module.replace(".", "/")
            sources = (source.with_suffix(".py"), source / "__init__.py")
            waiting.extend(found for found in sources if found.is_file())
    return loaded
