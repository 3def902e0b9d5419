"""Worker skill in a file, for jobs that run on one machine.

A line of JSON is added for each batch answered and each batch learned, under a lock. A store
reads the lines that it or others added since it last looked, so the cost of a call does not
grow with the file. A line that was cut off, by a process that died, counts as never written.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from groundtruth.worker_history.counts import Ledger, to_millionths
from groundtruth.worker_history.store import Amounts, SkillKey, SkillStoreError

FORMAT = "worker-skill/1"


class JsonFileSkills:
    """A `SkillStore` in a file; threads and processes may share it.

    Parameters
    ----------
    path : Path
        The file; it and its folder are made when something is to be written. A second file,
        with ``.lock`` behind its name, is the lock.
    lock_seconds : float, optional
        How long to wait while others use the file.
    """

    def __init__(self, path: Path, *, lock_seconds: float = 30.0) -> None:
        self.path = path
        self._lock_seconds = lock_seconds
        self._thread_lock = Lock()
        self._forget()

    def history(
        self, key: SkillKey, *, batch_id: str, workers: Sequence[str], at: datetime
    ) -> Amounts:
        """What is known of workers; see `SkillStore`."""
        with self._current() as ledger:
            return ledger.history(key, batch_id, workers, at, keep=self._keep)

    def update_counts(
        self,
        key: SkillKey,
        *,
        job: str,
        updates: Mapping[str, Amounts],
        at: datetime,
    ) -> None:
        """Add what data objects teach, each once; see `SkillStore`."""
        objects = to_millionths(updates)
        with self._current() as ledger:
            records, counted = ledger.news(key, job, objects, at)
            if counted:
                rows = [[*record, numbers] for record, numbers in records.items()]
                self._append({"objects": counted, "records": rows})

    def _forget(self) -> None:
        self._ledger = Ledger()
        self._read_to = 0

    @contextmanager
    def _current(self) -> Iterator[Ledger]:
        """The ledger with all that is in the file, which nobody else uses meanwhile."""
        from filelock import FileLock, Timeout

        lock_path = self.path.with_name(f"{self.path.name}.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(lock_path, timeout=self._lock_seconds, poll_interval=0.01)
            with self._thread_lock, lock:
                self._catch_up()
                yield self._ledger
        except Timeout as error:
            raise SkillStoreError(f"{lock_path} is held by others", reason="throttled") from error
        except OSError as error:
            raise SkillStoreError(
                f"{self.path} cannot be used: {error.strerror}", reason="unavailable"
            ) from error

    def _catch_up(self) -> None:
        """Read the whole lines behind what was read before."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < self._read_to:
            self._forget()  # another file took the place of the one we know
        if size == self._read_to:
            return
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._apply(line)
                self._read_to += len(line)

    def _append(self, entry: Mapping[str, Any]) -> None:
        """Write one line behind the last whole one, and take it in."""
        line = _line(entry)
        head = b"" if self._read_to else _line({"format": FORMAT})
        mode = "r+b" if self.path.exists() else "xb"
        with self.path.open(mode) as file:
            file.seek(self._read_to)
            file.truncate()
            file.write(head + line)
            file.flush()
            os.fsync(file.fileno())
        self._apply(line)
        self._read_to += len(head) + len(line)

    def _keep(self, mark: str, content: bytes) -> None:
        self._append({"batch": mark, "answer": base64.b64encode(content).decode("ascii")})

    def _apply(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            if self._read_to == 0 and "format" in entry:
                known = entry["format"] == FORMAT
            elif "batch" in entry:
                answer = base64.b64decode(entry["answer"], validate=True)
                self._ledger.answers[entry["batch"]] = answer
                known = True
            else:
                rows = {(key, worker, era): cells for key, worker, era, cells in entry["records"]}
                self._ledger.add(rows, entry["objects"])
                known = True
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise self._damaged() from error
        if not known:
            raise self._damaged()

    def _damaged(self) -> SkillStoreError:
        return SkillStoreError(
            f"{self.path} is damaged at byte {self._read_to}, or of another format",
            reason="damaged",
        )


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n"
