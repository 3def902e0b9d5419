"""A small job that was done by the built-in function."""

from pathlib import Path

import pytest

from tests.runner.history.job_folders import make_job

VOTES = {
    "0": {"ann": "cat", "bob": "cat", "cy": "cat"},
    "1": {"ann": "dog", "bob": "dog", "cy": "cat"},
    "2": {"ann": "eel", "bob": "eel", "cy": "dog"},
    "3": {"ann": "dog", "bob": "dog", "cy": "dog"},
}


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """The job's folder."""
    return make_job(tmp_path / "bucket" / "zoo", VOTES, ["cat", "dog", "dog", "dog"])
