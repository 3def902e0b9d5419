import pytest

from tests.examples import ACS_FUNCTIONS
from tests.fuzz.damaged_history import fuzz

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_damaged_worker_history_stops_no_batch(function):
    assert fuzz(function, 150, seed=1) > 0
