"""`labeljob request`: options to the JSON of a CreateLabelingJob request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from labeljob.commands.options import JobType, job_type_option, takes_options

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
    from labeljob.actions import request as action

    action.request(options)
