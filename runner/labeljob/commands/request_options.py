"""The options of `labeljob request`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from labeljob.commands.job_type import job_type_option
from labeljob.tasks.base import JobType


def _option(*names: str, text: str, metavar: str | None = None, panel: str) -> Any:
    return typer.Option(*names, help=text, metavar=metavar, rich_help_panel=panel)


_JOB, _DATA, _FUNCTIONS, _WORK = "Job", "Data", "Functions", "Work"

Task = Annotated[JobType, job_type_option("What the workers do.", "--task", rich_help_panel=_JOB)]
JobName = Annotated[str | None, _option("--job-name", text="Default: task and time.", panel=_JOB)]
LabelAttribute = Annotated[
    str | None,
    _option(
        "--label-attribute",
        text="Key of the label in the output manifest. Default: the job name.",
        panel=_JOB,
    ),
]
RoleArn = Annotated[
    str | None, _option("--role-arn", text="Execution role of the job.", metavar="ARN", panel=_JOB)
]
Tags = Annotated[
    list[str] | None,
    _option(
        "--tag",
        text="Tag of the job, such as consolidation:algorithm=majority; can be repeated.",
        metavar="KEY=VALUE",
        panel=_JOB,
    ),
]
ManifestUri = Annotated[
    str | None, _option("--manifest", text="Input manifest.", metavar="S3URI", panel=_DATA)
]
OutputUri = Annotated[
    str | None, _option("--output", text="Where the results go.", metavar="S3URI", panel=_DATA)
]
KmsKeyId = Annotated[
    str | None, _option("--kms-key-id", text="Key that encrypts the results.", panel=_DATA)
]
LabelCategoriesUri = Annotated[
    str | None,
    _option("--label-categories", text="Label category file.", metavar="S3URI", panel=_DATA),
]
ContentClassifiers = Annotated[
    list[str] | None,
    _option(
        "--content-classifier",
        text="FreeOfPersonallyIdentifiableInformation, FreeOfAdultContent; can be repeated.",
        panel=_DATA,
    ),
]
MaxLabeled = Annotated[
    int | None, _option("--max-labeled", text="Stop after so many images.", panel=_DATA)
]
MaxPercentage = Annotated[
    int | None, _option("--max-percentage", text="Stop after this part of them.", panel=_DATA)
]
Stack = Annotated[
    str | None,
    _option("--stack", text="Deployed stack to take the functions from.", panel=_FUNCTIONS),
]
Region = Annotated[
    str | None, _option("--region", text="Region of the stack. Default: yours.", panel=_FUNCTIONS)
]
PreArn = Annotated[
    str | None,
    _option("--pre-arn", text="PRE function, by its alias.", metavar="ARN", panel=_FUNCTIONS),
]
AcsArn = Annotated[
    str | None,
    _option("--acs-arn", text="ACS function, by its alias.", metavar="ARN", panel=_FUNCTIONS),
]
WorkteamArn = Annotated[
    str | None, _option("--workteam-arn", text="Who works.", metavar="ARN", panel=_WORK)
]
UiTemplateUri = Annotated[
    str | None,
    _option("--ui-template", text="Worker page, in Liquid.", metavar="S3URI", panel=_WORK),
]
Workers = Annotated[int, _option("--workers", text="Answers for each image, 1 to 9.", panel=_WORK)]
Title = Annotated[
    str | None, _option("--title", text="What workers see in their list.", panel=_WORK)
]
Description = Annotated[
    str | None, _option("--description", text="The same in a sentence.", panel=_WORK)
]
Keywords = Annotated[
    list[str] | None,
    _option("--keyword", text="For their search; can be repeated, 5 at most.", panel=_WORK),
]
TimeLimit = Annotated[
    int | None,
    _option("--time-limit", text="Seconds for one image. Default: 300 to 3600.", panel=_WORK),
]
Availability = Annotated[
    int | None,
    _option(
        "--availability",
        text="Seconds an image waits for workers. Default: 10 days, Mechanical Turk 6 hours.",
        panel=_WORK,
    ),
]
MaxConcurrent = Annotated[
    int | None, _option("--max-concurrent", text="Images shown at the same time.", panel=_WORK)
]
Price = Annotated[
    str | None,
    _option("--price", text="Dollars for an answer on Mechanical Turk: 0.036.", panel=_WORK),
]
