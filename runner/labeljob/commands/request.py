"""`labeljob request`: options to the JSON of a CreateLabelingJob request."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import typer

from labeljob import messages
from labeljob.commands import request_options as given
from labeljob.jobs.lambda_arns import StackError, arns_among, stack_outputs
from labeljob.jobs.request import DEFAULT_WORKERS, RequestOptions, build_request, model_problems
from labeljob.jobs.request_rules import (
    function_problems,
    function_warnings,
    region_of,
    rule_problems,
    rule_warnings,
)


def request(
    task: given.Task,
    job_name: given.JobName = None,
    label_attribute: given.LabelAttribute = None,
    role_arn: given.RoleArn = None,
    tags: given.Tags = None,
    manifest_uri: given.ManifestUri = None,
    output_uri: given.OutputUri = None,
    kms_key_id: given.KmsKeyId = None,
    label_categories_uri: given.LabelCategoriesUri = None,
    content_classifiers: given.ContentClassifiers = None,
    max_labeled: given.MaxLabeled = None,
    max_percentage: given.MaxPercentage = None,
    stack: given.Stack = None,
    region: given.Region = None,
    pre_arn: given.PreArn = None,
    acs_arn: given.AcsArn = None,
    workteam_arn: given.WorkteamArn = None,
    ui_template_uri: given.UiTemplateUri = None,
    workers: given.Workers = DEFAULT_WORKERS,
    title: given.Title = None,
    description: given.Description = None,
    keywords: given.Keywords = None,
    time_limit: given.TimeLimit = None,
    availability: given.Availability = None,
    max_concurrent: given.MaxConcurrent = None,
    price: given.Price = None,
) -> None:
    """Print the CreateLabelingJob request of a job with our functions.

    What is wrong is said all at once, and then nothing is printed.

    Example: labeljob request --task image-multi-class
    --stack my-SageMaker-stack --manifest s3://b/input.manifest
    --output s3://b/out --label-categories s3://b/label_categories.json
    --ui-template s3://b/page.liquid.html --role-arn ARN --workteam-arn ARN
    """
    # The first statement, so that these are the options and nothing else.
    options = dict(locals())
    _print_request(_taken(options))


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{text!r} is not a number of dollars") from error
    if not price.is_finite() or price < 0 or price * 1000 != int(price * 1000):
        raise typer.BadParameter(f"{text!r} is not a number of dollars in tenths of a cent")
    return price


def _tag(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise typer.BadParameter(f"{text!r} is not KEY=VALUE")
    return key, value


def _taken(options: dict[str, Any]) -> RequestOptions:
    """The options as the library wants them: parsed, and the stack replaced by its functions."""
    stack, region = options.pop("stack"), options.pop("region")
    if stack and (options["pre_arn"] or options["acs_arn"]):
        raise typer.BadParameter("give --stack, or --pre-arn and --acs-arn, not both")
    if options["price"] is not None:
        options["price"] = _price(options["price"])
    options["tags"] = [_tag(text) for text in options["tags"] or ()]
    for name in ("keywords", "content_classifiers"):
        options[name] = options[name] or ()
    if stack:
        try:
            arns = arns_among(stack_outputs(stack, region=region), options["task"])
        except StackError as error:
            messages.problem(str(error))
            raise typer.Exit(1) from error
        options["pre_arn"], options["acs_arn"] = arns
    return RequestOptions(**options)


def _print_request(options: RequestOptions) -> None:
    made = build_request(options, now=datetime.now(UTC))
    problems = [
        *model_problems(made),
        *rule_problems(made, options.task),
        *function_problems(made, options.task),
    ]
    for found in problems:
        messages.problem(str(found))
    for advice in (*rule_warnings(made, options.task), *function_warnings(made)):
        messages.warning(str(advice))
    if problems:
        raise typer.Exit(1)
    if region := region_of(made):
        messages.note(f"all buckets of the job must be in {region}; that is not checked here")
    typer.echo(json.dumps(made, indent=2))
