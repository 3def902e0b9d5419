"""The request of CreateLabelingJob, checked against AWS's own model and the rules it does not know.

Sources: "CreateLabelingJob" and "HumanTaskConfig" in the SageMaker API reference, and "Create a
labeling job (API)", "Reuse data" and "Custom labeling workflows" in its developer guide.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from groundtruth.errors import SettingsError
from groundtruth.settings import Settings
from labeljob.jobs.lambda_arns import LambdaArn

if TYPE_CHECKING:
    from botocore.model import ListShape, Shape, StringShape, StructureShape

    from labeljob.tasks.base import JobType


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a request, and what to do about it."""

    field: str  # from the request's root: "HumanTaskConfig.TaskTitle"
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
    from botocore.validate import ParamValidator

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
    from botocore.loaders import Loader  # no session, which may fail over the person's settings
    from botocore.model import ServiceModel, StructureShape

    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    shape = model.operation_model("CreateLabelingJob").input_shape
    if not isinstance(shape, StructureShape):
        raise TypeError("botocore's model of CreateLabelingJob has no input")
    return shape


def _problems(shape: Shape, value: Any, path: str) -> Iterator[Problem]:
    from botocore.model import ListShape, StringShape, StructureShape

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
    for index, item in enumerate(value):
        yield from _problems(shape.member, item, f"{path}[{index}]")


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


def _problem(field: str, text: str, fix: str | None = None) -> Problem:
    return Problem(field=field, text=text, fix=fix or fix_of(field))


MAX_WORKERS = 9
MIN_TIME_LIMIT = 30
MIN_AVAILABILITY = 60
MAX_TITLE = 128
MAX_DESCRIPTION = 255
"""These five are those of the API's model; the next ones it does not know."""

MAX_TIME_LIMIT = 28_800
MAX_AVAILABILITY_PUBLIC = 43_200
MAX_AVAILABILITY_PRIVATE = 2_592_000

_WORKTEAM = re.compile(r":workteam/(private|vendor|public)-crowd/")
_WITHOUT_SUPPORT = 1_000
_ATTRIBUTE = "LabelAttributeName"
_MANIFEST = "InputConfig.DataSource.S3DataSource.ManifestS3Uri"
_CLASSIFIERS = "InputConfig.DataAttributes.ContentClassifiers"
_CATEGORIES = "LabelCategoryConfigS3Uri"
_OUTPUT = "OutputConfig.S3OutputPath"
_HUMAN = "HumanTaskConfig"
_TEAM = f"{_HUMAN}.WorkteamArn"
_PAGE = f"{_HUMAN}.UiConfig.UiTemplateS3Uri"
_TIME_LIMIT = f"{_HUMAN}.TaskTimeLimitInSeconds"
_AVAILABILITY = f"{_HUMAN}.TaskAvailabilityLifetimeInSeconds"
_CONCURRENT = f"{_HUMAN}.MaxConcurrentTaskCount"
_PRICE = f"{_HUMAN}.PublicWorkforceTaskPrice"
_PRE = f"{_HUMAN}.PreHumanTaskLambdaArn"
_ACS = f"{_HUMAN}.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn"


def _value(request: Mapping[str, Any], field: str) -> Any:
    """The value of a field, named from the request's root; None if it is not there."""
    value: Any = request
    for key in field.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def rule_problems(request: Mapping[str, Any], task: JobType) -> list[Problem]:
    """Everything in a request that Ground Truth would refuse, beyond the API's model.

    A field that is missing or of the wrong type is left to `model_problems`.
    """
    return [
        *attribute_problems(request.get(_ATTRIBUTE), task),
        *_uri_problems(request),
        *_time_problems(request),
        *_page_problems(request),
        *_tag_problems(request.get("Tags", [])),
    ]


def rule_warnings(request: Mapping[str, Any], task: JobType) -> list[Problem]:
    """What Ground Truth may accept and the person may still not want."""
    return [
        *_attribute_warnings(request.get(_ATTRIBUTE), task),
        *_category_warnings(request),
        *_time_warnings(request),
        *_workforce_warnings(request),
        *_tag_warnings(request.get("Tags", [])),
    ]


def attribute_problems(name: Any, task: JobType) -> Iterator[Problem]:
    """What is wrong with a label attribute name, beyond what botocore's model knows."""
    if not isinstance(name, str):
        return
    if name in ("source", "source-ref"):
        text = f"is {name!r}, which names the image itself in every manifest line"
        yield _problem(_ATTRIBUTE, text, "choose another --label-attribute, such as label")
    if name.endswith("-metadata"):
        text = f"is {name!r}; Ground Truth adds -metadata to the name for its own block"
        yield _problem(_ATTRIBUTE, text, "drop the -metadata from --label-attribute")
    if name.endswith("-ref") and not task.label_is_mask:
        text = f"is {name!r}; only jobs whose label is a file may end in -ref"
        yield _problem(_ATTRIBUTE, text, "drop the -ref from --label-attribute")


