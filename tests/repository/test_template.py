"""template.yaml agrees with the code, with AWS's names, and with itself."""

import re
import tomllib
from dataclasses import asdict, fields

import pytest

from groundtruth.settings import Settings
from labeljob.application import load_template
from tests.repository.source_files import FUNCTIONS, ROOT

TEMPLATE = load_template((ROOT / "template.yaml").read_text(encoding="utf-8"))
SHARED = TEMPLATE["Globals"]["Function"]
RESOURCES = TEMPLATE["Resources"]
PARAMETERS = TEMPLATE["Parameters"]
DEPLOYED = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function"
}
OF_POWERTOOLS = "POWERTOOLS_"


def variables(properties):
    return properties.get("Environment", {}).get("Variables", {})


def all_variables():
    """Each of our variables with the values that the template gives it."""
    values = {}
    for properties in (SHARED, *DEPLOYED.values()):
        for name, value in variables(properties).items():
            if not name.startswith(OF_POWERTOOLS):
                values.setdefault(name, []).append(value)
    return values


def statements(document):
    """Policy statements, those under a condition too."""
    for entry in document["Statement"]:
        yield entry["Fn::If"][1] if "Fn::If" in entry else entry


def all_statements():
    for resource in RESOURCES.values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            yield from statements(resource["Properties"]["PolicyDocument"])
    for properties in DEPLOYED.values():
        for policy in properties["Policies"]:
            if "Statement" in policy:
                yield from statements(policy)


def test_variables_and_settings_have_the_same_names():
    assert set(all_variables()) == {field.name.upper() for field in fields(Settings)}


@pytest.mark.parametrize("name", sorted(all_variables()))
def test_a_variable_and_its_setting_have_the_same_default(name):
    expected = asdict(Settings())[name.lower()]
    for value in all_variables()[name]:
        default = str(PARAMETERS[value["Ref"]]["Default"])
        assert asdict(Settings.from_environ({name: default}))[name.lower()] == expected


@pytest.mark.parametrize("name", sorted(DEPLOYED))
def test_a_function_its_folder_and_its_log_are_called_the_same(name):
    properties = DEPLOYED[name]
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Function")).lower()
    kind, task = re.fullmatch(r"(Pre|Acs)(\w+)Function", name).groups()
    assert properties["CodeUri"] == f"functions/{folder}"
    assert (ROOT / properties["CodeUri"] / "app.py").is_file()
    assert properties["FunctionName"]["Fn::Sub"][0] == f"${{Prefix}}-{kind.upper()}-{task}"
    assert variables(properties)["POWERTOOLS_SERVICE_NAME"] == folder.replace("_", "-")
    log = RESOURCES[f"{kind}{task}LogGroup"]["Properties"]
    assert log["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/${{{name}}}"}


def test_every_function_folder_is_deployed():
    folders = {folder.parent.name for folder in FUNCTIONS.glob("*/app.py")}
    assert folders == {properties["CodeUri"].split("/")[1] for properties in DEPLOYED.values()}


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_everything_that_a_person_meets_is_described(section):
    assert all(entry.get("Description") for entry in TEMPLATE[section].values())


def test_every_parameter_is_used_labeled_and_grouped_once():
    interface = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)
    assert sorted(interface["ParameterLabels"]) == sorted(PARAMETERS)
    body = str([TEMPLATE[name] for name in ("Globals", "Conditions", "Resources")])
    used = {name for name in PARAMETERS if f"'{name}'" in body or f"${{{name}}}" in body}
    assert used == set(PARAMETERS)


@pytest.mark.parametrize(
    ("prefix", "fits"),
    [
        pytest.param("", True, id="empty"),
        pytest.param("team-SageMaker", True, id="word"),
        pytest.param("GtRecipe_1", True, id="other-word"),
        pytest.param("labeling", False, id="no-word"),
        pytest.param("sagemaker labeling", False, id="space"),
    ],
)
def test_a_prefix_contains_a_word_that_lets_jobs_invoke_the_functions(prefix, fits):
    assert bool(re.search(PARAMETERS["NamePrefix"]["AllowedPattern"], prefix)) is fits


def test_the_longest_prefix_leaves_room_for_the_longest_name():
    endings = [properties["FunctionName"]["Fn::Sub"][0] for properties in DEPLOYED.values()]
    longest = max(len(ending.removeprefix("${Prefix}")) for ending in endings)
    assert PARAMETERS["NamePrefix"]["MaxLength"] + longest <= 64


def test_the_default_stack_name_fits():
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    name = config["default"]["deploy"]["parameters"]["stack_name"]
    assert name
    assert len(name) <= PARAMETERS["NamePrefix"]["MaxLength"]
    assert re.search(PARAMETERS["NamePrefix"]["AllowedPattern"], name)


def test_every_policy_statement_is_named_and_names_what_it_allows():
    for statement in all_statements():
        assert statement["Sid"]
        assert "*" not in str(statement["Action"])
        assert statement["Resource"] != "*"


def test_only_the_segmentation_function_writes():
    writers = [
        name
        for name, properties in DEPLOYED.items()
        for policy in properties["Policies"]
        if "Statement" in policy and "s3:PutObject" in str(policy)
    ]
    assert writers == ["AcsSemanticSegmentationFunction"]
    shared = [resource for resource in RESOURCES.values() if "ManagedPolicy" in resource["Type"]]
    assert "s3:PutObject" not in str(shared)


def test_every_function_has_an_alias_arn_and_a_role_arn_among_the_outputs():
    values = [output["Value"] for output in TEMPLATE["Outputs"].values()]
    for name in DEPLOYED:
        assert {"Ref": f"{name}.Alias"} in values
        assert {"Fn::GetAtt": f"{name}Role.Arn"} in values
