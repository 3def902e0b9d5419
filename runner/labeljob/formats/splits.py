"""Which images of an export are for training, which for validation and which for testing.

Each part gets its share of every class, also where an image has several, by the iterative
stratification of [1]_, here of groups of images that stay together.

References
----------
.. [1] K. Sechidis, G. Tsoumakas and I. Vlahavas, "On the Stratification of Multi-Label Data",
   ECML PKDD 2011. doi:10.1007/978-3-642-23808-6_10
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeljob.jobs.description import JobError

PARTS = ("train", "val", "test")
FOLDER = "folder"
"""What images are grouped by if it is the folder that they are in."""


def parse_shares(text: str) -> dict[str, float]:
    """The share of each part, in (0, 1], from two or three numbers of which it is the ratio.

    Raises `JobError` if the text is something else.

    Examples
    --------
    >>> parse_shares("80,10,10")
    {'train': 0.8, 'val': 0.1, 'test': 0.1}
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not 2 <= len(numbers) <= len(PARTS) or not all(0 < n < math.inf for n in numbers):
        raise JobError(
            f"--split {text}: give shares of train,val or train,val,test, such as 80,10,10"
        )
    return {part: number / sum(numbers) for part, number in zip(PARTS, numbers, strict=False)}


def split_images(
    classes: NDArray[np.bool_],
    shares: Sequence[float],
    rng: np.random.Generator,
    *,
    groups: Sequence[object] | None = None,
) -> NDArray[np.int64]:
    """The part that each image comes to.

    The rarest class is divided first: a group with it goes to the part that lacks most of it,
    then to the one that lacks most images; a tie goes to the part listed first. No part stays
    empty if there are as many groups as parts.

    Parameters
    ----------
    classes : ndarray of bool, shape (n_images, n_classes)
        Which classes each image has.
    shares : sequence of float
        Share of the images that each part gets; they sum to 1.
    rng : Generator
        Decides which images of a kind come to which part.
    groups : sequence of hashable, shape (n_images,), optional
        Images of the same group come to the same part. [default: each its own]

    Returns
    -------
    ndarray of int, shape (n_images,)
        Index of the part.

    Examples
    --------
    >>> classes = np.eye(2, dtype=bool)[[0] * 5 + [1] * 5]
    >>> parts = split_images(classes, [0.8, 0.2], np.random.default_rng(0))
    >>> np.bincount(parts[:5]).tolist(), np.bincount(parts[5:]).tolist()
    ([4, 1], [4, 1])
    """
    numbers: dict[object, int] = {}
    of_group = np.array(
        [numbers.setdefault(group, len(numbers)) for group in groups or range(len(classes))],
        dtype=np.int64,
    )
    sizes = np.bincount(of_group, minlength=len(numbers))
    counts = np.zeros((len(numbers), classes.shape[1]), dtype=np.int64)
    np.add.at(counts, of_group, classes)

    lacks_images = np.array(shares) * sizes.sum()
    lacks = np.outer(shares, counts.sum(axis=0))
    parts = np.full(len(numbers), -1, dtype=np.int64)
    order = rng.permutation(len(numbers))
    left = counts.sum(axis=0)
    while (left > 0).any():
        rarest = int(np.where(left > 0, left, np.inf).argmin())
        having = order[(parts[order] < 0) & (counts[order, rarest] > 0)]
        for group in having[np.argsort(-counts[having, rarest], kind="stable")]:
            part = np.lexsort((-lacks_images, -lacks[:, rarest]))[0]
            parts[group] = part
            lacks[part] -= counts[group]
            lacks_images[part] -= sizes[group]
        left = left - counts[having].sum(axis=0)
    for group in order[parts[order] < 0]:
        part = int(lacks_images.argmax())
        parts[group] = part
        lacks_images[part] -= sizes[group]
    _fill(parts, sizes, np.array(shares) * sizes.sum())
    return parts[of_group]


def _fill(parts: NDArray[np.int64], sizes: NDArray[np.int64], wanted: NDArray[np.float64]) -> None:
    """Give each part without a group the one nearest to its size, of a part that has several."""
    for part in range(len(wanted)):
        n_groups = np.bincount(parts, minlength=len(wanted))
        if n_groups[part] == 0 and n_groups.max() > 1:
            spare = np.flatnonzero(n_groups[parts] > 1)
            parts[spare[np.abs(sizes[spare] - wanted[part]).argmin()]] = part


def group_of(values: Mapping[str, Any], source: str, key: str) -> object:
    """What a manifest's line has under a key, or the image's folder; None if it has nothing."""
    if key == FOLDER and key not in values:
        return str(PurePosixPath(source).parent)
    value = values.get(key)
    return None if value is None else str(value)
