"""What is made of images, kept on disk by the images' content, below a number of bytes."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_KEPT_SHARE = 0.8  # of the bytes, after the longest unused were removed


def digest(content: bytes) -> str:
    """What names an image's content among the files of a cache."""
    return hashlib.sha256(content).hexdigest()


class DiskCache:
    """Files in a folder that stays below a size; the threads of one process may share it.

    Parameters
    ----------
    folder : Path
        Where they are kept; it may be removed at any time.
    suffix : str
        What their names end in: ``".jpg"``.
    most_bytes : int
        How many bytes they may have together; the ones longest unused go first.
    """

    def __init__(self, folder: Path, suffix: str, *, most_bytes: int) -> None:
        self._folder = folder
        self._suffix = suffix
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._n_bytes: int | None = None
        for draft in folder.glob("*/*.part"):  # of a process that was killed
            draft.unlink(missing_ok=True)

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The file of a key, which is made if there is none."""
        path = self.find(key)
        if path is not None:
            with suppress(OSError):
                return path.read_bytes()
        made = make()
        with suppress(OSError):  # without room on the disk it is made again each time
            self.keep(key, made)
        return made

    def find(self, key: str) -> Path | None:
        """Where the file of a key is, which is used now; None if there is none."""
        path = self._path(key)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def keep(self, key: str, content: bytes) -> Path:
        """Write the file of a key, and remove others if there are too many; raises `OSError`."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{threading.get_ident()}.part")
        draft.write_bytes(content)
        draft.replace(path)
        self._count(path, len(content))
        return path

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}{self._suffix}"

    def _count(self, new: Path, n_new: int) -> None:
        with self._lock:
            if self._n_bytes is None:
                self._n_bytes = sum(size for _, size, _ in self._list())
            else:
                self._n_bytes += n_new
            if self._n_bytes > self._most_bytes:
                self._n_bytes = self._remove_oldest(new)

    def _remove_oldest(self, new: Path) -> int:
        """Remove what was longest unused, but not what is new; the bytes that stay."""
        files = sorted(self._list(), key=lambda item: item[0])
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self._most_bytes * _KEPT_SHARE:
                break
            if path != new:
                path.unlink(missing_ok=True)
                total -= size
        return total

    def _list(self) -> list[tuple[float, int, Path]]:
        """When each file was last used, its bytes, and where it is."""
        files = []
        for path in self._folder.glob(f"*/*{self._suffix}"):
            try:
                known = path.stat()
            except OSError:
                continue
            files.append((known.st_mtime, known.st_size, path))
        return files
