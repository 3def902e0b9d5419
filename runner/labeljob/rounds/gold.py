"""Known objects ("gold") mixed into a manifest, and taken out of a result again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundtruth.errors import ContractError
from groundtruth.finishing.manifest import Line
from labeljob.jobs.description import JobError
from labeljob.jobs.manifest_lines import ManifestLine, compact_json

SOURCE = "source-ref"
ANSWERS = ("label", "labels", "mask")
LINE = "line"
MIXED_IN = "mixed-in"
_NOT_FOR_A_MANIFEST = {*ANSWERS, "object-id", LINE, MIXED_IN}


@dataclass(frozen=True)
class GoldFile:
    """Known objects: JSON Lines with ``source-ref`` and ``label``, ``labels`` or ``mask``.

    Attributes
    ----------
    path : Path
        The file.
    entries : mapping of str to mapping
        Its lines, read, by ``source-ref``.
    """

    path: Path
    entries: Mapping[str, Mapping[str, Any]]

    @property
    def mixed_in(self) -> set[str]:
        """Sources of the objects that a manifest has only because they were mixed in.

        In a file that `labeljob gold mix` did not write, these are all.
        """
        return {source for source, entry in self.entries.items() if entry.get(MIXED_IN, True)}

    @property
    def is_for_functions(self) -> bool:
        """Whether the functions can read it by GOLD_LABELS_S3_URI: they know no gold masks."""
        return not any("mask" in entry for entry in self.entries.values())


def read_gold(path: Path) -> GoldFile:
    """Read known objects.

    Raises
    ------
    ContractError
        If the file cannot be read, or a line is not as said, or names an object once more.
    """
    try:
        texts = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"cannot be read ({error})", path=str(path)) from error
    entries: dict[str, Mapping[str, Any]] = {}
    for number, text in enumerate(texts, start=1):
        if text.strip():
            where = f"{path}, line {number}"
            entry = _entry(text, where)
            if entry[SOURCE] in entries:
                raise ContractError(f"names {entry[SOURCE]} for the second time", path=where)
            entries[entry[SOURCE]] = entry
    if not entries:
        raise ContractError("has no known object", path=str(path))
    return GoldFile(path, entries)


def _entry(text: str, where: str) -> Mapping[str, Any]:
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"is not JSON ({error})", path=where) from error
    if not isinstance(entry, dict) or not isinstance(entry.get(SOURCE), str):
        raise ContractError(f'is no JSON object with a text "{SOURCE}"', path=where)
    if not any(entry.get(key) for key in ANSWERS):
        raise ContractError("has none of label, labels and mask", path=where)
    return entry


@dataclass(frozen=True)
class Mixed:
    """A manifest with known objects in it.

    Attributes
    ----------
    lines : tuple of str
        The manifest.
    remembered : tuple of str
        A side file for GOLD_LABELS_S3_URI: which lines are gold, and what they show.
    added, in_place : int
        Known objects that were mixed in, and that the manifest had before.
    """

    lines: tuple[str, ...]
    remembered: tuple[str, ...]
    added: int
    in_place: int


def mix(
    lines: Sequence[ManifestLine],
    gold: GoldFile,
    *,
    rate: float,
    remember_in: Path,
    rng: np.random.Generator,
) -> Mixed:
    """Mix known objects into a manifest at random places.

    A known object that the manifest has already is gold where it is.

    Parameters
    ----------
    lines : sequence of ManifestLine
        The manifest; its lines stay letter for letter, in their order.
    gold : GoldFile
        The known objects to choose from. Keys that are not of the gold file itself, such as a
        site, get into the manifest's line.
    rate : float
        Share of the mixed manifest that is gold, in (0, 1).
    remember_in : Path
        The side file; paths of masks are written relative to it.
    rng : numpy.random.Generator
        Chooses objects and places.

    Raises
    ------
    JobError
        If there are not enough known objects.
    """
    here = {line.source_ref for line in lines}
    in_place = {source for source in gold.entries if source in here}
    spare = [source for source in gold.entries if source not in here]
    wanted = max(0, round((rate * len(lines) - len(in_place)) / (1 - rate)))
    if wanted > len(spare):
        most = (len(gold.entries)) / (len(lines) + len(spare))
        raise JobError(
            f"a rate of {rate} takes {wanted} known objects that are not in the manifest, and "
            f"{gold.path} has {len(spare)}; they are enough for a rate of {most:.3f}"
        )
    chosen = iter([spare[at] for at in rng.permutation(len(spare))[:wanted].tolist()])
    places = set(rng.choice(len(lines) + wanted, wanted, replace=False).tolist())
    texts, remembered = [], []
    rest = iter(lines)
    for at in range(len(lines) + wanted):
        if at in places:
            source = next(chosen)
            entry = gold.entries[source]
            kept = {key: entry[key] for key in entry if key not in _NOT_FOR_A_MANIFEST}
            texts.append(compact_json(kept))
            remembered.append(_remembered(gold, source, at, remember_in, mixed_in=True))
        else:
            line = next(rest)
            texts.append(line.text)
            if line.source_ref in in_place:
                in_place.discard(line.source_ref)
                remembered.append(
                    _remembered(gold, line.source_ref, at, remember_in, mixed_in=False)
                )
    return Mixed(tuple(texts), tuple(remembered), wanted, len(remembered) - wanted)


def _remembered(gold: GoldFile, source: str, at: int, remember_in: Path, *, mixed_in: bool) -> str:
    entry = gold.entries[source]
    known = {key: entry[key] for key in ANSWERS if key in entry}
    if isinstance(known.get("mask"), str):
        mask = (gold.path.parent / known["mask"]).resolve()
        known["mask"] = mask.relative_to(remember_in.parent.resolve(), walk_up=True).as_posix()
    return compact_json({SOURCE: source, **known, LINE: at, MIXED_IN: mixed_in})


@dataclass(frozen=True)
class Stripped:
    """A manifest without the known objects that were mixed into it.

    Attributes
    ----------
    lines : tuple of str
        What is left, letter for letter.
    removed : int
        Lines that were taken out.
    missing : tuple of str
        Sources that were mixed in once and that this manifest does not have.
    """

    lines: tuple[str, ...]
    removed: int
    missing: tuple[str, ...]


def strip(lines: Iterable[Line], gold: GoldFile) -> Stripped:
    """Take the known objects out of an output manifest that were mixed into the input."""
    gone = gold.mixed_in
    found: set[str] = set()
    kept, removed = [], 0
    for line in lines:
        source = line.values.get(SOURCE)
        if isinstance(source, str) and source in gone:
            found.add(source)
            removed += 1
        else:
            kept.append(line.text)
    return Stripped(tuple(kept), removed, tuple(sorted(gone - found)))
