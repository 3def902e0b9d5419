"""A good CreateLabelingJob request, to be spoiled by tests."""

from dataclasses import replace
from datetime import UTC, datetime

from labeljob.actions.request import build_request
from labeljob.commands.request import RequestOptions
from labeljob.tasks.registry import find_job_type

ONE_LABEL = find_job_type("image-multi-class")

NOW = datetime(2026, 11, 22, 12, 4, 5, tzinfo=UTC)
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:my-SageMaker"
PRIVATE_TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/birds"
PUBLIC_TEAM = "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default"


def good_options(task=ONE_LABEL, **changes):
    """Options without a problem or a warning, but for these changes."""
    options = RequestOptions(
        task=task,
        label_attribute="label",
        manifest_uri="s3://bucket/input.manifest",
        output_uri="s3://bucket/out",
        role_arn="arn:aws:iam::111122223333:role/GroundTruth",
        label_categories_uri="s3://bucket/label_categories.json",
        workteam_arn=PRIVATE_TEAM,
        ui_template_uri="s3://bucket/page.liquid.html",
        pre_arn=f"{FUNCTION}-PRE-{task.aws_name}:live",
        acs_arn=f"{FUNCTION}-ACS-{task.aws_name}:live",
    )
    return replace(options, **changes)


def good_request(task=ONE_LABEL, **changes):
    """The request of `good_options`."""
    return build_request(good_options(task, **changes), now=NOW)
