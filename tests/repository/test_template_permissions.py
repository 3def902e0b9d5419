"""What the roles of template.yaml may do, and no more."""

import pytest

from tests.repository.template import (
    DEPLOYED,
    RESOURCES,
    TEMPLATE,
    all_statements,
    documents_of,
    of_type,
    permissions_of,
)


def test_every_policy_statement_is_named_and_names_what_it_allows():
    names = [statement["Sid"] for statement in all_statements()]
    assert len(names) == len(set(names) - {"WriteLogs"}) + names.count("WriteLogs")
    for statement in all_statements():
        assert "*" not in str(statement["Action"])
        assert statement["Resource"] != "*" or statement["Effect"] == "Deny"


def test_a_key_is_used_through_s3_only():
    for statement in all_statements():
        if "kms:" in str(statement["Action"]):
            service = {"Fn::Sub": "s3.${AWS::Region}.${AWS::URLSuffix}"}
            assert statement["Condition"] == {"StringEquals": {"kms:ViaService": service}}


def test_a_role_is_assumed_only_with_a_pattern():
    (document,) = documents_of(RESOURCES["LabelingJobPolicy"])
    (entry,) = [entry for entry in document["Statement"] if "sts:AssumeRole" in str(entry)]
    condition, statement, otherwise = entry["Fn::If"]
    assert statement["Resource"] == {"Ref": "JobRoleArnPattern"}
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert {"Ref": "JobRoleArnPattern"} in mappings_in(TEMPLATE["Conditions"][condition])


def mappings_in(value):
    """All mappings inside a value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from mappings_in(item)


@pytest.mark.parametrize(
    ("action", "functions"),
    [
        pytest.param(
            "s3:PutObject", {"AcsSemanticSegmentationFunction", "FinishJobFunction"}, id="write"
        ),
        pytest.param("s3:ListBucket", {"FinishJobFunction"}, id="list"),
        pytest.param("sqs:SendMessage", {"FinishJobFunction"}, id="queue"),
        pytest.param(
            "dynamodb:", {name for name in DEPLOYED if name.startswith("Acs")}, id="worker-skill"
        ),
    ],
)
def test_only_these_functions_may(action, functions):
    able = {name for name in DEPLOYED if action in str(permissions_of(name))}
    assert able == functions


def test_every_role_is_bounded():
    for name in of_type("AWS::IAM::Role"):
        boundary = RESOURCES[name]["Properties"]["PermissionsBoundary"]
        assert boundary["Fn::If"][:2] == [
            "HasPermissionsBoundary",
            {"Ref": "PermissionsBoundaryArn"},
        ]
