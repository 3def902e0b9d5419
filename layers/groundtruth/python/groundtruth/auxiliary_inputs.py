"""Auxiliary inputs: gold labels, model predictions and the confidence map.

Labels are JSON Lines, one data object a line, found by its source or by its `datasetObjectId`::

    {"source-ref": "s3://bucket/images/1.jpg", "label": "cat"}
    {"object-id": "17", "labels": ["cat", "grass"]}
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from groundtruth.contract.fields import as_mapping, embedded_json
from groundtruth.errors import ContractError

if TYPE_CHECKING:
    from groundtruth.aggregation.classification.calibration_maps import ConfidenceMap


@dataclass(frozen=True)
class AuxiliaryLabels:
    """Known labels of data objects."""

    # by_source, by_id: names of the labels by the object's `source-ref`, and by its
    # `datasetObjectId`
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
        raise ContractError(
            'needs "label": "<name>" or "labels": ["<name>", …]: '
            "write what is true, or take the line out",
            path=where,
        )
    return tuple(names)


def _add(known: dict[str, tuple[str, ...]], key: str, names: tuple[str, ...], where: str) -> None:
    if key in known:
        raise ContractError(f"names {key} for the second time", path=where)
    known[key] = names


LARGEST = 1e6
"""Largest offset and slope of a map."""


def parse_confidence_map(body: bytes, *, path: str) -> ConfidenceMap:
    """Read the file of a confidence map.

    Parameters
    ----------
    body : bytes
        ``{"kind": "logistic", "offset", "slope"}`` or ``{"kind": "isotonic", "confidences",
        "accuracies"}``; other keys say where the map comes from.
    path : str
        What the file is called in an error.

    Raises
    ------
    ContractError
        If it is neither.
    """
    from groundtruth.aggregation.classification.calibration_maps import IsotonicMap, LogisticMap

    message = as_mapping(embedded_json(body, path=path), path=path)
    kind = message.get("kind")
    if kind == "logistic":
        offset, slope = (_number(message, key, path) for key in ("offset", "slope"))
        if slope < 0:
            raise ContractError("is below 0: surer labels would be less sure", path=f"{path}.slope")
        return LogisticMap(offset=offset, slope=slope)
    if kind == "isotonic":
        confidences = _rising(message, "confidences", path)
        accuracies = _rising(message, "accuracies", path)
        if len(confidences) != len(accuracies):
            raise ContractError("has another length than confidences", path=f"{path}.accuracies")
        return IsotonicMap(confidences, accuracies)
    raise ContractError("is neither logistic nor isotonic", path=f"{path}.kind")


def confidence_map_content(confidence_map: ConfidenceMap) -> dict[str, Any]:
    """The part of the file that `parse_confidence_map` reads."""
    from groundtruth.aggregation.classification.calibration_maps import LogisticMap

    if isinstance(confidence_map, LogisticMap):
        return {"kind": "logistic", "offset": confidence_map.offset, "slope": confidence_map.slope}
    return {
        "kind": "isotonic",
        "confidences": list(confidence_map.confidences),
        "accuracies": list(confidence_map.accuracies),
    }


def _number(message: Mapping[str, Any], key: str, path: str) -> float:
    value = message.get(key)
    if not _is_number(value) or not -LARGEST <= value <= LARGEST:
        raise ContractError(f"is not a number up to {LARGEST:g}", path=f"{path}.{key}")
    return float(value)


def _rising(message: Mapping[str, Any], key: str, path: str) -> tuple[float, ...]:
    values = message.get(key)
    if not isinstance(values, list) or not values:
        raise ContractError("is not a list of numbers", path=f"{path}.{key}")
    if not all(_is_number(value) and 0 <= value <= 1 for value in values):
        raise ContractError("holds something that is not from 0 to 1", path=f"{path}.{key}")
    if any(later < earlier for earlier, later in itertools.pairwise(values)):
        raise ContractError("does not rise", path=f"{path}.{key}")
    return tuple(float(value) for value in values)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
