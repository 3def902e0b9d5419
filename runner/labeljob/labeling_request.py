"""The request that creates a labeling job with our functions: options in, JSON out.

`build_request` only puts values where they belong. What is wrong with them is said by
`request_model` (the rules of the API's own model) and `request_rules` (those it does not know).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from labeljob.task_types import TaskType

DEFAULT_WORKERS = 3


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a request.

    Attributes
    ----------
    field : str
        Where, from the request's root: ``"HumanTaskConfig.TaskTitle"``.
    text : str
        What is wrong there.
    fix : str
        What to do about it.
    """

    field: str
    text: str
    fix: str

    def __str__(self) -> str:
        return f"{self.field} {self.text}. Fix: {self.fix}"


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """What the person gave; None stands for "not given".

    Attributes
    ----------
    task : TaskType
        Decides the defaults of what workers read and how long they have.
    price : Decimal or None
        Dollars for each answer, in tenths of a cent; Mechanical Turk only.
    tags : sequence of (str, str)
        Key and value, in order.
    """

    task: TaskType
    job_name: str | None = None
    label_attribute: str | None = None
    manifest_uri: str | None = None
    output_uri: str | None = None
    kms_key_id: str | None = None
    role_arn: str | None = None
    label_categories_uri: str | None = None
    workteam_arn: str | None = None
    ui_template_uri: str | None = None
    pre_arn: str | None = None
    acs_arn: str | None = None
    workers: int = DEFAULT_WORKERS
    title: str | None = None
    description: str | None = None
    keywords: Sequence[str] = ()
    time_limit: int | None = None
    availability: int | None = None
    max_concurrent: int | None = None
    price: Decimal | None = None
    content_classifiers: Sequence[str] = ()
    max_labeled: int | None = None
    max_percentage: int | None = None
    tags: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, kw_only=True)
class _TaskTexts:
    title: str
    description: str
    keywords: tuple[str, ...]
    time_limit: int


_TEXTS: Mapping[TaskType, _TaskTexts] = {
    TaskType.IMAGE_MULTI_CLASS: _TaskTexts(
        title="Choose the label of an image",
        description="Look at an image and choose the one label that fits it best.",
        keywords=("image", "classification", "label"),
        time_limit=300,
    ),
    TaskType.IMAGE_MULTI_CLASS_MULTI_LABEL: _TaskTexts(
        title="Choose all labels of an image",
        description="Look at an image and choose every label of something you can see in it.",
        keywords=("image", "classification", "multiple labels"),
        time_limit=600,
    ),
    TaskType.SEMANTIC_SEGMENTATION: _TaskTexts(
        title="Paint what is in an image",
        description="Paint everything in an image that belongs to one of the labels.",
        keywords=("image", "segmentation", "painting"),
        time_limit=3600,
    ),
}
_AVAILABILITY_PUBLIC = 21_600
_AVAILABILITY_PRIVATE = 864_000


def build_request(options: RequestOptions, *, now: datetime) -> dict[str, Any]:
    """The `CreateLabelingJob` request, with defaults; whatever was not given is not in it.

    Parameters
    ----------
    options : RequestOptions
        The values.
    now : datetime
        Goes into the name of a job that was given none.
    """
    name = options.job_name or f"{options.task.value}-{now:%Y%m%d-%H%M%S}"
    return {
        "LabelingJobName": name,
        "LabelAttributeName": options.label_attribute or name,
        "InputConfig": {
            "DataSource": {"S3DataSource": _given(ManifestS3Uri=options.manifest_uri)},
            **_given(DataAttributes=_classifiers(options.content_classifiers)),
        },
        "OutputConfig": _given(S3OutputPath=options.output_uri, KmsKeyId=options.kms_key_id),
        **_given(
            RoleArn=options.role_arn,
            LabelCategoryConfigS3Uri=options.label_categories_uri,
            StoppingConditions=_given(
                MaxHumanLabeledObjectCount=options.max_labeled,
                MaxPercentageOfInputDatasetLabeled=options.max_percentage,
            )
            or None,
        ),
        "HumanTaskConfig": _human_task(options),
        **_given(Tags=[{"Key": key, "Value": value} for key, value in options.tags] or None),
    }


def is_public(workteam_arn: str | None) -> bool:
    """Whether the workers are those of Amazon Mechanical Turk."""
    return workteam_arn is not None and ":workteam/public-crowd/" in workteam_arn


def _human_task(options: RequestOptions) -> dict[str, Any]:
    texts = _TEXTS[options.task]
    public = is_public(options.workteam_arn)
    availability = _AVAILABILITY_PUBLIC if public else _AVAILABILITY_PRIVATE
    consolidation = _given(AnnotationConsolidationLambdaArn=options.acs_arn)
    return _given(
        WorkteamArn=options.workteam_arn,
        UiConfig=_given(UiTemplateS3Uri=options.ui_template_uri),
        PreHumanTaskLambdaArn=options.pre_arn,
        TaskKeywords=list(options.keywords or texts.keywords),
        TaskTitle=_or_default(options.title, texts.title),
        TaskDescription=_or_default(options.description, texts.description),
        NumberOfHumanWorkersPerDataObject=options.workers,
        TaskTimeLimitInSeconds=_or_default(options.time_limit, texts.time_limit),
        TaskAvailabilityLifetimeInSeconds=_or_default(options.availability, availability),
        MaxConcurrentTaskCount=options.max_concurrent,
        AnnotationConsolidationConfig=consolidation or None,
        PublicWorkforceTaskPrice=_price(options.price),
    )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _or_default[Value](value: Value | None, default: Value) -> Value:
    return default if value is None else value


def _classifiers(names: Sequence[str]) -> dict[str, Any] | None:
    return {"ContentClassifiers": list(names)} if names else None


def _price(dollars: Decimal | None) -> dict[str, Any] | None:
    if dollars is None:
        return None
    tenths = int(dollars * 1000)
    return {
        "AmountInUsd": {
            "Dollars": tenths // 1000,
            "Cents": tenths // 10 % 100,
            "TenthFractionsOfACent": tenths % 10,
        }
    }
