"""The planned job: what it is made of, and whether its request obeys the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labeljob.doctor.findings import (
    Absent,
    Aws,
    Finding,
    Severity,
    checked,
    error,
    not_checked,
    of_problem,
    ok,
    or_ok,
)
from labeljob.jobs.lambda_arns import LambdaArn
from labeljob.jobs.request import Problem, is_public, model_problems, rule_problems, rule_warnings
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES


@dataclass(frozen=True, kw_only=True)
class DeployedStack:
    """A stack of template.yaml.

    Attributes
    ----------
    name, status : str
        As CloudFormation tells them.
    outputs, parameters : mapping of str to str
        By their names in the template.
    """

    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


def describe_stack(aws: Aws, name: str) -> DeployedStack:
    """The stack of this name or ARN; raises `Absent` or `NotChecked`."""
    stack = aws.call("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]
    outputs, parameters = stack.get("Outputs", []), stack.get("Parameters", [])
    return DeployedStack(
        name=stack["StackName"],
        status=stack["StackStatus"],
        outputs={item["OutputKey"]: item["OutputValue"] for item in outputs},
        parameters={item["ParameterKey"]: item.get("ParameterValue", "") for item in parameters},
    )


MANIFEST = "InputConfig.DataSource.S3DataSource.ManifestS3Uri"
LABELS = "LabelCategoryConfigS3Uri"
PAGE = "HumanTaskConfig.UiConfig.UiTemplateS3Uri"
OUTPUT = "OutputConfig.S3OutputPath"
OUTPUT_KEY = "OutputConfig.KmsKeyId"
ROLE = "RoleArn"
PRE = "HumanTaskConfig.PreHumanTaskLambdaArn"
ACS = "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn"
WORKTEAM = "HumanTaskConfig.WorkteamArn"


@dataclass(frozen=True)
class ImageRef:
    """A data object's image: the manifest's line, from 1, and what stands there."""

    line: int
    uri: str


@dataclass(frozen=True, kw_only=True)
class PlannedFunction:
    """A function that a job names, or a stack offers.

    Attributes
    ----------
    where : str
        The request's field, or the stack's output.
    arn : str
        What stands there.
    part : str
        ``"PRE"`` or ``"ACS"``: what the function is used for.
    """

    where: str
    arn: str
    part: str


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """What the checks look at.

    Attributes
    ----------
    aws : Aws
        Where it is looked at.
    request : mapping or None
        Arguments of CreateLabelingJob; None if only a stack is examined.
    task : JobType or None
        What workers do; None if nothing tells.
    stack : DeployedStack or None
        The stack that was named, if it could be described.
    region : str or None
        Where the job runs: the Region of its ARNs, or else the person's own.
    own_region : str or None
        The Region of the person's options and AWS settings.
    local : mapping of str to Path
        Files that stand for the object in a field of the request.
    sample : int
        How many images to read; 0 for all.
    manifest_line : mapping or None
        The manifest's first line, once it has been read.
    images : tuple of ImageRef
        The manifest's images, once it has been read.
    labels : tuple of str
        The label category file's labels, once it has been read.
    labels_before : mapping of str to int
        How many labels of each name the manifest's lines have already, once it has been read.
    """

    aws: Aws
    request: Mapping[str, Any] | None = None
    task: JobType | None = None
    stack: DeployedStack | None = None
    region: str | None = None
    own_region: str | None = None
    local: Mapping[str, Path] = field(default_factory=dict)
    sample: int = 50
    manifest_line: Mapping[str, Any] | None = None
    images: tuple[ImageRef, ...] = ()
    labels: tuple[str, ...] = ()
    labels_before: Mapping[str, int] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """The text in a field of the request, by its path: ``"OutputConfig.S3OutputPath"``."""
        value: Any = self.request
        for step in name.split("."):
            if not isinstance(value, Mapping):
                return None
            value = value.get(step)
        return value if isinstance(value, str) else None

    @property
    def tags(self) -> dict[str, str]:
        """The request's tags, as far as they are well formed."""
        tags = self.request.get("Tags") if self.request is not None else None
        return {
            tag["Key"]: tag["Value"]
            for tag in (tags if isinstance(tags, list) else ())
            if _is_tag(tag)
        }

    @property
    def labels_uri(self) -> str | None:
        """The label category file: the job's own, or else the stack's default."""
        default = self.stack.parameters.get(LABELS) if self.stack else None
        return self.text(LABELS) or default or None

    @property
    def functions(self) -> tuple[PlannedFunction, ...]:
        """The job's two functions; without a request, all of the stack."""
        if self.request is not None:
            named = ((PRE, self.text(PRE), "PRE"), (ACS, self.text(ACS), "ACS"))
            return tuple(PlannedFunction(where=w, arn=a, part=p) for w, a, p in named if a)
        outputs = self.stack.outputs if self.stack else {}
        return tuple(
            PlannedFunction(where=f"output {name}", arn=outputs[name], part=part.upper())
            for task in JOB_TYPES.values()
            for part in ("Pre", "Acs")
            if (name := f"{part}{task.aws_name}Arn") in outputs
        )

    @property
    def image_buckets(self) -> tuple[str, ...]:
        """Buckets of the images, each once, in the manifest's order."""
        buckets = (bucket_of(image.uri) for image in self.images)
        return tuple(dict.fromkeys(bucket for bucket in buckets if bucket))

    @property
    def output_uri(self) -> str | None:
        """Where Ground Truth puts what belongs to the job: the output path and the job's name."""
        output, name = self.text(OUTPUT), self.text("LabelingJobName")
        return f"{output.rstrip('/')}/{name}" if output and name else None


def bucket_of(uri: str | None) -> str | None:
    """The bucket of an S3 URI; None if it is none.

    Examples
    --------
    >>> bucket_of("s3://birds/images/1.jpg")
    'birds'
    """
    match = re.match(r"s3://([^/]+)", uri or "")
    return match[1] if match else None


def object_arn(uri: str, *, partition: str = "aws") -> str:
    """The ARN of an object, by its URI.

    Examples
    --------
    >>> object_arn("s3://birds/images/1.jpg")
    'arn:aws:s3:::birds/images/1.jpg'
    """
    return f"arn:{partition}:s3:::{uri.removeprefix('s3://')}"


def partition_of(arn: str | None) -> str:
    """The partition in an ARN; ``aws`` where there is none."""
    match = re.match(r"arn:([^:]+):", arn or "")
    return match[1] if match else "aws"


def task_among(request: Mapping[str, Any]) -> JobType | None:
    """The job type that the names of a request's functions tell; None if they tell none.

    If the two tell different ones it is the ACS function's: it decides what comes out.
    """
    job = PlannedJob(aws=Aws(offline=True), request=request)
    names = {task.aws_name: task for task in JOB_TYPES.values()}
    for field_name in (ACS, PRE):
        function = LambdaArn.parse(job.text(field_name) or "")
        if function is not None and function.task_name in names:
            return names[function.task_name]
    return None


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
        isinstance(tags, list) and all(map(_is_tag, tags))
    )


def _is_tag(tag: Any) -> bool:
    return isinstance(tag, Mapping) and all(isinstance(tag.get(k), str) for k in ("Key", "Value"))


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