def _attribute_warnings(name: Any, task: JobType) -> Iterator[Problem]:
    if isinstance(name, str) and name.endswith("-ref") and task.label_is_mask:
        yield _problem(
            _ATTRIBUTE,
            "ends in -ref: the built-in segmentation job asks for that, for a custom job AWS "
            "documents nothing",
            "if the job is refused, drop the -ref from --label-attribute",
        )


def _uri_problems(request: Mapping[str, Any]) -> Iterator[Problem]:
    for field in (_MANIFEST, _CATEGORIES, _PAGE):
        uri = _value(request, field)
        if isinstance(uri, str) and not re.fullmatch(r"s3://[a-z0-9.-]{3,63}/.*[^/]", uri):
            yield _problem(field, f"is {uri!r}, not an object in S3")
    output = _value(request, _OUTPUT)
    if isinstance(output, str) and not re.fullmatch(r"s3://[a-z0-9.-]{3,63}(/.*)?", output):
        yield _problem(_OUTPUT, f"is {output!r}, not a place in S3")


def _time_problems(request: Mapping[str, Any]) -> Iterator[Problem]:
    limit, availability = _times(request)
    if limit is not None and limit > MAX_TIME_LIMIT:
        text = f"is {limit}; a worker of a custom job has 8 hours (28800) at most"
        yield _problem(_TIME_LIMIT, text)
    public = is_public(_text(_value(request, _TEAM)))
    longest = MAX_AVAILABILITY_PUBLIC if public else MAX_AVAILABILITY_PRIVATE
    if availability is not None and availability > longest:
        whose = "Mechanical Turk (12 hours)" if public else "a private or vendor team (30 days)"
        text = f"is {availability}; the most for {whose} is {longest}"
        yield _problem(_AVAILABILITY, text, f"give --availability 60 to {longest} seconds")


def _time_warnings(request: Mapping[str, Any]) -> Iterator[Problem]:
    limit, availability = _times(request)
    if limit is not None and availability is not None and availability < limit:
        text = f"lets an image wait {availability} seconds for workers, and each may take {limit}"
        yield _problem(_AVAILABILITY, text, "raise --availability or lower --time-limit")


