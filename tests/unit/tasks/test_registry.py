import pytest

from groundtruth.errors import UnknownTaskError
from groundtruth.tasks import registry
from groundtruth.tasks.registry import TASKS, find_task, register


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_job_type_is_found_by_its_name_in_every_world(task):
    assert find_task(task.name) is task
    assert find_task(task.aws_name) is task
    assert find_task(task.schema_name) is task


def test_an_unknown_job_type_is_an_error_that_lists_the_known_ones():
    with pytest.raises(UnknownTaskError, match="'bounding-box' is not a job type") as raised:
        find_task("bounding-box")
    for name in TASKS:
        assert name in str(raised.value)


def test_a_registered_job_type_is_found(monkeypatch):
    class TextMultiClass:
        name, aws_name, schema_name = "text-multi-class", "TextMultiClass", "text-classification"

    monkeypatch.setattr(registry, "TASKS", dict(TASKS))
    task = TextMultiClass()
    register(task)
    assert find_task("text-multi-class") is task
