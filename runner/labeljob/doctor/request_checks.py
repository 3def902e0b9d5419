"""The request itself: the API's model, Ground Truth's rules, and the workers who shall answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labeljob.doctor.aws import Absent
from labeljob.doctor.findings import (
    Finding,
    Severity,
    checked,
    error,
    not_checked,
    of_problem,
    ok,
    or_ok,
)
from labeljob.doctor.planned_job import WORKTEAM, PlannedJob
from labeljob.jobs.request import Problem, is_public, model_problems
from labeljob.jobs.request_rules import rule_problems, rule_warnings

_CODES = {
    "LabelAttributeName": "label-attribute",
    "HumanTaskConfig.NumberOfHumanWorkersPerDataObject": "worker-count",
    "HumanTaskConfig.TaskTimeLimitInSeconds": "time-limit",
    "HumanTaskConfig.TaskAvailabilityLifetimeInSeconds": "availability",
    "HumanTaskConfig.PublicWorkforceTaskPrice": "price",
    "HumanTaskConfig.MaxConcurrentTaskCount": "concurrent-tasks",
    "InputConfig.DataAttributes.ContentClassifiers": "content-classifiers",
    "LabelCategoryConfigS3Uri": "label-categories",
    "Tags": "tags",
}
_OBJECTS = (
    "InputConfig", "InputConfig.DataSource", "InputConfig.DataSource.S3DataSource",
    "InputConfig.DataAttributes", "OutputConfig", "HumanTaskConfig", "HumanTaskConfig.UiConfig",
    "HumanTaskConfig.AnnotationConsolidationConfig",
)  # fmt: skip


def request_findings(job: PlannedJob, request: Mapping[str, Any]) -> Iterator[Finding]:
    """What is to be said of the request's own fields."""
    yield from or_ok(
        (of_problem(problem, code=_code(problem)) for problem in model_problems(request)),
        "request",
        "has all that CreateLabelingJob asks for, in its form",
    )
    if job.task is None:
        why = "nothing tells the job type; the functions' names do not end as the stack's do"
        yield not_checked("rules of the job type", why, fix="give --task")
    elif not has_structure(request):
        why = "the request is not built as it must be"
        yield not_checked("rules of the job type", why, fix="correct its structure first")
    else:
        rules = _rules(job, request)
        yield from or_ok(rules, "request", "obeys Ground Truth's rules for this job type")


def work_findings(job: PlannedJob) -> Iterator[Finding]:
    """Whether the work team exists, and whether the job's name is free."""
    team, name = job.text(WORKTEAM), job.text("LabelingJobName")
    if team and not is_public(team):
        yield from checked(team, lambda: _team(job, team))
    if name:
        yield from checked(name, lambda: _name(job, name))


def has_structure(request: Mapping[str, Any]) -> bool:
    """Whether objects and lists are where they belong, so that rules can be asked."""
    for path in _OBJECTS:
        value: Any = request
        for step in path.split("."):
            value = value.get(step, {}) if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping):
            return False
    tags = request.get("Tags", [])
    classifiers = request.get("InputConfig", {}).get("DataAttributes", {})
    return isinstance(classifiers.get("ContentClassifiers", []), list) and (
        isinstance(tags, list)
        and all(
            isinstance(tag, Mapping)
            and isinstance(tag.get("Key"), str)
            and isinstance(tag.get("Value"), str)
            for tag in tags
        )
    )


def _rules(job: PlannedJob, request: Mapping[str, Any]) -> Iterator[Finding]:
    if job.task is None:
        return
    for problem in rule_problems(request, job.task):
        yield of_problem(problem, code=_code(problem))
    for advice in rule_warnings(request, job.task):
        told = job.stack is not None and advice.field == "LabelCategoryConfigS3Uri"
        if told and job.labels_uri:
            yield ok(advice.field, f"is missing; the stack's own is used: {job.labels_uri}")
        else:
            severity = Severity.ERROR if told else Severity.WARNING
            yield of_problem(advice, code=_code(advice), severity=severity)


def _team(job: PlannedJob, team: str) -> Iterator[Finding]:
    job.aws.call("sagemaker", "describe_workteam", WorkteamName=team.rpartition("/")[2])
    yield ok(team, "the work team exists")


def _name(job: PlannedJob, name: str) -> Iterator[Finding]:
    try:
        job.aws.call("sagemaker", "describe_labeling_job", LabelingJobName=name)
    except Absent:
        yield ok(name, "no labeling job has this name yet")
        return
    text = "a labeling job has this name already; upper and lower case are the same"
    yield error("job-name-taken", name, text, fix="give another --job-name")


def _code(problem: Problem) -> str:
    return _CODES.get(problem.field.partition("[")[0], "request-field")
