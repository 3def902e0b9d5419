"""The pre-annotation event and its response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from groundtruth.contract.fields import as_mapping, check_numbers, encodable, required_text
from groundtruth.errors import ContractError


@dataclass(frozen=True, kw_only=True)
class PreRequest:
    """One data object, before it goes to the workers."""

    labeling_job_arn: str  # the job's ARN; its name is lower-cased by the service
    data_object: Mapping[str, Any]  # the whole manifest line
    source: str  # out of the manifest line: the URI of the image, or the text itself

    @classmethod
    def from_event(cls, event: Any, *, inline_source: bool = False) -> Self:
        """Read an event of any version.

        Parameters
        ----------
        event : object
            The event.
        inline_source : bool
            Whether the manifest holds the data object as a text (`source`), rather than naming
            a file (`source-ref`).

        Raises
        ------
        ContractError
            If a field is missing or of a wrong kind, or the data object is a text, or it
            holds a number that JSON cannot write.
        """
        message = as_mapping(encodable(event), path="")
        arn = required_text(message, "labelingJobArn")
        if "dataObject" not in message:
            raise ContractError("is missing", path="dataObject")
        line = as_mapping(message["dataObject"], path="dataObject")
        check_numbers(line, path="dataObject")
        if inline_source:
            source = required_text(line, "source", path="dataObject")
            return cls(labeling_job_arn=arn, data_object=line, source=source)
        if "source-ref" not in line and "source" in line:
            raise ContractError(
                "is missing: the manifest line has an inline `source`, and these functions "
                "label images; give each line the image's S3 URI as `source-ref`",
                path="dataObject.source-ref",
            )
        source = required_text(line, "source-ref", path="dataObject")
        return cls(labeling_job_arn=arn, data_object=line, source=source)


def pre_response(
    request: PreRequest,
    *,
    labels: Sequence[str],
    human_annotation_required: bool,
    earlier: Mapping[str, Any],
) -> dict[str, Any]:
    """What the pre-annotation function returns.

    `taskInput` has the keys that AWS's own templates use, so that they work unchanged, and those
    of `earlier`, what it tells of an earlier job's label.
    """
    return {
        "taskInput": {
            "taskObject": request.source,
            "labels": list(labels),
            "manifestLine": dict(request.data_object),
            **earlier,
        },
        "isHumanAnnotationRequired": human_annotation_required,
    }
