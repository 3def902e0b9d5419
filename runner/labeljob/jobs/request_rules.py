"""The rules for a labeling job that the API's model does not know.

Sources: "CreateLabelingJob" and "HumanTaskConfig" in the SageMaker API reference, and "Create a
labeling job (API)", "Reuse data" and "Custom labeling workflows" in its developer guide.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from groundtruth.errors import SettingsError
from groundtruth.settings import Settings
from labeljob.jobs.lambda_arns import LambdaArn
from labeljob.jobs.request import Problem, fix_of, is_public
from labeljob.tasks.base import JobType

MAX_TIME_LIMIT = 28_800
MAX_AVAILABILITY_PUBLIC = 43_200
MAX_AVAILABILITY_PRIVATE = 2_592_000

_WORKTEAM = re.compile(r":workteam/(private|vendor|public)-crowd/")
_WITHOUT_SUPPORT = 1_000
_PRICE = "HumanTaskConfig.PublicWorkforceTaskPrice"


def rule_problems(request: Mapping[str, Any], task: JobType) -> list[Problem]:
    """Everything in a request that Ground Truth would refuse, beyond the API's model.

    A field that is missing or of the wrong type is left to `model_problems`.
    """
    return [
        *attribute_problems(request.get("LabelAttributeName"), task),
        *_uri_problems(request),
        *_time_problems(request.get("HumanTaskConfig", {})),
        *_page_problems(request.get("HumanTaskConfig", {})),
        *_tag_problems(request.get("Tags", [])),
    ]


def rule_warnings(request: Mapping[str, Any], task: JobType) -> list[Problem]:
    """What Ground Truth may accept and the person may still not want."""
    return [
        *_attribute_warnings(request.get("LabelAttributeName"), task),
        *_category_warnings(request),
        *_time_warnings(request.get("HumanTaskConfig", {})),
        *_workforce_warnings(request),
        *_tag_warnings(request.get("Tags", [])),
    ]


def attribute_problems(name: Any, task: JobType) -> Iterator[Problem]:
    """What is wrong with a label attribute name, beyond what botocore's model knows."""
    field = "LabelAttributeName"
    if name in ("source", "source-ref"):
        text = f"is {name!r}, which names the image itself in every manifest line"
        yield Problem(field=field, text=text, fix="choose another --label-attribute, such as label")
    if isinstance(name, str) and name.endswith("-metadata"):
        text = f"is {name!r}; Ground Truth adds -metadata to the name for its own block"
        yield Problem(field=field, text=text, fix="drop the -metadata from --label-attribute")
    if isinstance(name, str) and name.endswith("-ref") and not task.label_is_mask:
        text = f"is {name!r}; only jobs whose label is a file may end in -ref"
        yield Problem(field=field, text=text, fix="drop the -ref from --label-attribute")


def _attribute_warnings(name: Any, task: JobType) -> Iterator[Problem]:
    if isinstance(name, str) and name.endswith("-ref") and task.label_is_mask:
        yield Problem(
            field="LabelAttributeName",
            text="ends in -ref: the built-in segmentation job asks for that, for a custom job AWS "
            "documents nothing",
            fix="if the job is refused, drop the -ref from --label-attribute",
        )


def _uri_problems(request: Mapping[str, Any]) -> Iterator[Problem]:
    source = request.get("InputConfig", {}).get("DataSource", {}).get("S3DataSource", {})
    page = request.get("HumanTaskConfig", {}).get("UiConfig", {})
    output = request.get("OutputConfig", {}).get("S3OutputPath")
    objects = {
        "InputConfig.DataSource.S3DataSource.ManifestS3Uri": source.get("ManifestS3Uri"),
        "LabelCategoryConfigS3Uri": request.get("LabelCategoryConfigS3Uri"),
        "HumanTaskConfig.UiConfig.UiTemplateS3Uri": page.get("UiTemplateS3Uri"),
    }
    for field, uri in objects.items():
        if isinstance(uri, str) and not re.fullmatch(r"s3://[a-z0-9.-]{3,63}/.*[^/]", uri):
            yield Problem(field=field, text=f"is {uri!r}, not an object in S3", fix=fix_of(field))
    if isinstance(output, str) and not re.fullmatch(r"s3://[a-z0-9.-]{3,63}(/.*)?", output):
        field = "OutputConfig.S3OutputPath"
        yield Problem(field=field, text=f"is {output!r}, not a place in S3", fix=fix_of(field))


