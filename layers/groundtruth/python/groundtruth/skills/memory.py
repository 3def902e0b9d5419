"""Worker skill in memory: gone with the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock

from groundtruth.skills.amounts import whole_contributions
from groundtruth.skills.ledger import Ledger
from groundtruth.skills.store import Amounts, History, SkillKey


class MemorySkills:
    """A `SkillStore` in memory; threads may share it."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._lock = Lock()

    def history(
        self, key: SkillKey, *, batch_id: str, workers: Sequence[str], at: datetime
    ) -> History:
        """What is known of workers; see `SkillStore`."""
        with self._lock:
            keep = self._ledger.answers.__setitem__
            return self._ledger.history(key, batch_id, workers, at, keep=keep)

    def learn(
        self,
        key: SkillKey,
        *,
        job: str,
        contributions: Mapping[str, Amounts],
        at: datetime,
    ) -> None:
        """Add what data objects teach, each once; see `SkillStore`."""
        objects = whole_contributions(contributions)
        with self._lock:
            self._ledger.add(*self._ledger.news(key, job, objects, at))