def _times(request: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Time limit and availability, where they are numbers."""
    limit, availability = _value(request, _TIME_LIMIT), _value(request, _AVAILABILITY)
    return (
        limit if isinstance(limit, int) else None,
        availability if isinstance(availability, int) else None,
    )


def _page_problems(request: Mapping[str, Any]) -> Iterator[Problem]:
    if _value(request, f"{_HUMAN}.UiConfig") == {}:
        yield _problem(_PAGE, "is missing")


def _tag_problems(tags: Any) -> Iterator[Problem]:
    for key, times in Counter(tag.get("Key") for tag in tags).items():
        if times > 1:
            yield _problem("Tags", f"has {key!r} {times} times", "give it once")
        if isinstance(key, str) and key.lower().startswith("aws:"):
            text = f"has {key!r}; keys that start with aws: belong to AWS"
            yield _problem("Tags", text, "choose another key")


def _tag_warnings(tags: Any) -> Iterator[Problem]:
    try:
        _, problems = Settings().for_job({tag["Key"]: tag["Value"] for tag in tags})
    except SettingsError as error:
        problems = (str(error),)
    for problem in problems:
        text = f"hold a setting that the functions do not take: {problem}"
        fix = "correct the --tag, or leave it out to have the stack's setting"
        yield _problem("Tags", text, fix)


def _category_warnings(request: Mapping[str, Any]) -> Iterator[Problem]:
    if _CATEGORIES not in request:
        text = "is missing: the stack's own label category file is used, and if it has none every"
        yield _problem(_CATEGORIES, f"{text} task fails")


def _workforce_warnings(request: Mapping[str, Any]) -> Iterator[Problem]:
    team = _text(_value(request, _TEAM))
    if team is not None and not _WORKTEAM.search(team):
        text = "names neither a private-crowd, a vendor-crowd nor a public-crowd team"
        yield _problem(_TEAM, text)
    if is_public(team):
        yield from _public_warnings(request)
    elif team and "PublicWorkforceTaskPrice" in request[_HUMAN]:
        text = "is for Mechanical Turk; this team is not paid through Ground Truth by task"
        yield _problem(_PRICE, text, "leave --price out")
    concurrent = _value(request, _CONCURRENT)
    if isinstance(concurrent, int) and concurrent > _WITHOUT_SUPPORT:
        text = f"is {concurrent}: above {_WITHOUT_SUPPORT} only after AWS Support has raised it"
        yield _problem(_CONCURRENT, text, f"give --max-concurrent {_WITHOUT_SUPPORT}")


def _public_warnings(request: Mapping[str, Any]) -> Iterator[Problem]:
    if "PublicWorkforceTaskPrice" not in request[_HUMAN]:
        yield _problem(_PRICE, "is missing, and Mechanical Turk workers are paid for each answer")
    declared = set(_value(request, _CLASSIFIERS) or ())
    if len(declared) < len(("no personal data", "no adult content")):
        yield _problem(
            _CLASSIFIERS,
            "does not say that the images have neither personal data nor adult content, "
            "and Mechanical Turk is for no others",
            "declare it with --content-classifier FreeOfPersonallyIdentifiableInformation "
            "and --content-classifier FreeOfAdultContent",
        )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


_NAMES_OF_MANAGED_POLICY = (
    "*GtRecipe*", "*LabelingFunction*", "*SageMaker*", "*sagemaker*", "*Sagemaker*",
)  # fmt: skip


def function_problems(request: Mapping[str, Any], task: JobType) -> list[Problem]:
    """Everything that is wrong with the functions of a request."""
    return [
        *_function_problems(_PRE, _value(request, _PRE), "PRE", task),
        *_function_problems(_ACS, _value(request, _ACS), "ACS", task),
        *_region_problems(request),
    ]


def function_warnings(request: Mapping[str, Any]) -> list[Problem]:
    """What may surprise about the functions of a request."""
    role = re.fullmatch(r"arn:[^:]*:iam::(\d{12}):.*", str(request.get("RoleArn")))
    return [
        warning
        for field in (_PRE, _ACS)
        if (arn := _value(request, field)) is not None
        if (function := LambdaArn.parse(arn)) is not None
        for warning in _function_warnings(field, function, role[1] if role else None)
    ]


def is_named_for_managed_policy(name: str) -> bool:
    """Whether AmazonSageMakerGroundTruthExecution lets a job invoke a function of this name.

    Examples
    --------
    >>> is_named_for_managed_policy("my-SageMaker-PRE"), is_named_for_managed_policy("birds-PRE")
    (True, False)
    """
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _NAMES_OF_MANAGED_POLICY)


def region_of(request: Mapping[str, Any]) -> str | None:
    """The Region the job would run in, where the request tells."""
    return next(iter(_regions(request).values()), None)


def _function_problems(field: str, arn: str | None, part: str, task: JobType) -> Iterator[Problem]:
    if arn is None:
        yield _problem(field, "is missing")
        return
    function = LambdaArn.parse(arn)
    if function is None:
        text = f"is {arn!r}, not the ARN of a Lambda function"
        fix = "copy it from the stack's outputs, or give --stack: arn:aws:lambda:us-east-1:"
        yield _problem(field, text, f"{fix}111122223333:function:name:alias")
        return
    if function.part not in (None, part):
        text = f"is {function.name}, whose name says {function.part}"
        yield _problem(field, text, "swap --pre-arn and --acs-arn")
    if function.task_name not in (None, task.aws_name):
        text = f"is {function.name}, which is for {function.task_name} and not {task.aws_name}"
        yield _problem(field, text, "give another --task or another function")


def _function_warnings(field: str, function: LambdaArn, account: str | None) -> Iterator[Problem]:
    if function.qualifier is None:
        text = f"is {function.name} without an alias, so a deployment changes the job while it runs"
        yield _problem(field, text, "give the ARN that is in the stack's outputs: it has the alias")
    if not is_named_for_managed_policy(function.name):
        yield _problem(
            field,
            f"is {function.name}, which has neither SageMaker nor LabelingFunction in its "
            "name, so AmazonSageMakerGroundTruthExecution does not let the job invoke it",
            "deploy with another NamePrefix, or allow the role lambda:InvokeFunction on it",
        )
    if account not in (None, function.account):
        text = f"is {function.name} in account {function.account}, and the role is in {account}"
        fix = "give the function a resource policy that lets the role invoke it"
        yield _problem(field, text, fix)


def _region_problems(request: Mapping[str, Any]) -> Iterator[Problem]:
    regions = _regions(request)
    if len(set(regions.values())) > 1:
        where = ", ".join(f"{field} in {region}" for field, region in regions.items())
        fix = "use a work team and functions of the Region the job runs in"
        yield _problem("request", f"names several Regions: {where}", fix)


def _regions(request: Mapping[str, Any]) -> dict[str, str]:
    """Region of each ARN that has one; the work team first."""
    fields = {"the work team": _TEAM, "the PRE function": _PRE, "the ACS function": _ACS}
    return {
        name: match[1]
        for name, field in fields.items()
        if (arn := _text(_value(request, field)))
        if (match := re.match(r"arn:[^:]+:(?:lambda|sagemaker):([^:]+):", arn))
    }
