"""Tests of what `sam build` made: skipped where there is no build; `make test` builds first."""

from pathlib import Path

import pytest

from labeljob.emulator import BUILD_FOLDER, BuiltApplication

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
collect_ignore = ["sam_local.py"]  # for the SAM CLI's Python


def pytest_collection_modifyitems(items):
    missing = not (ROOT / BUILD_FOLDER / "template.yaml").is_file()
    for item in items:
        if str(item.path).startswith(f"{HERE}/"):
            item.add_marker(pytest.mark.built)
            if missing:
                item.add_marker(pytest.mark.skip(reason="there is no build: run `make build`"))


@pytest.fixture(scope="session")
def application():
    return BuiltApplication(ROOT / BUILD_FOLDER)
