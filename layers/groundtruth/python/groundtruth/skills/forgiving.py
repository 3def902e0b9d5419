"""A store that fails must not fail the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from groundtruth.skills.store import Amounts, History, SkillKey, SkillStore, SkillStoreError


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
