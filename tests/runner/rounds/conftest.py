"""A small single-label job, and a second round of part of it."""

import pytest

from tests.runner.history import job_folders as on_disk

VOTES = {
    "0": {"ann": "cat", "bob": "cat", "cy": "cat"},
    "1": {"ann": "dog", "bob": "dog", "cy": "cat"},
    "2": {"ann": "eel", "bob": "eel", "cy": "dog"},
    "3": {"ann": "dog", "bob": "dog", "cy": "dog"},
}


@pytest.fixture
def zoo(tmp_path):
    return on_disk.make_job(tmp_path / "bucket" / "zoo", VOTES, ["cat", "dog", "dog", "dog"])


@pytest.fixture
def second_round(tmp_path):
    """Images 2 and 1 once more: ann changed her mind, dee and eve are new."""
    folder = tmp_path / "bucket" / "zoo-2"
    again = {"0": {"ann": "dog", "dee": "dog", "eve": "dog"}, "1": {"dee": "dog", "eve": "dog"}}
    for object_id, said in again.items():
        answers = {worker: on_disk.chosen(name) for worker, name in said.items()}
        on_disk.write(on_disk.response_path(folder, object_id), on_disk.response(answers, 50))
    on_disk.write_manifest(
        folder, [{"source-ref": "s3://images/2.jpg"}, {"source-ref": "s3://images/1.jpg"}]
    )
    return folder
