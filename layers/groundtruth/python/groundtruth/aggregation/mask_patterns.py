"""Patterns: combinations of votes, told apart by a number each."""

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from groundtruth.aggregation.mask_voting import Votes

_CODE_BITS, _HALF = 62, 31
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads close numbers far apart


def codes_of(votes: Votes) -> NDArray[np.int64]:
    """A number for each column of votes, equal for equal ones: the votes are its digits."""
    radix = int(votes.max()) + 1
    codes = []
    for first in range(0, len(votes), digits_in_code(radix)):
        code = votes[first].astype(np.int64)
        for row in votes[first + 1 : first + digits_in_code(radix)]:
            code *= radix
            code += row
        codes.append(code)
    return reduce(combined, codes)


def digits_in_code(radix: int) -> int:
    """How many digits fit in one number."""
    return int(_CODE_BITS / np.log2(max(radix, 2)))


def patterns_of(
    codes: NDArray[np.int64], segments: NDArray[np.int64], end: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pattern of each segment, a segment of each pattern, and the pattern's pixels."""
    first_of, members = first_of_each(codes)
    number = np.empty(segments.size, np.int64)
    number[members] = np.arange(members.size)
    patterns = number[first_of]
    lengths = np.diff(segments, append=end)
    return patterns, members, np.bincount(patterns, weights=lengths).astype(np.int64)


def combined(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for two, equal where both are equal."""
    return first_of_each(left)[0] << _HALF | first_of_each(right)[0]


def first_of_each(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each code the position of one that is equal to it, the same for all its equals.

    Returns
    -------
    chosen : ndarray of int64, shape (n_codes,)
        The position of the equal.
    members : ndarray of int64
        All positions in `chosen`, once each.
    """
    at = np.arange(codes.size)
    bits = codes.size.bit_length() + 2
    slots = (codes.astype(np.uint64) * _HASH >> np.uint64(64 - bits)).astype(np.int64)
    table = np.empty(1 << bits, np.int64)
    table[slots] = at
    chosen = table[slots]
    collided = np.flatnonzero(codes[chosen] != codes)
    if collided.size:
        _, first, which = np.unique(codes[collided], return_index=True, return_inverse=True)
        chosen[collided] = collided[first[which]]
    return chosen, np.flatnonzero(chosen == at)
