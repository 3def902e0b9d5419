"""The file of a confidence map: how sure a label is, put right by objects whose truth is known."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, TypeGuard

from groundtruth.aggregation.classification.calibration_maps import (
    ConfidenceMap,
    IsotonicMap,
    LogisticMap,
)
from groundtruth.contract.fields import as_mapping, embedded_json
from groundtruth.errors import ContractError

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


def confidence_map_content(found: ConfidenceMap) -> dict[str, Any]:
    """The part of the file that `parse_confidence_map` reads."""
    if isinstance(found, LogisticMap):
        return {"kind": "logistic", "offset": found.offset, "slope": found.slope}
    return {
        "kind": "isotonic",
        "confidences": list(found.confidences),
        "accuracies": list(found.accuracies),
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
