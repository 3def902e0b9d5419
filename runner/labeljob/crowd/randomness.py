"""One random generator for each thing that is decided, whatever the order of calls."""

import hashlib
import json

import numpy as np


def digest(*parts: str | int, size: int = 16) -> bytes:
    """Hash of a few texts and numbers: the same in every process and on every machine.

    Parameters
    ----------
    *parts : str or int
        What the hash is of; ``("a", "b")`` and ``("ab",)`` differ.
    size : int
        Length of the hash in bytes, 1 to 64.

    Returns
    -------
    bytes

    Examples
    --------
    >>> digest("a", "b", size=4) == digest("ab", size=4)
    False
    """
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=size).digest()


def generator(*parts: str | int) -> np.random.Generator:
    """Return a random generator that depends on ``parts`` alone.

    Parameters
    ----------
    *parts : str or int
        What is decided: the seed, what for, by whom, of which data object.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> int(generator(1, "answer").integers(1000)) == int(generator(1, "answer").integers(1000))
    True
    """
    return np.random.default_rng(int.from_bytes(digest(*parts)))
