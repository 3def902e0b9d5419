"""`labeljob request`: options to the JSON of a CreateLabelingJob request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from labeljob import messages
from labeljob.commands.job_type import job_type_option
from labeljob.commands.options import takes_options
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

DEFAULT_WORKERS = 3


def _option(*names: str, text: str, metavar: str | None = None, panel: str) -> Any:
    return typer.Option(*names, help=text, metavar=metavar, rich_help_panel=panel)


_JOB, _DATA, _FUNCTIONS, _WORK = "Job", "Data", "Functions", "Work"


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """Options of `labeljob request`; None stands for "not given"."""

    task: Annotated[JobType, job_type_option("What the workers do.", rich_help_panel=_JOB)]
    job_name: Annotated[str | None, _option(text="Default: task and time.", panel=_JOB)] = None
    label_attribute: Annotated[
        str | None,
        _option(
            text="Key of the label in the output manifest. Default: the job name.",
            panel=_JOB,
        ),
    ] = None
    role_arn: Annotated[
        str | None, _option(text="Execution role of the job.", metavar="ARN", panel=_JOB)
    ] = None
    tags: Annotated[
        list[str] | None,
        _option(
            "--tag",
            text="Tag of the job, such as consolidation:algorithm=majority; can be repeated.",
            metavar="KEY=VALUE",
            panel=_JOB,
        ),
    ] = None
    manifest_uri: Annotated[
        str | None, _option("--manifest", text="Input manifest.", metavar="S3URI", panel=_DATA)
    ] = None
    output_uri: Annotated[
        str | None, _option("--output", text="Where the results go.", metavar="S3URI", panel=_DATA)
    ] = None
    kms_key_id: Annotated[
        str | None, _option(text="Key that encrypts the results.", panel=_DATA)
    ] = None
    label_categories_uri: Annotated[
        str | None,
        _option("--label-categories", text="Label category file.", metavar="S3URI", panel=_DATA),
    ] = None
    content_classifiers: Annotated[
        list[str] | None,
        _option(
            "--content-classifier",
            text="FreeOfPersonallyIdentifiableInformation, FreeOfAdultContent; can be repeated.",
            panel=_DATA,
        ),
    ] = None
    max_labeled: Annotated[int | None, _option(text="Stop after so many images.", panel=_DATA)] = (
        None
    )
    max_percentage: Annotated[
        int | None, _option(text="Stop after this part of them.", panel=_DATA)
    ] = None
    stack: Annotated[
        str | None,
        _option(text="Deployed stack to take the functions from.", panel=_FUNCTIONS),
    ] = None
    region: Annotated[
        str | None, _option(text="Region of the stack. Default: yours.", panel=_FUNCTIONS)
    ] = None
    pre_arn: Annotated[
        str | None,
        _option(text="PRE function, by its alias.", metavar="ARN", panel=_FUNCTIONS),
    ] = None
    acs_arn: Annotated[
        str | None,
        _option(text="ACS function, by its alias.", metavar="ARN", panel=_FUNCTIONS),
    ] = None
    workteam_arn: Annotated[str | None, _option(text="Who works.", metavar="ARN", panel=_WORK)] = (
        None
    )
    ui_template_uri: Annotated[
        str | None,
        _option("--ui-template", text="Worker page, in Liquid.", metavar="S3URI", panel=_WORK),
    ] = None
    workers: Annotated[int, _option(text="Answers for each image, 1 to 9.", panel=_WORK)] = (
        DEFAULT_WORKERS
    )
    title: Annotated[str | None, _option(text="What workers see in their list.", panel=_WORK)] = (
        None
    )
    description: Annotated[str | None, _option(text="The same in a sentence.", panel=_WORK)] = None
    keywords: Annotated[
        list[str] | None,
        _option("--keyword", text="For their search; can be repeated, 5 at most.", panel=_WORK),
    ] = None
    time_limit: Annotated[
        int | None,
        _option(text="Seconds for one image. Default: 300 to 3600.", panel=_WORK),
    ] = None
    availability: Annotated[
        int | None,
        _option(
            text="Seconds an image waits for workers. Default: 10 days, Mechanical Turk 6 hours.",
            panel=_WORK,
        ),
    ] = None
    max_concurrent: Annotated[
        int | None, _option(text="Images shown at the same time.", panel=_WORK)
    ] = None
    price: Annotated[
        str | None,
        _option(text="Dollars for an answer on Mechanical Turk: 0.036.", panel=_WORK),
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
    made = build_request(_with_functions(options), now=datetime.now(UTC))
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


def _with_functions(options: RequestOptions) -> RequestOptions:
    """The options, with the functions of --stack."""
    if not options.stack:
        return options
    if options.pre_arn or options.acs_arn:
        raise typer.BadParameter("give --stack, or --pre-arn and --acs-arn, not both")
    with messages.exit_on_error():
        outputs = stack_outputs(options.stack, region=options.region)
        pre_arn, acs_arn = arns_among(outputs, options.task)
    return replace(options, pre_arn=pre_arn, acs_arn=acs_arn)


_AVAILABILITY_PUBLIC = 21_600
_AVAILABILITY_PRIVATE = 864_000


def build_request(options: RequestOptions, *, now: datetime) -> dict[str, Any]:
    """The `CreateLabelingJob` request, with defaults; whatever was not given is not in it.

    Parameters
    ----------
    options : RequestOptions
        The values; `stack` and `region` are not looked at.
    now : datetime
        Goes into the name of a job that was given none.

    Raises
    ------
    typer.BadParameter
        If the price or a tag is not understood.
    """
    name = options.job_name or f"{options.task}-{now:%Y%m%d-%H%M%S}"
    return {
        "LabelingJobName": name,
        "LabelAttributeName": options.label_attribute or name,
        "InputConfig": {
            "DataSource": {"S3DataSource": _without_none(ManifestS3Uri=options.manifest_uri)},
            **_without_none(DataAttributes=_classifiers(options.content_classifiers)),
        },
        "OutputConfig": _without_none(S3OutputPath=options.output_uri, KmsKeyId=options.kms_key_id),
        **_without_none(
            RoleArn=options.role_arn,
            LabelCategoryConfigS3Uri=options.label_categories_uri,
            StoppingConditions=_without_none(
                MaxHumanLabeledObjectCount=options.max_labeled,
                MaxPercentageOfInputDatasetLabeled=options.max_percentage,
            )
            or None,
        ),
        "HumanTaskConfig": _human_task(options),
        **_without_none(Tags=[_tag(text) for text in options.tags or ()] or None),
    }


def _human_task(options: RequestOptions) -> dict[str, Any]:
    task = options.task
    public = is_public(options.workteam_arn)
    availability = _AVAILABILITY_PUBLIC if public else _AVAILABILITY_PRIVATE
    consolidation = _without_none(AnnotationConsolidationLambdaArn=options.acs_arn)
    return _without_none(
        WorkteamArn=options.workteam_arn,
        UiConfig=_without_none(UiTemplateS3Uri=options.ui_template_uri),
        PreHumanTaskLambdaArn=options.pre_arn,
        TaskKeywords=list(options.keywords or task.request_keywords),
        TaskTitle=_or_default(options.title, task.request_title),
        TaskDescription=_or_default(options.description, task.request_description),
        NumberOfHumanWorkersPerDataObject=options.workers,
        TaskTimeLimitInSeconds=_or_default(options.time_limit, task.time_limit),
        TaskAvailabilityLifetimeInSeconds=_or_default(options.availability, availability),
        MaxConcurrentTaskCount=options.max_concurrent,
        AnnotationConsolidationConfig=consolidation or None,
        PublicWorkforceTaskPrice=_price(options.price),
    )


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _or_default[Value](value: Value | None, default: Value) -> Value:
    return default if value is None else value


def _classifiers(names: list[str] | None) -> dict[str, Any] | None:
    return {"ContentClassifiers": list(names)} if names else None


def _price(text: str | None) -> dict[str, Any] | None:
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


def _tag(text: str) -> dict[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise typer.BadParameter(f"{text!r} is not KEY=VALUE")
    return {"Key": key, "Value": value}
