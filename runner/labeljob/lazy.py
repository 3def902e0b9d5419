"""Sequences whose items are made when somebody asks for them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

Item = TypeVar("Item")


class LazySequence(Sequence[Item]):
    """A sequence that holds no items; a slice of it is a tuple of them."""

    @abstractmethod
    def make_item(self, index: int) -> Item:
        """Make one, by its index from 0 to the length less one."""

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, index: int | slice) -> Item | tuple[Item, ...]:
        """Make an item, or those of a slice; raises `IndexError` as a tuple does."""
        indices = range(len(self))[index]
        if isinstance(indices, range):
            return tuple(map(self.make_item, indices))
        return self.make_item(indices)