def _time_problems(human: Mapping[str, Any]) -> Iterator[Problem]:
    limit, lifetime = _times(human)
    if limit is not None and limit > MAX_TIME_LIMIT:
        field = "HumanTaskConfig.TaskTimeLimitInSeconds"
        text = f"is {limit}; a worker of a custom job has 8 hours (28800) at most"
        yield Problem(field=field, text=text, fix=fix_of(field))
    public = is_public(_text(human.get("WorkteamArn")))
    longest = MAX_AVAILABILITY_PUBLIC if public else MAX_AVAILABILITY_PRIVATE
    field = "HumanTaskConfig.TaskAvailabilityLifetimeInSeconds"
    if lifetime is not None and lifetime > longest:
        whose = "Mechanical Turk (12 hours)" if public else "a private or vendor team (30 days)"
        text = f"is {lifetime}; the most for {whose} is {longest}"
        yield Problem(field=field, text=text, fix=f"give --availability 60 to {longest} seconds")


def _time_warnings(human: Mapping[str, Any]) -> Iterator[Problem]:
    limit, lifetime = _times(human)
    if limit is not None and lifetime is not None and lifetime < limit:
        yield Problem(
            field="HumanTaskConfig.TaskAvailabilityLifetimeInSeconds",
            text=f"lets an image wait {lifetime} seconds for workers, and each may take {limit}",
            fix="raise --availability or lower --time-limit",
        )


