"""Side files: labels that are known beforehand, of gold objects or from a model.

JSON Lines, one data object a line, found by its source or by its `datasetObjectId`::

    {"source-ref": "s3://bucket/images/1.jpg", "label": "cat"}
    {"object-id": "17", "labels": ["cat", "grass"]}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from groundtruth.contract.fields import as_mapping, embedded_json
from groundtruth.errors import ContractError


@dataclass(frozen=True)
class AuxiliaryLabels:
    """Known labels of data objects.

    Attributes
    ----------
    by_source, by_id : mapping of str to tuple of str
        Names of the labels by the object's `source-ref`, and by its `datasetObjectId`.
    """

    by_source: Mapping[str, tuple[str, ...]]
    by_id: Mapping[str, tuple[str, ...]]

    def of(self, object_id: str, source: str | None) -> tuple[str, ...] | None:
        """What is known of a data object; None if nothing is."""
        if source is not None and source in self.by_source:
            return self.by_source[source]
        return self.by_id.get(object_id)


NO_LABELS = AuxiliaryLabels({}, {})


def parse_auxiliary_labels(body: bytes, *, path: str) -> AuxiliaryLabels:
    """Read a side file.

    Parameters
    ----------
    body : bytes
        JSON Lines as described at the top of this module; empty lines are skipped.
    path : str
        What the file is called in an error.

    Raises
    ------
    ContractError
        If a line is no such object, or names an object for the second time.
    """
    by_source: dict[str, tuple[str, ...]] = {}
    by_id: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        entry = as_mapping(embedded_json(line, path=where), path=where)
        names = _names(entry, where)
        source, object_id = entry.get("source-ref"), entry.get("object-id")
        if isinstance(source, str) and source:
            _add(by_source, source, names, where)
        elif isinstance(object_id, str) and object_id:
            _add(by_id, object_id, names, where)
        else:
            raise ContractError("has neither source-ref nor object-id, a text", path=where)
    return AuxiliaryLabels(by_source, by_id)


def _names(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    names = entry["labels"] if "labels" in entry else [entry.get("label")]
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ContractError("has neither a label nor labels", path=where)
    return tuple(names)


def _add(known: dict[str, tuple[str, ...]], key: str, names: tuple[str, ...], where: str) -> None:
    if key in known:
        raise ContractError(f"names {key} for the second time", path=where)
    known[key] = names
