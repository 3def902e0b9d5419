import numpy as np
import pytest

from groundtruth.aggregation import ranks
from groundtruth.aggregation.classification.votes import Votes
from groundtruth.aggregation.ranks import Ranks


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
    monkeypatch.setattr(ranks, "_CELLS_PER_BLOCK", 400)
    return request.getfixturevalue(request.param)


def ranks_of(votes):
    return Ranks.of(votes, votes.votes_per_item)


def canonical(votes, monkeypatch):
    monkeypatch.setattr(ranks, "_FEWEST_ITEMS", votes.n_items + 1)
    order = ranks_of(votes)
    assert len(order.blocks) == len(order.blocks[0].parts) == 1
    return order


def by_item(order, by_vote, find):
    """A value of each item, found from its votes block by block."""
    found = [find(block, by_vote[order.order][block.votes]) for block in order.blocks]
    return order.restored(np.concatenate(found))


def rows_of(block, by_vote):
    totals = np.zeros((block.n_items, 2))
    for part in block.parts:
        values = by_vote[part.votes]
        part.add_to(totals, np.stack([values, 2.0 * values], axis=1))
    return totals


def test_large_batches_are_cut_into_blocks_that_hold_everything(votes):
    order = ranks_of(votes)
    assert len(order.blocks) >= 4
    assert sorted(order.order.tolist()) == list(range(votes.n_votes))
    assert sum(block.n_items for block in order.blocks) == votes.n_items
    assert sum(part.size for block in order.blocks for part in block.parts) == votes.n_votes


def test_each_vote_gets_its_items_value(votes):
    values = np.random.default_rng(0).random(votes.n_items)
    order = ranks_of(votes)
    here = values[order.items]
    spread = np.concatenate([block.spread(here[block.items]) for block in order.blocks])
    np.testing.assert_array_equal(spread, values[votes.items[order.order]])


@pytest.mark.parametrize(
    "find",
    [
        pytest.param(lambda block, by_vote: block.totals(by_vote), id="totals"),
        pytest.param(lambda block, by_vote: block.largest(by_vote), id="largest"),
        pytest.param(rows_of, id="rows"),
    ],
)
def test_both_orders_find_the_same_to_the_last_bit(find, votes, monkeypatch):
    by_vote = np.random.default_rng(0).random(votes.n_votes)
    fast = by_item(ranks_of(votes), by_vote, find)
    slow = by_item(canonical(votes, monkeypatch), by_vote, find)
    np.testing.assert_array_equal(fast, slow)


def test_one_item_with_very_many_votes_keeps_the_canonical_order():
    items = np.append(np.zeros(100, dtype=int), np.arange(2000))
    votes = Votes(items, np.arange(2100), np.zeros(2100, dtype=int), 2000, 2100, 1)
    order = ranks_of(votes)
    assert len(order.blocks) == 1
    assert order.order.tolist() == list(range(2100))


def test_many_items_without_a_vote():
    nothing = np.empty(0, dtype=int)
    order = ranks_of(Votes(nothing, nothing, nothing, 5000, 0, 20))
    assert sum(block.totals(np.empty(0)).size for block in order.blocks) == 5000
