"""Worker history: what a store of it promises, and what one batch reads from it and adds to it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self, TypeAlias

from groundtruth.errors import GroundTruthError

SHORTEST_HALF_LIFE_DAYS = 0.01

ALL_WORKERS = ""
"""Under this name is kept what all workers together did.

No worker has it: an answer without a worker's id is set aside.
"""


def name_job_record(job: str) -> str:
    """Under what is kept what holds in one job, by its ARN; no worker's id has two lines."""
    return f"\n{job}"


Amounts: TypeAlias = Mapping[str, Mapping[str, float]]
"""Amount by worker and cell."""

NO_CELLS: Mapping[str, Collection[str]] = MappingProxyType({})


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

    Raises
    ------
    ValueError
        If the half-life is none of these.

    Examples
    --------
    >>> SkillKey("image-multi-class", ("crab", "urchin"), 90).text
    'adf57debe344afa1'
    """

    task: str  # name of the job type
    classes: tuple[str, ...]  # the label set in its order, because cells may number the classes
    # after how many days what was learned weighs half; 0 for no decay, else at least 0.01
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


MOST_OF_A_CELL = 1e12
"""No worker gives so many answers: a larger amount is damage."""


def indices_below(*sizes: int) -> Callable[[str], bool]:
    """Whether a cell's name is so many indices, each below its size.

    Examples
    --------
    >>> is_cell = indices_below(3, 2)
    >>> is_cell("2:1"), is_cell("2:2"), is_cell("2"), is_cell("a:1"), is_cell("02:1")
    (True, False, False, False, False)
    """

    @cache  # all workers have the same cells
    def is_cell(cell: str) -> bool:
        parts = cell.split(":")
        return len(parts) == len(sizes) and all(
            part.isascii() and part.isdecimal() and str(int(part)) == part and int(part) < size
            for part, size in zip(parts, sizes, strict=True)
        )

    return is_cell


@dataclass(kw_only=True)
class BatchSkills:
    """Worker skill, as far as one batch has to do with it.

    Without a store nothing is known and nothing is kept.
    """

    store: SkillStore | None  # where skill is kept
    key: SkillKey  # which statistics: those of the job type and its classes
    batch_id: str  # digest of the payload
    job: str  # ARN of the labeling job
    made_at: datetime  # when the batch was put together, in UTC
    # whether the store has learned from this very batch, in a pass before
    holds_batch: bool = False
    # false if a data object of the batch was not processed: then nothing is kept
    complete: bool = field(default=True, init=False)
    note: str = field(default="", init=False)  # what went wrong; empty if nothing did
    readable: bool = field(default=True, init=False)  # false if the history could not be had

    @property
    def keeps(self) -> bool:
        """Whether what data objects teach is kept."""
        learns = self.store is not None and not self.holds_batch
        return learns and self.readable and self.complete

    @classmethod
    def none(cls) -> Self:
        """Skill that nobody keeps."""
        key, never = SkillKey("", ()), datetime.min.replace(tzinfo=UTC)
        return cls(store=None, key=key, batch_id="", job="", made_at=never)

    def history(
        self,
        workers: Sequence[str],
        *,
        is_cell: Callable[[str], bool],
        shared: Mapping[str, Collection[str]] = NO_CELLS,
    ) -> Amounts:
        """What earlier batches taught about workers: worker -> cell -> amount.

        A store that fails or is damaged leaves a note. Nothing is known then; of single damaged
        cells (by `is_cell`, or no possible amount) only these are left out. Records that are no
        worker's are in `shared`, with the names of further cells they may have.
        """
        nothing: dict[str, dict[str, float]] = {worker: {} for worker in workers}
        if self.store is None or not workers:
            return nothing
        try:
            amounts = self.store.history(
                self.key, batch_id=self.batch_id, workers=workers, at=self.made_at
            )
            known = {
                worker: {
                    cell: float(amount)
                    for cell, amount in amounts.get(worker, {}).items()
                    if (is_cell(cell) or cell in shared.get(worker, ()))
                    and 0.0 <= amount <= MOST_OF_A_CELL
                }
                for worker in workers
            }
        except SkillStoreError as error:
            self._add_note(f"worker skill was not read ({error.reason}): {error}")
        except Exception as error:  # noqa: BLE001 - no store, however damaged, fails a batch
            self._add_note(f"worker skill was not read (damaged): {type(error).__name__}: {error}")
        else:
            if left_out := sum(
                len(amounts.get(worker, {})) - len(known[worker]) for worker in known
            ):
                self._add_note(f"damaged counts of worker skill were left out: {left_out}")
            return known
        self.readable = False
        return nothing

    def update_counts(self, count_updates: Mapping[str, Amounts]) -> None:
        """Keep what data objects teach, each object of the job once for ever.

        Nothing is kept if the history could not be had: were the batch sent again, it would be
        judged by what itself has taught. Nothing is kept of a batch that is not complete either:
        part of it teaches other than the whole, and the first to teach is the one that counts.
        """
        updates = {item: amounts for item, amounts in count_updates.items() if amounts}
        if self.store is None or not self.readable or not self.complete or not updates:
            return
        try:
            self.store.update_counts(self.key, job=self.job, updates=updates, at=self.made_at)
        except SkillStoreError as error:
            self._add_note(f"worker skill was not kept ({error.reason}): {error}")
        except Exception as error:  # noqa: BLE001 - as above
            self._add_note(f"worker skill was not kept (damaged): {type(error).__name__}: {error}")

    def _add_note(self, text: str) -> None:
        self.note = f"{self.note}; {text}" if self.note else text


SKILL_FILE_VARIABLE = "GROUNDTRUTH_SKILL_FILE"
"""Variable that names a file to use instead of DynamoDB: how a job runs on one machine."""


def open_skills(environ: Mapping[str, str], *, table_name: str) -> SkillStore | None:
    """The store that the environment names: a file, or a table; None for neither.

    Parameters
    ----------
    environ : mapping of str to str
        The function's environment.
    table_name : str
        Name of the DynamoDB table; empty for none.
    """
    if file := environ.get(SKILL_FILE_VARIABLE, ""):
        from groundtruth.worker_history.jsonl import JsonFileSkills

        return JsonFileSkills(Path(file))
    if table_name:
        from groundtruth.worker_history.dynamodb import DynamoDbSkills

        return DynamoDbSkills(table_name)
    return None
