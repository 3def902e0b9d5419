"""The rules for a labeling job that the API's model does not know.

Sources: "CreateLabelingJob" and "HumanTaskConfig" in the SageMaker API reference, and "Create a
labeling job (API)", "Reuse data" and "Custom labeling workflows" in its developer guide.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from groundtruth.errors import SettingsError
from groundtruth.settings import Settings
from labeljob.labeling_request import Problem, is_public
from labeljob.request_model import fix_of
from labeljob.task_types import TaskType

MAX_TIME_LIMIT = 28_800
MAX_AVAILABILITY_PUBLIC = 43_200
MAX_AVAILABILITY_PRIVATE = 2_592_000

_WORKTEAM = re.compile(r":workteam/(private|vendor|public)-crowd/")
_WITHOUT_SUPPORT = 1_000


def rule_problems(request: Mapping[str, Any], task: TaskType) -> list[Problem]:
    """Everything in a request that Ground Truth would refuse, beyond the API's model.

    A field that is missing or of the wrong type is left to `model_problems`.

    Parameters
    ----------
    request : mapping
        Arguments of `CreateLabelingJob`.
    task : TaskType
        What the workers shall do.
    """
    return [
        *attribute_problems(request.get("LabelAttributeName"), task),
        *_uri_problems(request),
        *_time_problems(request.get("HumanTaskConfig", {})),
        *_page_problems(request.get("HumanTaskConfig", {})),
        *_tag_problems(request.get("Tags", [])),
    ]


def rule_warnings(request: Mapping[str, Any], task: TaskType) -> list[str]:
    """What Ground Truth may accept and the person may still not want, one sentence each."""
    return [
        *_attribute_warnings(request.get("LabelAttributeName"), task),
        *_category_warnings(request),
        *_time_warnings(request.get("HumanTaskConfig", {})),
        *_workforce_warnings(request),
        *_tag_warnings(request.get("Tags", [])),
    ]


def attribute_problems(name: Any, task: TaskType) -> Iterator[Problem]:
    """What is wrong with a label attribute name, beyond what botocore's model knows."""
    field = "LabelAttributeName"
    if name in ("source", "source-ref"):
        text = f"is {name!r}, which names the image itself in every manifest line"
        yield Problem(field=field, text=text, fix="choose another --label-attribute, such as label")
    if isinstance(name, str) and name.endswith("-metadata"):
        text = f"is {name!r}; Ground Truth adds -metadata to the name for its own block"
        yield Problem(field=field, text=text, fix="drop the -metadata from --label-attribute")
    if isinstance(name, str) and name.endswith("-ref") and task.classifies:
        text = f"is {name!r}; only jobs whose label is a file may end in -ref"
        yield Problem(field=field, text=text, fix="drop the -ref from --label-attribute")


def _attribute_warnings(name: Any, task: TaskType) -> Iterator[str]:
    if isinstance(name, str) and name.endswith("-ref") and not task.classifies:
        yield (
            "LabelAttributeName ends in -ref: the built-in segmentation job asks for that, for a "
            "custom job AWS documents nothing; if the job is refused, drop the -ref"
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


def _time_warnings(human: Mapping[str, Any]) -> Iterator[str]:
    limit, lifetime = _times(human)
    if limit is not None and lifetime is not None and lifetime < limit:
        yield (
            f"an image waits {lifetime} seconds for workers, and each may take {limit}: raise "
            "--availability or lower --time-limit"
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


def _tag_warnings(tags: Any) -> tuple[str, ...]:
    ours = {tag["Key"]: tag["Value"] for tag in tags}
    try:
        _, problems = Settings().for_job(ours)
    except SettingsError as error:
        problems = (str(error),)
    return tuple(f"{problem}; the functions would use the stack's setting" for problem in problems)


def _category_warnings(request: Mapping[str, Any]) -> Iterator[str]:
    if "LabelCategoryConfigS3Uri" not in request:
        yield (
            "LabelCategoryConfigS3Uri is missing: the stack's own label category file is used, and "
            "if it has none every task fails; give --label-categories"
        )


def _workforce_warnings(request: Mapping[str, Any]) -> Iterator[str]:
    human = request.get("HumanTaskConfig", {})
    team = _text(human.get("WorkteamArn"))
    classifiers = request["InputConfig"].get("DataAttributes", {}).get("ContentClassifiers", [])
    if team is not None and not _WORKTEAM.search(team):
        yield "WorkteamArn names neither a private-crowd, a vendor-crowd nor a public-crowd team"
    if is_public(team) and "PublicWorkforceTaskPrice" not in human:
        yield "Mechanical Turk workers are paid for each answer: give --price"
    if is_public(team) and len(set(classifiers)) < len(("no personal data", "no adult content")):
        yield (
            "Mechanical Turk is for images without personal data or adult content: declare it with "
            "--content-classifier FreeOfPersonallyIdentifiableInformation and FreeOfAdultContent"
        )
    if team and not is_public(team) and "PublicWorkforceTaskPrice" in human:
        yield "--price is for Mechanical Turk; this team is not paid through Ground Truth by task"
    at_once = human.get("MaxConcurrentTaskCount")
    if isinstance(at_once, int) and at_once > _WITHOUT_SUPPORT:
        yield f"MaxConcurrentTaskCount {at_once}: above 1000 only after AWS Support has raised it"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
