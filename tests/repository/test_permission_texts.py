"""The tables of permissions in the texts say what template.yaml says."""

import json

import pytest

from tests.repository.markdown import code_in, fences, table
from tests.repository.source_files import ROOT
from tests.repository.template import (
    DEPLOYED,
    OF_JOBS,
    PARAMETERS,
    RESOURCES,
    TEMPLATE,
    documents_of,
    permissions_of,
)

FUNCTIONS = {
    "all": set(DEPLOYED),
    "all of jobs": OF_JOBS,
    "PRE": {name for name in DEPLOYED if name.startswith("Pre")},
    "ACS": {name for name in DEPLOYED if name.startswith("Acs")},
    "ACS of masks": {"AcsSemanticSegmentationFunction"},
    "finisher": {"FinishJobFunction"},
    "replay": {"ReplayShardFunction"},
    "state machine": set(),
}
SERVICES = {
    "s3": "S3",
    "dynamodb": "DynamoDB",
    "secretsmanager": "Secrets Manager",
    "sqs": "SQS",
    "sagemaker": "SageMaker",
    "logs": "CloudWatch",
}
BUCKETS = {"HasInputBucket": "input bucket", "HasOutputBucket": "output bucket"}
NO_DATA = ("kms:", "sts:", "ec2:", "lambda:", "states:", "s3:DeleteObject")


def read(text):
    return (ROOT / text).read_text(encoding="utf-8")


def actions_of(statement):
    actions = statement["Action"]
    return actions if isinstance(actions, list) else [actions]


def statements_with_conditions():
    """Each statement by name, with the template's condition that it depends on, if any."""
    for resource in RESOURCES.values():
        for document in documents_of(resource):
            for entry in document["Statement"]:
                condition, statement, _ = entry.get("Fn::If", (resource.get("Condition"), entry, 0))
                yield statement["Sid"], statement, condition


# Of those with one name, the first: every stack has it.
STATEMENTS = {
    sid: (statement, condition)
    for sid, statement, condition in reversed(list(statements_with_conditions()))
}
PERMISSIONS = table(read("docs/how-to/deploying.md"), "Permissions of the functions")
FLOWS = [
    row for row in table(read("docs/explanation/security.md"), "Data flow") if row["statements"]
]


def may(sid):
    """Functions whose role has the statement."""
    return {name for name in DEPLOYED if sid in [entry["Sid"] for entry in permissions_of(name)]}


def test_the_table_of_permissions_has_every_statement_once():
    assert sorted(code_in(row["statement"])[0] for row in PERMISSIONS) == sorted(STATEMENTS)


@pytest.mark.parametrize("row", PERMISSIONS, ids=lambda row: code_in(row["statement"])[0])
def test_a_row_of_permissions_is_the_statement_of_the_template(row):
    (sid,) = code_in(row["statement"])
    statement, condition = STATEMENTS[sid]
    assert may(sid) == FUNCTIONS[row["functions"]]
    assert code_in(row["actions"]) == sorted(actions_of(statement))
    assert row["actions"].startswith("denied: ") is (statement["Effect"] == "Deny")
    needed = str(TEMPLATE["Conditions"].get(condition, ""))
    assert [name for name in code_in(row["only with"]) if f"'{name}'" not in needed] == []
    assert bool(row["only with"]) is bool(condition)
    resource = str(statement["Resource"])
    for name in code_in(row["on"]):
        if name in PARAMETERS:
            assert f"'{name}'" in resource or f"${{{name}}}" in resource
    for bucket, words in BUCKETS.items():
        assert (words in row["on"]) is (bucket in resource) or sid == "WriteFinishedFiles"


def test_the_data_flow_has_every_statement_that_moves_data_once():
    named = [sid for row in FLOWS for sid in code_in(row["statements"])]
    assert sorted(named) == sorted(
        sid
        for sid, (statement, _) in STATEMENTS.items()
        if statement["Effect"] == "Allow" and not actions_of(statement)[0].startswith(NO_DATA)
    )


@pytest.mark.parametrize("row", FLOWS, ids=lambda row: "-".join(code_in(row["statements"])))
def test_a_way_of_data_is_one_that_the_template_allows(row):
    ends = (row["from"], row["to"])
    (who,) = [end for end in ends if end in FUNCTIONS]
    (other,) = [end for end in ends if end not in FUNCTIONS]
    for sid in code_in(row["statements"]):
        statement, _ = STATEMENTS[sid]
        assert may(sid) == FUNCTIONS[who]
        service = actions_of(statement)[0].partition(":")[0]
        assert other.startswith(SERVICES[service])
        for bucket, words in BUCKETS.items():
            assert (words in other) is (bucket in str(statement["Resource"]))
        writes = any("Put" in action or "Send" in action for action in actions_of(statement))
        assert writes is (row["from"] == who)


def services_of(statement):
    """Services through which a key is used, such as s3."""
    services = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", ())
    services = services if isinstance(services, list) else [services]
    return {
        (entry if isinstance(entry, str) else entry["Fn::Sub"]).split(".")[0] for entry in services
    }


def test_the_policies_of_keys_allow_roles_what_the_roles_own_policies_do():
    of_buckets, of_stack = (
        json.loads(fence.text)
        for fence in fences(read("docs/how-to/deploying.md"))
        if fence.language == "json" and "kms:" in fence.text
    )
    for parameter, policy in (("KmsKeyArn", [of_buckets]), ("StackKmsKeyArn", of_stack)):
        entries = [entry for entry in policy if "RoleArn" in str(entry["Principal"])]
        told = {
            (service, action)
            for entry in entries
            for service in services_of(entry)
            for action in entry["Action"]
        }
        assert told == {
            (service, action)
            for statement, _ in STATEMENTS.values()
            if statement["Resource"] == {"Ref": parameter}
            for service in services_of(statement)
            for action in actions_of(statement)
        }
