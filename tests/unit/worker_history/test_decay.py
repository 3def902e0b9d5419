from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.worker_history.counts import (
    ERA,
    LARGEST_AMOUNT,
    ORIGIN,
    PER_ONE,
    REMEMBERED,
    TOTAL,
    Moment,
)

times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis wants them so)
half_lives = st.floats(0.01, 10_000)


def test_without_decay_time_does_not_matter():
    moment = Moment(ORIGIN + timedelta(days=10_000), 0.0)
    assert moment.stored({"0:0": 7}) == {TOTAL: 7, "0:0": 7}
    assert moment.eras == (0,)
    assert Moment(ORIGIN, 0.0).read({0: {TOTAL: 7, "0:0": 7}}) == {"0:0": 7}


@given(times, half_lives, st.integers(1, 10**9))
def test_nothing_is_lost_at_the_moment_itself(at, half_life, number):
    moment = Moment(at, half_life)
    assert moment.read({moment.era: moment.stored({"a": number})}) == {"a": number}


@given(times, half_lives, st.integers(0, 40))
def test_amounts_halve_with_each_half_life(at, half_life, count):
    record = {Moment(at, half_life).era: Moment(at, half_life).stored({"a": 2**50})}
    later = Moment(at + count * timedelta(days=half_life), half_life)
    read = later.read({era: record.get(era, {}) for era in later.eras})
    if count <= REMEMBERED:
        assert read["a"] == pytest.approx(2 ** (50 - count), rel=1e-5, abs=1)
    else:
        assert read.get("a", 0) <= 2**50 / 2 ** (REMEMBERED - 1)


def test_an_amount_counts_for_32_half_lives():
    at = ORIGIN + timedelta(days=1)
    record = {0: Moment(at, 1.0).stored({"a": 2**50})}
    in_the_next_era = ORIGIN + timedelta(days=ERA)
    just_kept = Moment(in_the_next_era + timedelta(days=31, hours=23), 1.0)
    forgotten = Moment(in_the_next_era + timedelta(days=32), 1.0)
    assert just_kept.eras == (1, 0)
    assert forgotten.eras == (1,)
    assert forgotten.read({era: record.get(era, {}) for era in forgotten.eras}) == {}


@given(times, half_lives)
def test_a_thousand_of_the_largest_amounts_fit_into_38_digits(at, half_life):
    stored = Moment(at, half_life).stored({"a": 1000 * round(LARGEST_AMOUNT) * PER_ONE})
    assert 0 < stored["a"] < 10**38
    assert 0 < stored[TOTAL] < 10**38


@given(times, half_lives)
def test_each_moment_is_read_from_its_own_era_on(at, half_life):
    moment = Moment(at, half_life)
    inside = moment.position - moment.era * ERA
    assert 0 <= inside < ERA
    assert moment.eras == ((moment.era,) if inside >= REMEMBERED else (moment.era, moment.era - 1))


@given(times, half_lives, st.floats(0, 30))
def test_what_comes_later_is_not_worth_more_than_it_was(at, half_life, ahead):
    later, moment = Moment(at + ahead * timedelta(days=half_life), half_life), Moment(at, half_life)
    record = {later.era: later.stored({"a": 3_000_000, "b": 1_000_000})}
    read = moment.read({era: record.get(era, {}) for era in moment.eras})
    assert read in ({}, {"a": 3_000_000, "b": 1_000_000})
    assert read or later.era > moment.era


def test_many_small_amounts_are_not_rounded_away():
    moment = Moment(ORIGIN + timedelta(days=15), 30)
    stored = moment.stored({"a": 1})
    assert moment.read({0: {cell: 100 * number for cell, number in stored.items()}}) == {"a": 100}
