"""Items and votes in an order in which values pass between them fast, for a million votes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from groundtruth.aggregation.classification.counts import add_up
from groundtruth.aggregation.classification.votes import Floats, Ints, Votes

_FEWEST_ITEMS = 1000
_MOST_RANKS = 64
_CELLS_PER_BLOCK = 40_960


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some votes of a block.

    Attributes
    ----------
    votes : slice
        Which votes, counted from the block's first.
    items : slice or ndarray of int
        Their items, counted from the block's first. With a slice, each item is there at
        most once, so that its value can be copied instead of looked up.
    """

    votes: slice
    items: slice | Ints

    @property
    def size(self) -> int:
        """How many votes there are."""
        return int(self.votes.stop - self.votes.start)

    def add_to(self, totals: Floats, rows: Floats) -> None:
        """Add rows of the votes, shape (n_votes, n), to the rows of their items, in place."""
        if isinstance(self.items, slice):
            totals[self.items] += rows
            return
        for column, values in zip(totals.T, rows.T, strict=True):
            column += add_up(self.items, values, len(totals))


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some items and their votes: few enough to stay in the processor's cache.

    Attributes
    ----------
    items, votes : slice
        Which ones, in the order of `Ranks`.
    parts : tuple of Part
        All votes of the block.
    """

    items: slice
    votes: slice
    parts: tuple[Part, ...]

    @property
    def n_items(self) -> int:
        """How many items the block holds."""
        return int(self.items.stop - self.items.start)

    def spread(self, by_item: Floats) -> Floats:
        """Give each vote of the block its item's value."""
        return np.concatenate([by_item[part.items] for part in self.parts])

    def totals(self, by_vote: Floats) -> Floats:
        """Add up the values of each item's votes."""
        totals = np.zeros(self.n_items)
        for part in self.parts:
            if isinstance(part.items, slice):
                totals[part.items] += by_vote[part.votes]
            else:
                totals += add_up(part.items, by_vote[part.votes], self.n_items)
        return totals

    def largest(self, by_vote: Floats) -> Floats:
        """Find the largest value of each item's votes, which are not negative; else 0."""
        largest = np.zeros(self.n_items)
        for part in self.parts:
            if isinstance(part.items, slice):
                here = largest[part.items]
                np.maximum(here, by_vote[part.votes], out=here)
            else:
                np.maximum.at(largest, part.items, by_vote[part.votes])
        return largest


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """An order of items and votes in which values can be copied instead of looked up.

    Large batches are cut into blocks of items, and a block's votes are ordered by rank: the
    first vote of every item, then every second vote, and so on, with items that have more
    votes first. Each rank then covers the first few items without a gap, and both
    directions are plain sweeps through memory. Small batches are one block in canonical
    order. Both give an item the same `totals`, `largest` and `add_to` to the last bit; products
    of its votes may be rounded another way.

    Attributes
    ----------
    items : slice or ndarray of int, shape (n_items,)
        Which item comes at each place; a slice where all keep theirs.
    order : ndarray of int, shape (n_votes,)
        Which vote, in canonical order, comes at each place.
    blocks : tuple of Block
        All items and votes, cut into blocks.
    """

    items: slice | Ints
    order: Ints
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, votes: Votes, per_item: Ints) -> Self:
        """Choose the order for a batch whose items have so many votes each."""
        if votes.n_items < _FEWEST_ITEMS or int(per_item.max()) > _MOST_RANKS:
            everything = Part(slice(0, votes.n_votes), votes.items)
            block = Block(slice(0, votes.n_items), everything.votes, (everything,))
            return cls(block.items, np.arange(votes.n_votes), (block,))
        alike = int(per_item.min()) == int(per_item.max())
        items = np.argsort(-per_item, kind="stable")
        starts, falling = (np.cumsum(per_item) - per_item)[items], per_item[items]
        step = max(_CELLS_PER_BLOCK // votes.n_classes, 1)
        blocks: list[Block] = []
        orders, begin = [np.empty(0, dtype=np.int64)], 0
        for first in range(0, votes.n_items, step):
            here = slice(first, min(first + step, votes.n_items))
            most = int(falling[first])
            sizes = [int(np.count_nonzero(falling[here] > rank)) for rank in range(most)]
            orders += [starts[first : first + size] + rank for rank, size in enumerate(sizes)]
            blocks.append(Block(here, slice(begin, begin + sum(sizes)), _parts(sizes)))
            begin += sum(sizes)
        kept = slice(0, votes.n_items) if alike else items
        return cls(kept, np.concatenate(orders), tuple(blocks))

    def restored(self, values: Floats) -> Floats:
        """Bring values or rows by item back into the order of the items."""
        if isinstance(self.items, slice):
            return values
        found = np.empty_like(values)
        found[self.items] = values
        return found


def _parts(sizes: Sequence[int]) -> tuple[Part, ...]:
    """Parts of a block in which so many items have a vote of each rank."""
    sizes = sizes or [0]
    ends = np.cumsum(sizes).tolist()
    return tuple(
        Part(slice(end - size, end), slice(0, size)) for end, size in zip(ends, sizes, strict=True)
    )
