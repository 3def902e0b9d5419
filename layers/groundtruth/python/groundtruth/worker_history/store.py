"""What a store of worker skill promises, whatever it keeps things in.

A store adds up amounts. Which cells there are (``"0:3"``: true class 0, chosen class 3) and
what they mean is the algorithm's business.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol

from groundtruth.errors import GroundTruthError

SHORTEST_HALF_LIFE_DAYS = 0.01

ALL_WORKERS = ""
"""Under this name is kept what all workers together did.

No worker has it: an answer without a worker's id is set aside.
"""

type Amounts = Mapping[str, Mapping[str, float]]
"""Amount by worker and cell."""


class SkillStoreError(GroundTruthError):
    """What is kept of workers cannot be read or added to.

    Attributes
    ----------
    reason : str
        ``"throttled"``, ``"unavailable"`` (both may pass), ``"refused"`` (no permission, no
        such table), ``"damaged"`` or ``"full"``.
    """

    def __init__(self, problem: str, *, reason: str) -> None:
        super().__init__(problem)
        self.reason = reason


@dataclass(frozen=True)
class SkillKey:
    """Which statistics may be added up: those of one job type, label set and half-life.

    Parameters
    ----------
    task : str
        Name of the job type.
    classes : tuple of str
        The label set in its order, because cells may number the classes.
    half_life_days : float
        After how many days what was learned weighs half; 0 for no decay, else at least 0.01.

    Raises
    ------
    ValueError
        If the half-life is none of these.

    Examples
    --------
    >>> SkillKey("image-multi-class", ("crab", "urchin"), 90).text
    'adf57debe344afa1'
    """

    task: str
    classes: tuple[str, ...]
    half_life_days: float = 0.0

    def __post_init__(self) -> None:
        days = self.half_life_days
        if days != 0 and not SHORTEST_HALF_LIFE_DAYS <= days < math.inf:
            raise ValueError("the half-life is 0 or at least 0.01 days")

    @cached_property
    def text(self) -> str:
        """The key in 16 hexadecimal digits, the same for ever."""
        content = [self.task, list(self.classes), float(self.half_life_days)]
        canonical = json.dumps(content, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:16]


class SkillStore(Protocol):
    """Amounts by key, worker and cell. Several callers may use one at once."""

    def history(
        self, key: SkillKey, *, batch_id: str, workers: Sequence[str], at: datetime
    ) -> Amounts:
        """What is known of each worker asked for, decayed to a moment, in whole millionths.

        The first answer to a batch is kept: the same batch gets it again, whatever was
        learned since. What was learned later than `at` never counts for more than it was.

        Parameters
        ----------
        key : SkillKey
            Which statistics.
        batch_id : str
            What tells batches apart: a digest of the payload.
        workers : sequence of str
            Who is asked for; the order does not matter.
        at : datetime
            When the batch was put together, in UTC.

        Raises
        ------
        SkillStoreError
            If the answer cannot be read, or cannot be kept.
        """

    def update_counts(
        self,
        key: SkillKey,
        *,
        job: str,
        updates: Mapping[str, Amounts],
        at: datetime,
    ) -> None:
        """Add what the data objects of a batch teach, each object of a job once for ever.

        Parameters
        ----------
        key : SkillKey
            Which statistics.
        job : str
            The labeling job; the first to teach (job, object) is the one that counts.
        updates : mapping of str to Amounts
            Data object -> worker -> cell -> amount: finite, in [0, 1e6], counted in whole
            millionths. Cells are texts of 1 to 255 bytes.
        at : datetime
            When the batch was put together, in UTC.

        Raises
        ------
        SkillStoreError
            If not all could be added. Calling again adds what is missing.
        ValueError
            If a cell or an amount is not as said.
        """
