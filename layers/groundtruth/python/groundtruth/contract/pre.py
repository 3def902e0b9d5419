"""The pre-annotation event and its response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from groundtruth.contract.fields import as_mapping, required_text
from groundtruth.errors import ContractError


@dataclass(frozen=True, kw_only=True)
class PreRequest:
    """One data object, before it goes to the workers.

    Attributes
    ----------
    labeling_job_arn : str
        The job's ARN; its name is lower-cased by the service.
    data_object : mapping
        The whole manifest line.
    source_ref : str
        URI of the image, out of the manifest line.
    """

    labeling_job_arn: str
    data_object: Mapping[str, Any]
    source_ref: str

    @classmethod
    def from_event(cls, event: Any) -> Self:
        """Read an event of any version.

        Raises
        ------
        ContractError
            If a field is missing or of a wrong kind, or the data object is a text.
        """
        message = as_mapping(event, path="")
        arn = required_text(message, "labelingJobArn")
        if "dataObject" not in message:
            raise ContractError("is missing", path="dataObject")
        line = as_mapping(message["dataObject"], path="dataObject")
        if "source-ref" not in line and "source" in line:
            raise ContractError(
                "is missing: the manifest line has an inline `source`, and these functions "
                "label images; give each line the image's S3 URI as `source-ref`",
                path="dataObject.source-ref",
            )
        source_ref = required_text(line, "source-ref", path="dataObject")
        return cls(labeling_job_arn=arn, data_object=line, source_ref=source_ref)


def pre_response(
    request: PreRequest, *, labels: Sequence[str], human_annotation_required: bool
) -> dict[str, Any]:
    """What the pre-annotation function returns.

    `taskInput` has the keys that AWS's own templates use, so that they work unchanged.
    """
    return {
        "taskInput": {
            "taskObject": request.source_ref,
            "labels": list(labels),
            "manifestLine": dict(request.data_object),
        },
        "isHumanAnnotationRequired": human_annotation_required,
    }
