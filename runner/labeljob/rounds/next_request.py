"""The request of a job's next round, made of the one before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import botocore.session

from groundtruth.errors import ContractError
from groundtruth.finishing.job import REQUEUE_MANIFEST

LONGEST_NAME = 63


def next_request(
    old: Mapping[str, Any],
    *,
    manifest_uri: str | None = None,
    name: str | None = None,
    workers: int | None = None,
) -> dict[str, Any]:
    """The CreateLabelingJob request of the next round.

    Parameters
    ----------
    old : mapping
        The request of the round before, or what DescribeLabelingJob tells of it.
    manifest_uri : str, optional
        Where the re-queue manifest will be. Beside the old output manifest if left out.
    name : str, optional
        Of the new job. If left out, the old one's with the next number.
    workers : int, optional
        Answers for each data object. As before if left out.

    Raises
    ------
    ContractError
        If `old` has no name, no output path or no task.
    """
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model("CreateLabelingJob").input_shape
    keys = shape.members if shape is not None else old
    old_name = _text(old.get("LabelingJobName"), "LabelingJobName")
    output = _mapping(old.get("OutputConfig"), "OutputConfig")
    top = _text(output.get("S3OutputPath"), "OutputConfig.S3OutputPath").rstrip("/")
    uri = manifest_uri or f"{top}/{old_name}/manifests/output/{REQUEUE_MANIFEST}"
    human = dict(_mapping(old.get("HumanTaskConfig"), "HumanTaskConfig"))
    if workers is not None:
        human["NumberOfHumanWorkersPerDataObject"] = workers
    config = dict(_mapping(old.get("InputConfig", {}), "InputConfig"))
    config["DataSource"] = {"S3DataSource": {"ManifestS3Uri": uri}}
    changed = {
        "LabelingJobName": name or next_name(old_name),
        "LabelAttributeName": old.get("LabelAttributeName") or old_name,
        "InputConfig": config,
        "HumanTaskConfig": human,
    }
    return {key: value for key, value in {**old, **changed}.items() if key in keys}


def next_name(name: str) -> str:
    """The name of the next round.

    Examples
    --------
    >>> next_name("birds"), next_name("birds-2"), next_name("birds-2026-09")
    ('birds-2', 'birds-3', 'birds-2026-09-2')
    """
    match = re.fullmatch(r"(.+)-([1-9]\d?)", name)
    base, number = (match[1], int(match[2])) if match else (name, 1)
    tail = f"-{number + 1}"
    return base[: LONGEST_NAME - len(tail)].rstrip("-") + tail


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise ContractError("is no text", path=path)
    return value


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ContractError("is no JSON object", path=path)
    return value
