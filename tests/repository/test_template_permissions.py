"""What the roles of template.yaml may do, and no more."""

from fnmatch import fnmatchcase

import pytest

from groundtruth.sharding.steps import STATE_END
from tests.repository.template import (
    DEPLOYED,
    OF_JOBS,
    PARAMETERS,
    RESOURCES,
    TEMPLATE,
    all_statements,
    documents_of,
    of_type,
    permissions_of,
    statements_of,
)


def test_every_policy_statement_is_named_and_names_what_it_allows():
    names = [statement["Sid"] for statement in all_statements()]
    assert len(names) == len(set(names) - {"WriteLogs"}) + names.count("WriteLogs")
    for statement in all_statements():
        assert "*" not in str(statement["Action"])
        assert statement["Resource"] != "*" or statement["Effect"] == "Deny"


@pytest.mark.parametrize(
    ("parameter", "services"),
    [
        pytest.param("KmsKeyArn", {"s3"}, id="of-the-buckets"),
        pytest.param("StackKmsKeyArn", {"dynamodb", "sqs", "secretsmanager"}, id="of-the-stack"),
    ],
)
def test_a_key_is_used_through_these_services_only(parameter, services):
    found = set()
    for statement in all_statements():
        if "kms:" in str(statement["Action"]) and statement["Resource"] == {"Ref": parameter}:
            ((condition, via),) = statement["Condition"]["StringEquals"].items()
            assert condition == "kms:ViaService"
            found |= {entry["Fn::Sub"] for entry in (via if isinstance(via, list) else [via])}
    assert found == {f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}" for service in services}


def test_no_other_key_is_used():
    for statement in all_statements():
        if "kms:" in str(statement["Action"]):
            assert statement["Resource"]["Ref"] in ("KmsKeyArn", "StackKmsKeyArn")


def test_a_role_is_assumed_only_with_a_pattern_and_not_by_pre_functions():
    entries = [
        entry
        for resource in RESOURCES.values()
        for document in documents_of(resource)
        for entry in document["Statement"]
        if "sts:AssumeRole" in str(entry)
    ]
    for entry in entries:
        condition, statement, otherwise = entry["Fn::If"]
        assert statement["Resource"] == {"Ref": "JobRoleArnPattern"}
        assert otherwise == {"Ref": "AWS::NoValue"}
        assert {"Ref": "JobRoleArnPattern"} in mappings_in(TEMPLATE["Conditions"][condition])
    assert entries
    able = {name for name in DEPLOYED if "sts:AssumeRole" in str(permissions_of(name))}
    assert able == {name for name in OF_JOBS if not name.startswith("Pre")}


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
            "s3:PutObject",
            {"AcsSemanticSegmentationFunction", "FinishJobFunction", "ReplayShardFunction"},
            id="write",
        ),
        pytest.param("s3:DeleteObject", {"ReplayShardFunction"}, id="remove"),
        pytest.param("s3:ListBucket", {"FinishJobFunction", "ReplayShardFunction"}, id="list"),
        pytest.param("sqs:SendMessage", {"FinishJobFunction"}, id="queue"),
        pytest.param("secretsmanager:", {"FinishJobFunction"}, id="secret"),
        pytest.param(
            "dynamodb:", {name for name in DEPLOYED if name.startswith("Acs")}, id="worker-skill"
        ),
    ],
)
def test_only_these_functions_may(action, functions):
    able = {name for name in DEPLOYED if action in str(permissions_of(name))}
    assert able == functions


NOTHING = {"Ref": "AWS::NoValue"}


