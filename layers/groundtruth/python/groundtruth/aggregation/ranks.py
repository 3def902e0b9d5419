"""Passing values from items to their votes and back, fast for a million votes."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.skill import add_up
from groundtruth.aggregation.votes import Floats, Ints, Votes

_FEWEST_ITEMS = 1000
_MOST_RANKS = 64
_ITEMS_PER_BLOCK = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some items and their votes: few enough to stay in the processor's cache.

    Attributes
    ----------
    items : slice or ndarray of int
        Which items the block holds; a slice where they are neighbours.
    n_items : int
        How many these are.
    votes : slice
        The block's votes in `Ranks.order`.
    item_of_vote : ndarray of int
        Item of each vote, counted from the block's first.
    sizes : tuple of int
        How many items have a vote of each rank; empty if votes keep the canonical order.
    """

    items: slice | Ints
    n_items: int
    votes: slice
    item_of_vote: Ints
    sizes: tuple[int, ...]

    def spread(self, by_item: Floats) -> Floats:
        """Give each vote of the block its item's value."""
        if not self.sizes:
            return by_item[self.item_of_vote]
        return np.concatenate([by_item[:size] for size in self.sizes])

    def collect(self, by_vote: Floats) -> Floats:
        """Add up the values of each item's votes."""
        if not self.sizes:
            return add_up(self.item_of_vote, by_vote, self.n_items)
        totals = np.zeros(self.n_items)
        start = 0
        for size in self.sizes:
            totals[:size] += by_vote[start : start + size]
            start += size
        return totals


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """An order of the votes in which items' values can be copied instead of looked up.

    Large batches are cut into blocks of items, and a block's votes are ordered by rank: the
    first vote of every item, then every second vote, and so on, with items that have more
    votes first. Each rank then covers the first few items without a gap, and both
    directions are plain sweeps through memory. Small batches are one block in canonical
    order. Both give an item the same sum to the last bit.

    Attributes
    ----------
    order : ndarray of int, shape (n_votes,)
        Which vote, in canonical order, comes at each place.
    blocks : tuple of Block
        All items and votes, cut into blocks.
    """

    order: Ints
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, votes: Votes) -> Self:
        """Choose the order for a batch."""
        per_item = votes.votes_per_item
        if votes.n_items < _FEWEST_ITEMS or int(per_item.max()) > _MOST_RANKS:
            items, places = slice(0, votes.n_items), slice(0, votes.n_votes)
            block = Block(items, votes.n_items, places, votes.items, ())
            return cls(np.arange(votes.n_votes), (block,))
        alike = int(per_item.min()) == int(per_item.max())
        item_order = np.argsort(-per_item, kind="stable")
        starts = (np.cumsum(per_item) - per_item)[item_order]
        falling = per_item[item_order]
        blocks, orders, begin = [], [], 0
        for first in range(0, votes.n_items, _ITEMS_PER_BLOCK):
            here = slice(first, min(first + _ITEMS_PER_BLOCK, votes.n_items))
            most = int(falling[first])
            sizes = tuple(int(np.count_nonzero(falling[here] > rank)) for rank in range(most))
            orders += [starts[first : first + size] + rank for rank, size in enumerate(sizes)]
            places = slice(begin, begin + sum(sizes))
            chosen = here if alike else item_order[here]
            nothing = np.empty(0, dtype=np.int64)
            blocks.append(Block(chosen, here.stop - first, places, nothing, sizes))
            begin = places.stop
        return cls(np.concatenate(orders), tuple(blocks))
