"""The annotation-consolidation event, its payload file and the response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from groundtruth.contract.fields import (
    as_list,
    as_mapping,
    checked_labels,
    encodable,
    optional_text,
    required_text,
    s3_uri_of,
)
from groundtruth.errors import ContractError

CONSOLIDATED_FOLDER = "consolidated-annotation"


@dataclass(frozen=True, kw_only=True)
class AcsRequest:
    """One batch of data objects whose answers are in."""

    # labeling_job_arn, label_attribute_name: the job, and the key of its labels in the output
    # manifest
    labeling_job_arn: str
    label_attribute_name: str
    payload_uri: str  # S3 URI of the payload file
    annotations_uri: str  # S3 URI of the job's ``annotations`` folder, without a slash at its end
    label_categories: tuple[str, ...] | None  # classes in label order; None if the event has none
    # role_arn, kms_key_id: the job's execution role and key
    role_arn: str | None
    kms_key_id: str | None

    @property
    def job_name(self) -> str:
        """The tail of the job's ARN, ``labeling-job/<name>``."""
        return self.labeling_job_arn.rpartition(":")[2]

    @classmethod
    def from_event(cls, event: Any) -> Self:
        """Read an event, as documented or as really sent.

        Raises
        ------
        ContractError
            If a field is missing or of a wrong kind; keys we do not know are let pass.
        """
        message = as_mapping(encodable(event), path="")
        payload_uri = _payload_uri(message)
        categories = message.get("labelCategories")
        return cls(
            labeling_job_arn=required_text(message, "labelingJobArn"),
            label_attribute_name=required_text(message, "labelAttributeName"),
            payload_uri=payload_uri,
            annotations_uri=_annotations_uri(message, payload_uri),
            label_categories=checked_labels(categories, path="labelCategories")
            if categories
            else None,
            role_arn=optional_text(message, "roleArn"),
            kms_key_id=optional_text(message, "kmsKeyId"),
        )


def _payload_uri(message: Mapping[str, Any]) -> str:
    if "payload" not in message:
        raise ContractError("is missing", path="payload")
    uri = s3_uri_of(as_mapping(message["payload"], path="payload"))
    if not isinstance(uri, str) or not uri.startswith("s3://"):
        raise ContractError("is not an S3 URI (s3://bucket/key)", path="payload.s3Uri")
    return uri


def _annotations_uri(message: Mapping[str, Any], payload_uri: str) -> str:
    """Where the event says, else the folder that the payload is in."""
    output = optional_text(message, "outputConfig")
    if output is not None:
        if not output.startswith("s3://"):
            raise ContractError("is not an S3 URI (s3://bucket/key)", path="outputConfig")
        return output.rstrip("/")
    folder, found, _ = payload_uri.partition(f"/{CONSOLIDATED_FOLDER}/")
    return folder if found else payload_uri.rpartition("/")[0]


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """What the payload holds of one worker's answer: the answer, or where it is."""

    worker_id: str  # empty if the payload names no worker
    content: Any  # the answer as JSON text or already decoded; None if it is elsewhere or missing
    uri: str | None  # S3 URI of the answer


@dataclass(frozen=True, kw_only=True)
class DataObject:
    """One entry of the payload: a data object and its answers as they came."""

    object_id: str
    source: Any
    annotations: tuple[Annotation, ...]

    @property
    def source_uri(self) -> str | None:
        """S3 URI of the data object; None if the payload holds a text or nothing."""
        uri = s3_uri_of(self.source) if isinstance(self.source, Mapping) else None
        return uri if isinstance(uri, str) else None


def parse_payload(payload: Any) -> tuple[DataObject, ...]:
    """Read a decoded payload file, entry by entry.

    Raises
    ------
    ContractError
        If the payload is not a list of entries with an id and a list of annotations. A single
        annotation without content is no error here: it is one answer less.
    """
    return tuple(
        _data_object(item, path=f"payload[{index}]")
        for index, item in enumerate(as_list(payload, path="payload"))
    )


def _data_object(item: Any, *, path: str) -> DataObject:
    entry = as_mapping(item, path=path)
    object_id = entry.get("datasetObjectId")
    if isinstance(object_id, int) and not isinstance(object_id, bool):
        object_id = str(object_id)
    if not isinstance(object_id, str) or not object_id:
        raise ContractError("is missing or not a text", path=f"{path}.datasetObjectId")
    annotations = entry.get("annotations")
    return DataObject(
        object_id=object_id,
        source=entry.get("dataObject"),
        annotations=tuple(
            _annotation(annotation)
            for annotation in as_list(
                [] if annotations is None else annotations, path=f"{path}.annotations"
            )
        ),
    )


def _annotation(item: Any) -> Annotation:
    entry = item if isinstance(item, Mapping) else {}
    worker_id = entry.get("workerId")
    data = entry.get("annotationData")
    data = data if isinstance(data, Mapping) else {}
    uri = s3_uri_of(data)
    uri = uri if isinstance(uri, str) and uri else None
    content = data.get("content")
    return Annotation(
        worker_id=worker_id if isinstance(worker_id, str) else "",
        content=None if uri and content == "" else content,
        uri=uri,
    )


def acs_response_item(object_id: str, content: dict[str, Any]) -> dict[str, Any]:
    """One entry of the response."""
    return {"datasetObjectId": object_id, "consolidatedAnnotation": {"content": content}}
