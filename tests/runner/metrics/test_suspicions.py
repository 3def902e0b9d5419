"""The limits from which on a worker is flagged, as the documentation has them."""

import pytest

from labeljob.metrics.workers import flag_workers, tabulate_workers
from labeljob.tasks.registry import find_job_type
from tests.runner.metrics.annotated_objects import annotate

SINGLE = find_job_type("image-multi-class")
CLASSES = ("cat", "dog", "eel", "fox")
RIGHT = dict.fromkeys(("ann", "bob", "cy", "di", "eve", "flo"), 0)


def find_flagged(objects, flag):
    workers = tabulate_workers(objects, SINGLE, len(CLASSES))
    flag_workers(workers, objects, SINGLE, CLASSES)
    return [name for name, worker in workers.items() if flag in dict(worker.flags)]


@pytest.mark.parametrize(
    ("seconds", "flagged"),
    [pytest.param(34.9, ["flo"], id="below"), pytest.param(35.1, [], id="above")],
)
def test_haste_is_less_than_35_percent_of_the_median_time(seconds, flagged):
    times = dict.fromkeys(RIGHT, 100.0) | {"flo": seconds}
    objects = [annotate(str(number), RIGHT, times) for number in range(8)]
    assert find_flagged(objects, "haste") == flagged


def err_together(first, second, *, same, other):
    """Answers of which two workers get some wrong alike, and some each in a way of its own."""
    return [{**RIGHT, first: 1, second: 1}] * same + [{**RIGHT, first: 1, second: 2}] * other


@pytest.mark.parametrize(
    ("expected", "copied", "flagged"),
    [
        # The pair's errors are equal 8 of 8 times, and those of all others 11 of 29: twice the
        # binomial probability is 0.00101, for two pairs are compared.
        pytest.param((11, 18), 8, [], id="p-of-0.00101"),
        pytest.param((17, 12), 14, ["eve", "flo"], id="p-of-0.00099"),
        pytest.param((0, 30), 4, [], id="four-common-errors"),
        pytest.param((0, 30), 5, ["eve", "flo"], id="five-common-errors"),
    ],
)
def test_copying_takes_five_common_errors_and_a_probability_below_one_in_a_thousand(
    expected, copied, flagged
):
    answers = err_together("ann", "bob", same=expected[0], other=expected[1])
    answers += err_together("eve", "flo", same=copied, other=0)
    objects = [annotate(str(number), votes) for number, votes in enumerate(answers)]
    assert find_flagged(objects, "copying") == flagged
