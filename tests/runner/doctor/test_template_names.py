"""What the checks ask of a stack by name is in the template."""

import pytest

from labeljob.application import load_template
from labeljob.tasks.registry import JOB_TYPES

pytestmark = pytest.mark.slow

PARAMETERS = {
    "InputBucketName", "OutputBucketName", "LabelCategoryKeyPattern", "LabelCategoryConfigS3Uri",
    "AssumeJobRole", "JobRoleArnPattern", "KmsKeyArn",
}  # fmt: skip


@pytest.fixture(scope="module")
def template(checkout):
    return load_template((checkout / "template.yaml").read_text(encoding="utf-8"))


def test_the_template_has_the_parameters(template):
    assert set(template["Parameters"]) >= PARAMETERS


def test_the_template_has_the_outputs(template):
    names = {
        f"{part}{task.aws_name}{what}"
        for part in ("Pre", "Acs")
        for task in JOB_TYPES.values()
        for what in ("Arn", "RoleArn")
    }
    assert set(template["Outputs"]) >= names


def test_the_functions_have_the_variables(template):
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert set(variables) >= {"ASSUME_JOB_ROLE", "JOB_ROLE_ARN_PATTERN"}
