"""What became of one data object: its manifest line and its last response, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from groundtruth.finishing.builtin_shape import JOB_NAME_PREFIX
from groundtruth.finishing.found_labels import FoundLabel, found_label
from groundtruth.finishing.manifest_lines import Line
from groundtruth.finishing.response_index import METADATA, Response

CUSTOM_TYPE = "groundtruth/custom"
FAILURE = "failure-reason"


class Fate(StrEnum):
    """What became of a data object."""

    LABELED = "labeled"
    FAILED = "failed"
    UNLABELED = "unlabeled"
    OTHER_JOB = "labeled-by-another-job"
    NOT_RECOGNIZED = "not-recognized"


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """One data object.

    Attributes
    ----------
    fate : Fate
        What became of it; one whose answers were all set aside is `FAILED`, with a label that
        has no class.
    label : FoundLabel or None
        What the consolidation function said.
    failure : mapping
        Metadata with the reason, if the object failed.
    untouched : bool
        Whether the line stays as it is.
    custom : bool
        Whether the line has this custom job's metadata.
    differs : bool
        Whether the line holds another label of the `object` style than the last response.
    """

    fate: Fate
    label: FoundLabel | None = None
    failure: Mapping[str, Any] | None = None
    untouched: bool = False
    custom: bool = False
    differs: bool = False


def resolved(line: Line, response: Response | None, attribute: str, job_name: str) -> Resolved:
    """Find out what became of a data object.

    Parameters
    ----------
    line : Line
        Its line in the service's output manifest, or in the input manifest.
    response : Response or None
        The last answer for it; it tells more than the line and is believed first.
    attribute : str
        The label attribute name.
    job_name : str
        ``labeling-job/<name in lower case>``.
    """
    value = line.values.get(attribute)
    metadata = metadata_of(line.values, attribute)
    if attribute not in line.values and FAILURE in metadata:
        return Resolved(fate=Fate.FAILED, failure=metadata, untouched=True)
    own = _is_of(job_name, metadata)
    custom = own and str(metadata.get("type", "")).lower() == CUSTOM_TYPE
    content = response.content if response else {}
    label = found_label(content.get(attribute), content.get(f"{attribute}{METADATA}"))
    if label is not None:
        differs = isinstance(value, dict) and own and value != content[attribute]
        return _labeled(label, custom, differs)
    if attribute not in line.values:
        return _without_value(content, attribute, custom)
    if not own:
        return Resolved(fate=Fate.OTHER_JOB, untouched=True)
    label = found_label(value, metadata)
    if label is None:
        return Resolved(fate=Fate.NOT_RECOGNIZED, untouched=True, custom=custom)
    return _labeled(label, custom, False)


def _labeled(label: FoundLabel, custom: bool, differs: bool) -> Resolved:
    fate = Fate.LABELED if label.classes else Fate.FAILED
    return Resolved(fate=fate, label=label, custom=custom, differs=differs)


def _without_value(content: Mapping[str, Any], attribute: str, custom: bool) -> Resolved:
    failure = metadata_of(content, attribute)
    if attribute in content:
        return Resolved(fate=Fate.NOT_RECOGNIZED, untouched=True, custom=custom)
    if FAILURE in failure:
        return Resolved(fate=Fate.FAILED, failure=failure, custom=custom)
    return Resolved(fate=Fate.UNLABELED, untouched=True, custom=custom)


def metadata_of(values: Mapping[str, Any], attribute: str) -> Mapping[str, Any]:
    """The metadata of an attribute; empty if there are none."""
    metadata = values.get(f"{attribute}{METADATA}")
    return metadata if isinstance(metadata, Mapping) else {}


def _is_of(job_name: str, metadata: Mapping[str, Any]) -> bool:
    """Whether metadata are of this job; of metadata that name no job it is assumed."""
    named = metadata.get("job-name", metadata.get("job_name"))
    if not isinstance(named, str):
        return True
    return named.removeprefix(JOB_NAME_PREFIX).lower() == job_name.removeprefix(JOB_NAME_PREFIX)
