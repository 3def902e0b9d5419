"""The request of CreateLabelingJob, checked against AWS's own model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a request.

    Attributes
    ----------
    field : str
        Where, from the request's root: ``"HumanTaskConfig.TaskTitle"``.
    text : str
        What is wrong there.
    fix : str
        What to do about it.
    """

    field: str
    text: str
    fix: str

    def __str__(self) -> str:
        return f"{self.field} {self.text}. Fix: {self.fix}"


def is_public(workteam_arn: str | None) -> bool:
    """Whether the workers are those of Amazon Mechanical Turk."""
    return workteam_arn is not None and ":workteam/public-crowd/" in workteam_arn


# Of the Unicode classes that Python's `re` lacks, the model uses these, always in brackets.
_UNICODE_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}

_FIXES: Mapping[str, str] = {
    "LabelingJobName": "give --job-name 1 to 63 letters, digits and hyphens, no hyphen at an end",
    "LabelAttributeName": "give --label-attribute 1 to 127 letters, digits and hyphens, no hyphen "
    "at an end (and no underscore)",
    "InputConfig.DataSource.S3DataSource.ManifestS3Uri": "give --manifest s3://bucket/input.manifest",
    "InputConfig.DataAttributes.ContentClassifiers": "give --content-classifier "
    "FreeOfPersonallyIdentifiableInformation or FreeOfAdultContent",
    "OutputConfig.S3OutputPath": "give --output s3://bucket/prefix",
    "OutputConfig.KmsKeyId": "give --kms-key-id the id, ARN or alias of a KMS key",
    "RoleArn": "give --role-arn arn:aws:iam::111122223333:role/name",
    "LabelCategoryConfigS3Uri": "give --label-categories s3://bucket/label_categories.json",
    "StoppingConditions.MaxHumanLabeledObjectCount": "give --max-labeled 1 or more",
    "StoppingConditions.MaxPercentageOfInputDatasetLabeled": "give --max-percentage 1 to 100",
    "HumanTaskConfig.WorkteamArn": "give --workteam-arn "
    "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/name",
    "HumanTaskConfig.UiConfig.UiTemplateS3Uri": "give --ui-template s3://bucket/page.liquid.html",
    "HumanTaskConfig.PreHumanTaskLambdaArn": "give --pre-arn the ARN of a function's alias, or "
    "--stack",
    "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn": "give "
    "--acs-arn the ARN of a function's alias, or --stack",
    "HumanTaskConfig.TaskKeywords": "give 1 to 5 times --keyword, each up to 30 letters and digits "
    "with single spaces between words",
    "HumanTaskConfig.TaskTitle": "give --title 1 to 128 characters",
    "HumanTaskConfig.TaskDescription": "give --description 1 to 255 characters on one line",
    "HumanTaskConfig.NumberOfHumanWorkersPerDataObject": "give --workers 1 to 9",
    "HumanTaskConfig.TaskTimeLimitInSeconds": "give --time-limit 30 to 28800 seconds",
    "HumanTaskConfig.TaskAvailabilityLifetimeInSeconds": "give --availability 60 seconds or more",
    "HumanTaskConfig.MaxConcurrentTaskCount": "give --max-concurrent 1 to 5000",
    "HumanTaskConfig.PublicWorkforceTaskPrice": "give --price 0 to 2.999 dollars",
    "Tags": "give --tag KEY=VALUE at most 50 times; letters, digits, spaces and _.:/=+-@ only, "
    "keys up to 128 characters, values up to 256",
}


def model_problems(request: Mapping[str, Any]) -> list[Problem]:
    """Everything in a request that the API's model forbids."""
    shape = _input_shape()
    problems = list(_structure_problems(shape, dict(request), ""))
    if not problems:
        report = ParamValidator().validate(dict(request), shape)
        if report.has_errors():
            problems.append(
                Problem(field="request", text=report.generate_report(), fix="see there")
            )
    return problems


def fix_of(field: str) -> str:
    """What to do about a field: the option that sets it and what it takes."""
    plain = re.sub(r"\[\d+\]", "", field)
    while plain:
        if plain in _FIXES:
            return _FIXES[plain]
        plain = plain.rpartition(".")[0]
    return "leave it out"


@cache
def _input_shape() -> StructureShape:
    model = botocore.session.Session().get_service_model("sagemaker")
    shape = model.operation_model("CreateLabelingJob").input_shape
    if not isinstance(shape, StructureShape):
        raise TypeError("botocore's model of CreateLabelingJob has no input")
    return shape


def _problems(shape: Shape, value: Any, path: str) -> Iterator[Problem]:
    if isinstance(shape, StructureShape):
        yield from _structure_problems(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _list_problems(shape, value, path)
    elif isinstance(shape, StringShape):
        yield from _text_problems(shape, value, path)
    else:
        yield from _number_problems(shape, value, path)


def _structure_problems(shape: StructureShape, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _problem(path, "is not an object")
        return
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if name not in value:
            yield _problem(f"{prefix}{name}", "is missing")
    for name, item in value.items():
        if name in shape.members:
            yield from _problems(shape.members[name], item, f"{prefix}{name}")
        else:
            yield _problem(f"{prefix}{name}", "is not a field of CreateLabelingJob")


def _list_problems(shape: ListShape, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _problem(path, "is not a list")
        return
    yield from _range_problems(shape, len(value), path, "has {} items")
    for at, item in enumerate(value):
        yield from _problems(shape.member, item, f"{path}[{at}]")


def _text_problems(shape: StringShape, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _problem(path, "is not a text")
        return
    ranged = list(_range_problems(shape, len(value), path, "has {} characters"))
    yield from ranged
    pattern = shape.metadata.get("pattern")
    if shape.enum and value not in shape.enum:
        yield _problem(path, f"is {value!r}, not one of {', '.join(shape.enum)}")
    elif pattern and not ranged and not _python_pattern(pattern).fullmatch(value):
        yield _problem(path, f"is {value!r}, which does not match {pattern}")


def _number_problems(shape: Shape, value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield _problem(path, "is not a whole number")
    else:
        yield from _range_problems(shape, value, path, "is {}")


def _range_problems(shape: Shape, size: int, path: str, says: str) -> Iterator[Problem]:
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    if smallest is not None and size < smallest:
        yield _problem(path, f"{says.format(size)}, {smallest} at least")
    if largest is not None and size > largest:
        yield _problem(path, f"{says.format(size)}, {largest} at most")


@cache
def _python_pattern(pattern: str) -> re.Pattern[str]:
    flags = re.NOFLAG if r"\p{" in pattern else re.ASCII
    for theirs, ours in _UNICODE_CLASSES.items():
        pattern = pattern.replace(theirs, ours)
    return re.compile(pattern, flags)


def _problem(path: str, text: str) -> Problem:
    return Problem(field=path, text=text, fix=fix_of(path))
