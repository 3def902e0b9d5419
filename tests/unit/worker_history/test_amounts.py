import pytest

from groundtruth.worker_history.counts import pack, to_amounts, to_millionths, unpack
from groundtruth.worker_history.store import SkillStoreError


def test_amounts_are_counted_in_millionths():
    third = to_millionths({"1": {"ann": {"0:0": 1 / 3, "0:1": 4e-7}}})
    assert third == {"1": {"ann": {"0:0": 333333}}}


def test_a_cell_must_be_text_that_can_be_written():
    with pytest.raises(ValueError, match="surrogates"):
        to_millionths({"1": {"ann": {"\ud800": 1.0}}})


def test_an_answer_survives_packing():
    units = {"工人": {"0:0": 10**30, "é": 1}, "": {}}
    assert unpack(pack(units)) == units
    assert pack(dict(reversed(units.items()))) == pack(units)


@pytest.mark.parametrize("content", [b"", b"x", pack({})[:-1]])
def test_a_damaged_answer_is_an_error(content):
    with pytest.raises(SkillStoreError) as failure:
        unpack(content)
    assert failure.value.reason == "damaged"


def test_a_history_holds_whoever_was_asked_for():
    units = {"ann": {"0:0": 1_500_000}, "eve": {"0:0": 1}}
    assert to_amounts(units, {"ann": 1, "bob": 1}) == {"ann": {"0:0": 1.5}, "bob": {}}
