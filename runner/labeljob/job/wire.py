"""The JSON that Ground Truth itself writes and sends: events, payloads, answers, metadata."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from labeljob.handlers import ACCOUNT
from labeljob.job.description import JobDescription
from labeljob.job.layout import answer_time, metadata_time
from labeljob.job.schedule import Sitting

ROLE = f"arn:aws:iam::{ACCOUNT}:role/LabeljobExecutionRole"
_POOL = "us-west-2_LOCALPOOL"


def pre_event(description: JobDescription, line: Mapping[str, Any]) -> dict[str, Any]:
    """The event that the PRE function gets for one data object."""
    return {
        "version": "2018-10-06",
        "labelingJobArn": description.arn,
        "dataObject": dict(line),
    }


def acs_event(description: JobDescription, request_uri: str) -> dict[str, Any]:
    """The event that the ACS function gets for one batch."""
    return {
        "version": "2018-10-06",
        "labelingJobArn": description.arn,
        "payload": {"s3Uri": request_uri},
        "labelAttributeName": description.attribute,
        "roleArn": ROLE,
        "outputConfig": description.layout.annotations,
        "maxHumanWorkersPerDataObject": description.per_object,
        "vpcEnabled": False,
        "labelCategories": list(description.labels),
    }


def worker_response(
    sittings: Sequence[Sitting], contents: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The file of all answers to one data object."""
    return {
        "answers": [
            {
                "acceptanceTime": answer_time(sitting.accepted),
                "answerContent": content,
                "submissionTime": answer_time(sitting.submitted),
                "timeSpentInSeconds": sitting.seconds,
                "workerId": sitting.worker.worker_id,
                "workerMetadata": _metadata(sitting.worker.worker_id),
            }
            for sitting, content in zip(sittings, contents, strict=True)
        ]
    }


def _metadata(worker_id: str) -> dict[str, Any]:
    return {
        "identityData": {
            "identityProviderType": "Cognito",
            "issuer": f"https://cognito-idp.us-west-2.amazonaws.com/{_POOL}",
            "sub": str(uuid.uuid5(uuid.NAMESPACE_OID, worker_id)),
        }
    }


def payload_entry(object_id: str, source_ref: str, response: Mapping[str, Any]) -> dict[str, Any]:
    """One data object of a payload: its answers as JSON texts, without times."""
    return {
        "datasetObjectId": object_id,
        "dataObject": {"s3Uri": source_ref},
        "annotations": [
            {
                "workerId": answer["workerId"],
                "annotationData": {"content": json.dumps(answer["answerContent"])},
            }
            for answer in response["answers"]
        ],
    }


def custom_metadata(description: JobDescription, moment: datetime) -> dict[str, Any]:
    """The metadata that the service writes over that of a custom job."""
    return {
        "type": "groundtruth/custom",
        "job-name": description.name,
        "human-annotated": "yes",
        "creation-date": metadata_time(moment),
    }
