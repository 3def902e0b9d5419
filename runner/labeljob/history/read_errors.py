"""What is wrong with the files of a job, file by file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Damage:
    """One file, or one line of it, that cannot be used.

    Attributes
    ----------
    file : str
        Relative to the job's folder.
    problem : str
        What is wrong, in a few words.
    """

    file: str
    problem: str

    def as_json(self) -> dict[str, Any]:
        """The finding for `--json`."""
        return {"file": self.file, "problem": self.problem}


@dataclass
class DamageList:
    """The findings so far, each once."""

    found: dict[Damage, None] = field(default_factory=dict)

    def add(self, file: str, problem: str) -> None:
        """Note a file that cannot be used."""
        self.found[Damage(file, problem)] = None

    def as_json(self) -> list[dict[str, Any]]:
        """All findings for `--json`."""
        return [item.as_json() for item in self.found]