def test_every_role_is_bounded():
    for name in of_type("AWS::IAM::Role"):
        boundary = RESOURCES[name]["Properties"]["PermissionsBoundary"]
        chosen = ["HasPermissionsBoundary", {"Ref": "PermissionsBoundaryArn"}, NOTHING]
        assert boundary == {"Fn::If": chosen}


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        pytest.param("AWS::IAM::Role", "RoleName", id="roles"),
        pytest.param("AWS::IAM::ManagedPolicy", "ManagedPolicyName", id="policies"),
    ],
)
def test_every_role_and_policy_has_the_path_and_a_name_of_its_own(kind, key):
    names = set()
    for name in of_type(kind):
        properties = RESOURCES[name]["Properties"]
        assert properties["Path"] == {"Fn::If": ["HasRolePath", {"Ref": "RolePath"}, NOTHING]}
        condition, named, otherwise = properties[key]["Fn::If"]
        assert (condition, otherwise) == ("NamesRoles", NOTHING)
        prefix, _, end = named["Fn::Sub"].partition("}")
        assert prefix == "${RoleNamePrefix"
        assert len(end) + PARAMETERS["RoleNamePrefix"]["MaxLength"] <= 64
        names.add(end)
    assert len(names) == len(of_type(kind))


def resources_of(statement):
    """The first bucket and key pattern of each resource, without the ARN's beginning."""
    entries = statement["Resource"]
    for entry in entries if isinstance(entries, list) else [entries]:
        pattern = entry["Fn::Sub"]
        yield (pattern if isinstance(pattern, str) else pattern[0]).partition(":::")[2]


def test_a_replay_writes_into_its_own_folder_only():
    for name in ("ReplayShardFunctionRole", "ReplayMachineRole"):
        for statement in statements_of(name):
            if "s3:PutObject" in statement["Action"]:
                (place,) = resources_of(statement)
                assert place.startswith("${ReplayBucketName}/${ReplayPrefix}/")


def test_a_replay_removes_nothing_but_states():
    named = {entry["Sid"]: entry for entry in statements_of("ReplayShardFunctionRole")}
    (place,) = resources_of(named["RemoveStatesOfShards"])
    assert place == f"${{ReplayBucketName}}/${{ReplayPrefix}}/*{STATE_END}"


def test_the_state_machine_starts_and_invokes_nothing_else():
    named = {entry["Sid"]: entry["Resource"] for entry in statements_of("ReplayMachineRole")}
    assert named["InvokeReplayShard"] == {"Ref": "ReplayShardFunction.Alias"}
    name = RESOURCES["ReplayMachine"]["Properties"]["Name"]["Fn::Sub"]
    machine = named["StartShards"]["Fn::Sub"]
    assert machine.endswith(f":stateMachine:{name}")
    executions = machine.replace(":stateMachine:", ":execution:")
    assert [entry["Fn::Sub"] for entry in named["FollowShards"]] == [
        f"{executions}:*",
        f"{executions}/*",
    ]


def test_the_pre_functions_alone_are_kept_from_the_answers_of_any_bucket():
    (denied,) = statements_of("PreAnnotationPolicy")
    assert (denied["Effect"], denied["Action"]) == ("Deny", "s3:GetObject")
    (pattern,) = resources_of(denied)
    for folder in ("labels/job", "job", "a/b/job"):
        assert fnmatchcase(f"bucket/{folder}/annotations/worker-response/1.json", pattern)
    assert not fnmatchcase("bucket/annotations/labels.json", pattern)
    kept = {name for name in DEPLOYED if denied in permissions_of(name)}
    assert kept == {name for name in DEPLOYED if name.startswith("Pre")}


@pytest.mark.parametrize(
    ("resource", "settings"),
    [
        pytest.param(
            "WorkerSkillTable", lambda properties: properties["SSESpecification"], id="table"
        ),
        pytest.param("FinishJobDeadLetterQueue", dict, id="queue"),
        pytest.param("WorkerIdKey", dict, id="secret"),
    ],
)
def test_what_the_stack_keeps_has_a_key_that_can_be_chosen(resource, settings):
    found = settings(RESOURCES[resource]["Properties"])
    chosen = {"Fn::If": ["HasStackKey", {"Ref": "StackKmsKeyArn"}, NOTHING]}
    assert [value for name, value in found.items() if name.lower().startswith("kms")] == [chosen]
