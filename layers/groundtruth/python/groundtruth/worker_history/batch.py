"""What one batch knows of its workers from earlier ones, and what it adds to that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from groundtruth.worker_history.store import Amounts, History, SkillKey, SkillStore, SkillStoreError


class ForgivingSkills:
    """A store whose failures are noted instead of raised.

    A batch whose history could not be had is best not learned from: should it come again, it
    would be judged by what itself has taught.

    Parameters
    ----------
    store : SkillStore
        The store that may fail.

    Attributes
    ----------
    failures : int
        How many calls failed so far.
    """

    def __init__(self, store: SkillStore) -> None:
        self._store = store
        self.failures = 0

    def history(
        self, key: SkillKey, *, batch_id: str, workers: Sequence[str], at: datetime
    ) -> History:
        """What is known of workers; nothing, with a note, if the store fails."""
        try:
            return self._store.history(key, batch_id=batch_id, workers=workers, at=at)
        except SkillStoreError as error:
            self.failures += 1
            nothing: dict[str, dict[str, float]] = {worker: {} for worker in workers}
            return History(nothing, note=f"worker skill was not read ({error.reason}): {error}")

    def learn(
        self,
        key: SkillKey,
        *,
        job: str,
        contributions: Mapping[str, Amounts],
        at: datetime,
    ) -> str:
        """Add what data objects teach; a note if that failed, else an empty text."""
        try:
            self._store.learn(key, job=job, contributions=contributions, at=at)
        except SkillStoreError as error:
            self.failures += 1
            return f"worker skill was not kept ({error.reason}): {error}"
        return ""


@dataclass(kw_only=True)
class BatchSkills:
    """Worker skill, as far as one batch has to do with it.

    Without a store nothing is known and nothing is kept.

    Attributes
    ----------
    store : SkillStore or None
        Where skill is kept.
    key : SkillKey
        Which statistics: those of the job type and its classes.
    batch_id : str
        Digest of the payload.
    job : str
        ARN of the labeling job.
    made_at : datetime
        When the batch was put together, in UTC.
    complete : bool
        False if a data object of the batch was not processed: then nothing is kept.
    note : str
        What went wrong; empty if nothing did.
    """

    store: SkillStore | None
    key: SkillKey
    batch_id: str
    job: str
    made_at: datetime
    complete: bool = field(default=True, init=False)
    note: str = field(default="", init=False)

    @classmethod
    def none(cls) -> Self:
        """Skill that nobody keeps."""
        key, never = SkillKey("", ()), datetime.min.replace(tzinfo=UTC)
        return cls(store=None, key=key, batch_id="", job="", made_at=never)

    def history(self, workers: Sequence[str]) -> Amounts:
        """What earlier batches taught about workers: worker -> cell -> amount.

        A store that fails leaves a note, and nothing is known.
        """
        if self.store is None or not workers:
            return {worker: {} for worker in workers}
        found = ForgivingSkills(self.store).history(
            self.key, batch_id=self.batch_id, workers=workers, at=self.made_at
        )
        self.note = found.note
        return found.amounts

    def learn(self, contributions: Mapping[str, Amounts]) -> None:
        """Keep what data objects teach, each object of the job once for ever.

        Nothing is kept if the history could not be had: were the batch sent again, it would be
        judged by what itself has taught. Nothing is kept of a batch that is not complete either:
        part of it teaches other than the whole, and the first to teach is the one that counts.
        """
        taught = {item: amounts for item, amounts in contributions.items() if amounts}
        if self.store is None or self.note or not self.complete or not taught:
            return
        self.note = ForgivingSkills(self.store).learn(
            self.key, job=self.job, contributions=taught, at=self.made_at
        )
