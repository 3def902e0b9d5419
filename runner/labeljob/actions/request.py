"""`labeljob request`: options to the JSON of a CreateLabelingJob request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import typer

from labeljob import messages
from labeljob.commands.request import RequestOptions
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

Value = TypeVar("Value")


def request(options: RequestOptions) -> None:
    """Do what `labeljob request` does."""
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
