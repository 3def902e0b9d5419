"""What one batch knows of its workers from earlier ones, and what it adds to that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from groundtruth.worker_history.store import Amounts, SkillKey, SkillStore, SkillStoreError


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
        try:
            return self.store.history(
                self.key, batch_id=self.batch_id, workers=workers, at=self.made_at
            )
        except SkillStoreError as error:
            self.note = f"worker skill was not read ({error.reason}): {error}"
            return {worker: {} for worker in workers}

    def update_counts(self, count_updates: Mapping[str, Amounts]) -> None:
        """Keep what data objects teach, each object of the job once for ever.

        Nothing is kept if the history could not be had: were the batch sent again, it would be
        judged by what itself has taught. Nothing is kept of a batch that is not complete either:
        part of it teaches other than the whole, and the first to teach is the one that counts.
        """
        updates = {item: amounts for item, amounts in count_updates.items() if amounts}
        if self.store is None or self.note or not self.complete or not updates:
            return
        try:
            self.store.update_counts(self.key, job=self.job, updates=updates, at=self.made_at)
        except SkillStoreError as error:
            self.note = f"worker skill was not kept ({error.reason}): {error}"
