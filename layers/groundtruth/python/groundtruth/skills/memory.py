"""Worker skill in memory: gone with the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock

from groundtruth.skills.amounts import as_history, packed, unpacked, whole_contributions
from groundtruth.skills.ledger import Ledger, batch_mark
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
        asked = dict.fromkeys(workers)
        mark = batch_mark(key, batch_id)
        with self._lock:
            if mark not in self._ledger.answers:
                self._ledger.answers[mark] = packed(self._ledger.read(key, asked, at))
            content = self._ledger.answers[mark]
        return as_history(unpacked(content), asked)

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
