"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import groundtruth

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(groundtruth.__path__, "groundtruth.")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_modules_are_found():
    assert "groundtruth.aggregation.classification.builtin" in MODULES
    assert "groundtruth.masks.reader" in MODULES