def _times(human: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Time limit and availability, where they are numbers."""
    limit = human.get("TaskTimeLimitInSeconds")
    lifetime = human.get("TaskAvailabilityLifetimeInSeconds")
    return (
        limit if isinstance(limit, int) else None,
        lifetime if isinstance(lifetime, int) else None,
    )


def _page_problems(human: Mapping[str, Any]) -> Iterator[Problem]:
    config = human.get("UiConfig")
    if isinstance(config, dict) and not config:
        field = "HumanTaskConfig.UiConfig.UiTemplateS3Uri"
        yield Problem(field=field, text="is missing", fix=fix_of(field))


def _tag_problems(tags: Any) -> Iterator[Problem]:
    keys = Counter(tag.get("Key") for tag in tags)
    for key, times in keys.items():
        if times > 1:
            yield Problem(field="Tags", text=f"has {key!r} {times} times", fix="give it once")
        if isinstance(key, str) and key.lower().startswith("aws:"):
            text = f"has {key!r}; keys that start with aws: belong to AWS"
            yield Problem(field="Tags", text=text, fix="choose another key")


def _tag_warnings(tags: Any) -> Iterator[Problem]:
    ours = {tag["Key"]: tag["Value"] for tag in tags}
    try:
        _, problems = Settings().for_job(ours)
    except SettingsError as error:
        problems = (str(error),)
    for problem in problems:
        yield Problem(
            field="Tags",
            text=f"hold a setting that the functions do not take: {problem}",
            fix="correct the --tag, or leave it out to have the stack's setting",
        )


def _category_warnings(request: Mapping[str, Any]) -> Iterator[Problem]:
    field = "LabelCategoryConfigS3Uri"
    if field not in request:
        text = "is missing: the stack's own label category file is used, and if it has none every"
        yield Problem(field=field, text=f"{text} task fails", fix=fix_of(field))


def _workforce_warnings(request: Mapping[str, Any]) -> Iterator[Problem]:
    human = request.get("HumanTaskConfig", {})
    team = _text(human.get("WorkteamArn"))
    if team is not None and not _WORKTEAM.search(team):
        field = "HumanTaskConfig.WorkteamArn"
        text = "names neither a private-crowd, a vendor-crowd nor a public-crowd team"
        yield Problem(field=field, text=text, fix=fix_of(field))
    if is_public(team):
        yield from _public_warnings(request)
    elif team and "PublicWorkforceTaskPrice" in human:
        text = "is for Mechanical Turk; this team is not paid through Ground Truth by task"
        yield Problem(field=_PRICE, text=text, fix="leave --price out")
    at_once = human.get("MaxConcurrentTaskCount")
    if isinstance(at_once, int) and at_once > _WITHOUT_SUPPORT:
        field = "HumanTaskConfig.MaxConcurrentTaskCount"
        text = f"is {at_once}: above {_WITHOUT_SUPPORT} only after AWS Support has raised it"
        yield Problem(field=field, text=text, fix=f"give --max-concurrent {_WITHOUT_SUPPORT}")


def _public_warnings(request: Mapping[str, Any]) -> Iterator[Problem]:
    if "PublicWorkforceTaskPrice" not in request.get("HumanTaskConfig", {}):
        text = "is missing, and Mechanical Turk workers are paid for each answer"
        yield Problem(field=_PRICE, text=text, fix=fix_of(_PRICE))
    classifiers = request.get("InputConfig", {}).get("DataAttributes", {})
    declared = set(classifiers.get("ContentClassifiers", []))
    if len(declared) < len(("no personal data", "no adult content")):
        yield Problem(
            field="InputConfig.DataAttributes.ContentClassifiers",
            text="does not say that the images have neither personal data nor adult content, "
            "and Mechanical Turk is for no others",
            fix="declare it with --content-classifier FreeOfPersonallyIdentifiableInformation "
            "and --content-classifier FreeOfAdultContent",
        )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


_PRE_FIELD = "HumanTaskConfig.PreHumanTaskLambdaArn"
_ACS_FIELD = "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn"
_NAMES_OF_MANAGED_POLICY = (
    "*GtRecipe*", "*LabelingFunction*", "*SageMaker*", "*sagemaker*", "*Sagemaker*",
)  # fmt: skip


def function_problems(request: Mapping[str, Any], task: JobType) -> list[Problem]:
    """Everything that is wrong with the functions of a request."""
    pre, acs = _arns(request)
    return [
        *_problems_of(_PRE_FIELD, pre, "PRE", task),
        *_problems_of(_ACS_FIELD, acs, "ACS", task),
        *_region_problems(request),
    ]


def function_warnings(request: Mapping[str, Any]) -> list[Problem]:
    """What may surprise about the functions of a request."""
    role = re.fullmatch(r"arn:[^:]*:iam::(\d{12}):.*", str(request.get("RoleArn")))
    pre, acs = _arns(request)
    return [
        warning
        for field, arn in ((_PRE_FIELD, pre), (_ACS_FIELD, acs))
        if arn is not None and (function := LambdaArn.parse(arn)) is not None
        for warning in _warnings_of(field, function, role[1] if role else None)
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
    regions = list(_regions(request).values())
    return regions[0] if regions else None


def _arns(request: Mapping[str, Any]) -> tuple[str | None, str | None]:
    human = request.get("HumanTaskConfig", {})
    consolidation = human.get("AnnotationConsolidationConfig", {})
    return (
        human.get("PreHumanTaskLambdaArn"),
        consolidation.get("AnnotationConsolidationLambdaArn"),
    )


def _problems_of(field: str, arn: str | None, part: str, task: JobType) -> Iterator[Problem]:
    if arn is None:
        yield Problem(field=field, text="is missing", fix=fix_of(field))
        return
    function = LambdaArn.parse(arn)
    if function is None:
        text = f"is {arn!r}, not the ARN of a Lambda function"
        fix = "copy it from the stack's outputs, or give --stack: arn:aws:lambda:us-east-1:"
        yield Problem(field=field, text=text, fix=f"{fix}111122223333:function:name:alias")
        return
    if function.part not in (None, part):
        text = f"is {function.name}, whose name says {function.part}"
        yield Problem(field=field, text=text, fix="swap --pre-arn and --acs-arn")
    if function.task_name not in (None, task.aws_name):
        text = f"is {function.name}, which is for {function.task_name} and not {task.aws_name}"
        yield Problem(field=field, text=text, fix="give another --task or another function")


def _warnings_of(field: str, function: LambdaArn, account: str | None) -> Iterator[Problem]:
    if function.qualifier is None:
        yield Problem(
            field=field,
            text=f"is {function.name} without an alias, so a deployment changes the job while it "
            "runs",
            fix="give the ARN that is in the stack's outputs: it has the alias",
        )
    if not is_named_for_managed_policy(function.name):
        yield Problem(
            field=field,
            text=f"is {function.name}, which has neither SageMaker nor LabelingFunction in its "
            "name, so AmazonSageMakerGroundTruthExecution does not let the job invoke it",
            fix="deploy with another NamePrefix, or allow the role lambda:InvokeFunction on it",
        )
    if account not in (None, function.account):
        yield Problem(
            field=field,
            text=f"is {function.name} in account {function.account}, and the role is in {account}",
            fix="give the function a resource policy that lets the role invoke it",
        )


def _region_problems(request: Mapping[str, Any]) -> Iterator[Problem]:
    regions = _regions(request)
    if len(set(regions.values())) > 1:
        where = ", ".join(f"{field} in {region}" for field, region in regions.items())
        yield Problem(
            field="request",
            text=f"names several Regions: {where}",
            fix="use a work team and functions of the Region the job runs in",
        )


def _regions(request: Mapping[str, Any]) -> dict[str, str]:
    """Region of each ARN that has one; the work team first."""
    pre, acs = _arns(request)
    team = request.get("HumanTaskConfig", {}).get("WorkteamArn")
    named = {"the work team": team, "the PRE function": pre, "the ACS function": acs}
    found = {
        name: re.match(r"arn:[^:]+:(?:lambda|sagemaker):([^:]+):", arn)
        for name, arn in named.items()
        if isinstance(arn, str)
    }
    return {name: match[1] for name, match in found.items() if match}
