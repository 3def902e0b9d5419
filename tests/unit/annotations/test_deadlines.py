import pytest

from groundtruth.annotations import CAUTION, MARGIN_SECONDS, MARGIN_SHARE, Deadline


class Clock:
    """Seconds left, as a test sets them."""

    def __init__(self, left):
        self.left = left

    def __call__(self):
        return self.left


def test_without_a_time_limit_there_is_always_time():
    deadline = Deadline()
    deadline.object_begins()
    deadline.object_ends()
    assert not deadline.is_near()
    assert deadline.spare_seconds() is None


@pytest.mark.parametrize(
    ("limit", "margin"),
    [
        pytest.param(900, MARGIN_SECONDS, id="long"),
        pytest.param(30, 30 * MARGIN_SHARE, id="short"),
    ],
)
def test_the_margin_fits_the_time_limit(limit, margin):
    clock = Clock(limit)
    deadline = Deadline(clock)
    clock.left = margin + 5
    assert not deadline.is_near()
    assert deadline.spare_seconds() == 5.0
    clock.left = margin
    assert deadline.is_near()
    assert deadline.spare_seconds() == 0.0


def test_after_a_slow_data_object_more_time_is_left_for_the_next():
    clock = Clock(900)
    deadline = Deadline(clock)
    deadline.object_begins()
    clock.left = 500
    deadline.object_ends()
    assert not Deadline(clock).is_near()
    assert deadline.is_near() is (CAUTION * 400 > 500)


def test_waiting_between_data_objects_does_not_count_for_them():
    clock = Clock(900)
    deadline = Deadline(clock)
    deadline.object_begins()
    deadline.object_ends()
    clock.left = 100
    deadline.object_ends()
    assert deadline.spare_seconds() == 100 - MARGIN_SECONDS


def test_who_has_given_up_has_no_time_left():
    deadline = Deadline(Clock(900))
    deadline.give_up()
    assert deadline.is_near()
    assert deadline.spare_seconds() == 0.0
