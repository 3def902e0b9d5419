"""`labeljob request`: options to the JSON of a CreateLabelingJob request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

import typer

from labeljob import messages
from labeljob.commands.options import job_type_option, takes_options
from labeljob.jobs.lambda_arns import arns_among, stack_outputs
from labeljob.jobs.request import (
    function_problems,
    function_warnings,
    is_public,
    model_problems,
    region_of,
    rule_problems,
    rule_warnings,
)
from labeljob.tasks.base import JobType

Value = TypeVar("Value")

DEFAULT_WORKERS = 3


def _option(text: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=text, metavar=metavar)


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """Options of `labeljob request`; None stands for "not given"."""

    task: Annotated[JobType, job_type_option("What the workers do.")]
    job_name: Annotated[str | None, _option("Name of the job. [default: task and time]")] = None
    label_attribute: Annotated[
        str | None, _option("Key of the label in the output manifest. [default: the job name]")
    ] = None
    role_arn: Annotated[str | None, _option("Execution role of the job.", metavar="ARN")] = None
    tags: Annotated[
        list[str] | None,
        _option(
            "Tag of the job, such as consolidation:algorithm=majority; can be repeated.",
            "--tag",
            metavar="KEY=VALUE",
        ),
    ] = None
    manifest_uri: Annotated[
        str | None, _option("Input manifest.", "--manifest", metavar="S3URI")
    ] = None
    output_uri: Annotated[
        str | None, _option("Where the results go.", "--output", metavar="S3URI")
    ] = None
    kms_key_id: Annotated[str | None, _option("Key that encrypts the results.")] = None
    label_categories_uri: Annotated[
        str | None, _option("Label category file.", "--label-categories", metavar="S3URI")
    ] = None
    content_classifiers: Annotated[
        list[str] | None,
        _option(
            "FreeOfPersonallyIdentifiableInformation, FreeOfAdultContent; can be repeated.",
            "--content-classifier",
        ),
    ] = None
    max_labeled: Annotated[int | None, _option("Stop the job after so many images.")] = None
    max_percentage: Annotated[
        int | None, _option("Stop the job after this percentage of its images.")
    ] = None
    stack: Annotated[str | None, _option("Deployed stack to take the functions from.")] = None
    region: Annotated[str | None, _option("Region of the stack. [default: yours]")] = None
    pre_arn: Annotated[str | None, _option("PRE function, by its alias.", metavar="ARN")] = None
    acs_arn: Annotated[str | None, _option("ACS function, by its alias.", metavar="ARN")] = None
    workteam_arn: Annotated[str | None, _option("Work team that answers.", metavar="ARN")] = None
    ui_template_uri: Annotated[
        str | None, _option("Worker page, in Liquid.", "--ui-template", metavar="S3URI")
    ] = None
    workers: Annotated[int, _option("Answers for each image, 1 to 9.")] = DEFAULT_WORKERS
    title: Annotated[str | None, _option("Title of the task, which workers see in their list.")] = (
        None
    )
    description: Annotated[str | None, _option("What the task is, in a sentence.")] = None
    keywords: Annotated[
        list[str] | None,
        _option("Word by which workers find the task; can be repeated, 5 at most.", "--keyword"),
    ] = None
    time_limit: Annotated[
        int | None, _option("Seconds for one image. [default: 300 to 3600, by job type]")
    ] = None
    availability: Annotated[
        int | None,
        _option(
            "Seconds an image waits for workers. [default: 10 days, for Mechanical Turk 6 hours]"
        ),
    ] = None
    max_concurrent: Annotated[int | None, _option("Images shown at the same time.")] = None
    price: Annotated[
        str | None, _option("Dollars for an answer on Mechanical Turk, such as 0.036.")
    ] = None


@takes_options
def request(options: RequestOptions) -> None:
    """Print the CreateLabelingJob request of a job with our functions.

    What is wrong is said all at once, and then nothing is printed.

    Example: labeljob request --task image-multi-class
    --stack my-SageMaker-stack --manifest s3://b/input.manifest
    --output s3://b/out --label-categories s3://b/label_categories.json
    --ui-template s3://b/page.liquid.html --role-arn ARN --workteam-arn ARN
    """
    made = build_request(_add_functions(options), now=datetime.now(UTC))
    problems = [
        *model_problems(made),
        *rule_problems(made, options.task),
        *function_problems(made, options.task),
    ]
    for problem in problems:
        messages.problem(str(problem))
    for advice in (*rule_warnings(made, options.task), *function_warnings(made)):
        messages.warning(str(advice))
    if problems:
        raise typer.Exit(1)
    if region := region_of(made):
        messages.note(f"all buckets of the job must be in {region}; that is not checked here")
    messages.print_json(made, ascii_only=True)


def _add_functions(options: RequestOptions) -> RequestOptions:
    """The options, with the functions of --stack."""
    if not options.stack:
        return options
    if options.pre_arn or options.acs_arn:
        raise typer.BadParameter("give --stack, or --pre-arn and --acs-arn, not both")
    outputs = stack_outputs(options.stack, region=options.region)
    pre_arn, acs_arn = arns_among(outputs, options.task)
    return replace(options, pre_arn=pre_arn, acs_arn=acs_arn)


_AVAILABILITY_PUBLIC = 21_600
_AVAILABILITY_PRIVATE = 864_000


def build_request(options: RequestOptions, *, now: datetime) -> dict[str, Any]:
    """The `CreateLabelingJob` request, with defaults; whatever was not given is not in it.

    `now` goes into the name of a job that was given none. Raises `typer.BadParameter` if the price
    or a tag is not understood.
    """
    name = options.job_name or f"{options.task}-{now:%Y%m%d-%H%M%S}"
    return {
        "LabelingJobName": name,
        "LabelAttributeName": options.label_attribute or name,
        "InputConfig": {
            "DataSource": {"S3DataSource": _drop_none(ManifestS3Uri=options.manifest_uri)},
            **_drop_none(DataAttributes=_list_classifiers(options.content_classifiers)),
        },
        "OutputConfig": _drop_none(S3OutputPath=options.output_uri, KmsKeyId=options.kms_key_id),
        **_drop_none(
            RoleArn=options.role_arn,
            LabelCategoryConfigS3Uri=options.label_categories_uri,
            StoppingConditions=_drop_none(
                MaxHumanLabeledObjectCount=options.max_labeled,
                MaxPercentageOfInputDatasetLabeled=options.max_percentage,
            )
            or None,
        ),
        "HumanTaskConfig": _configure_human_task(options),
        **_drop_none(Tags=[_parse_tag(text) for text in options.tags or ()] or None),
    }


def _configure_human_task(options: RequestOptions) -> dict[str, Any]:
    task = options.task
    public = is_public(options.workteam_arn)
    availability = _AVAILABILITY_PUBLIC if public else _AVAILABILITY_PRIVATE
    consolidation = _drop_none(AnnotationConsolidationLambdaArn=options.acs_arn)
    return _drop_none(
        WorkteamArn=options.workteam_arn,
        UiConfig=_drop_none(UiTemplateS3Uri=options.ui_template_uri),
        PreHumanTaskLambdaArn=options.pre_arn,
        TaskKeywords=list(options.keywords or task.request_keywords),
        TaskTitle=_default_to(options.title, task.request_title),
        TaskDescription=_default_to(options.description, task.request_description),
        NumberOfHumanWorkersPerDataObject=options.workers,
        TaskTimeLimitInSeconds=_default_to(options.time_limit, task.time_limit),
        TaskAvailabilityLifetimeInSeconds=_default_to(options.availability, availability),
        MaxConcurrentTaskCount=options.max_concurrent,
        AnnotationConsolidationConfig=consolidation or None,
        PublicWorkforceTaskPrice=_parse_price(options.price),
    )


def _drop_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _default_to(value: Value | None, default: Value) -> Value:
    return default if value is None else value


def _list_classifiers(names: list[str] | None) -> dict[str, Any] | None:
    return {"ContentClassifiers": list(names)} if names else None


def _parse_price(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        dollars = Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{text!r} is not a number of dollars") from error
    if not dollars.is_finite() or dollars < 0 or dollars * 1000 != int(dollars * 1000):
        raise typer.BadParameter(f"{text!r} is not a number of dollars in tenths of a cent")
    tenths = int(dollars * 1000)
    return {
        "AmountInUsd": {
            "Dollars": tenths // 1000,
            "Cents": tenths // 10 % 100,
            "TenthFractionsOfACent": tenths % 10,
        }
    }


def _parse_tag(text: str) -> dict[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise typer.BadParameter(f"{text!r} is not KEY=VALUE")
    return {"Key": key, "Value": value}
