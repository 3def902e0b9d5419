import numpy as np
import pytest

from groundtruth.aggregation import ranks
from groundtruth.aggregation.ranks import Ranks
from groundtruth.aggregation.votes import Votes


@pytest.fixture
def uneven():
    rng = np.random.default_rng(3)
    items, workers = rng.integers(0, 1500, 6000), rng.integers(0, 40, 6000)
    return Votes(items, workers, rng.integers(0, 3, 6000), 1700, 40, 3)


@pytest.fixture
def even():
    items = np.repeat(np.arange(1500), 3)
    return Votes(items, np.tile(np.arange(3), 1500), np.zeros(4500, dtype=int), 1500, 3, 1)


@pytest.fixture(params=["uneven", "even"])
def votes(request, monkeypatch):
    monkeypatch.setattr(ranks, "_ITEMS_PER_BLOCK", 400)
    return request.getfixturevalue(request.param)


def spread(order, by_item):
    return np.concatenate([block.spread(by_item[block.items]) for block in order.blocks])


def collect(order, by_vote, n_items):
    totals = np.empty(n_items)
    for block in order.blocks:
        totals[block.items] = block.collect(by_vote[block.votes])
    return totals


def test_large_batches_are_cut_into_blocks_that_hold_everything(votes):
    order = Ranks.of(votes)
    assert len(order.blocks) >= 4
    assert sorted(order.order.tolist()) == list(range(votes.n_votes))
    assert sum(block.n_items for block in order.blocks) == votes.n_items


def test_each_vote_gets_its_items_value(votes):
    by_item = np.random.default_rng(0).random(votes.n_items)
    order = Ranks.of(votes)
    np.testing.assert_array_equal(spread(order, by_item), by_item[votes.items[order.order]])


def test_both_orders_give_the_same_sums_to_the_last_bit(votes, monkeypatch):
    by_vote = np.random.default_rng(0).random(votes.n_votes)
    fast = Ranks.of(votes)
    monkeypatch.setattr(ranks, "_FEWEST_ITEMS", votes.n_items + 1)
    slow = Ranks.of(votes)
    assert len(slow.blocks) == 1
    np.testing.assert_array_equal(
        collect(fast, by_vote[fast.order], votes.n_items), collect(slow, by_vote, votes.n_items)
    )


def test_one_item_with_very_many_votes_keeps_the_canonical_order():
    items = np.append(np.zeros(100, dtype=int), np.arange(2000))
    votes = Votes(items, np.arange(2100), np.zeros(2100, dtype=int), 2000, 2100, 1)
    order = Ranks.of(votes)
    assert len(order.blocks) == 1
    assert order.order.tolist() == list(range(2100))
