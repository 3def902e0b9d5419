from datetime import UTC, datetime

import pytest

from groundtruth.settings import Settings
from groundtruth.tasks.base import ConsolidationContext, algorithm_of, creation_date
from tests.examples import TASKS
from tests.memory_store import MemoryStore


@pytest.mark.parametrize("function", list(TASKS))
def test_the_first_algorithm_is_the_default(function):
    task = TASKS[function]
    assert algorithm_of(task, Settings(consolidation_algorithm="")) == task.algorithms[0]
    assert algorithm_of(task, Settings(consolidation_algorithm="x")) == "x"
    assert algorithm_of(task, Settings()) == task.algorithms[0]


@pytest.mark.parametrize(
    ("microsecond", "expected"),
    [(0, "2026-05-06T11:47:03.000000"), (91190, "2026-05-06T11:47:03.091190")],
)
def test_a_batch_s_time_is_written_with_microseconds_and_no_zone(microsecond, expected):
    batch = ConsolidationContext(
        classes=(),
        classes_known=True,
        settings=Settings(),
        job_name="labeling-job/x",
        made_at=datetime(2026, 5, 6, 11, 47, 3, microsecond, tzinfo=UTC),
        masks_uri="s3://b/j/output",
        store=MemoryStore(),
        kms_key=None,
    )
    assert creation_date(batch) == expected
