"""template.yaml agrees with the code, with AWS's names, and with itself."""

import re
import tomllib
from dataclasses import asdict, fields

import pytest

from groundtruth.settings import JOB_TAGS, TAG_PREFIX, Settings
from groundtruth.tasks.classification.task import ImageMultiClass
from groundtruth.tasks.multilabel.task import ImageMultiClassMultiLabel
from groundtruth.tasks.segmentation.task import SemanticSegmentation
from tests.repository.markdown import code_in, table
from tests.repository.source_files import FUNCTIONS, ROOT
from tests.repository.template import DEPLOYED, PARAMETERS, RESOURCES, SHARED, TEMPLATE, variables

OF_OTHERS = ("POWERTOOLS_", "OPENBLAS_", "AWS_")
TASKS = {
    "ImageMultiClass": ImageMultiClass(),
    "ImageMultiClassMultiLabel": ImageMultiClassMultiLabel(),
    "SemanticSegmentation": SemanticSegmentation(),
}


def all_variables():
    """Each of our variables with the values that the template gives it."""
    values = {}
    for properties in (SHARED, *DEPLOYED.values()):
        for name, value in variables(properties).items():
            if not name.startswith(OF_OTHERS):
                values.setdefault(name, []).append(value)
    return values


def test_a_setting_is_a_variable_of_the_template_or_a_tag():
    variables = {name.lower() for name in all_variables()}
    named = {field.name for field in fields(Settings)}
    assert variables <= named
    assert named - variables - set(JOB_TAGS.values()) == {"worker_id_key"}  # off AWS only


@pytest.mark.parametrize("name", sorted(all_variables()))
def test_a_variable_and_its_setting_have_the_same_default(name):
    if name == "CONSOLIDATION_ALGORITHM":
        pytest.skip("each job type has its own: see the next test")
    expected = asdict(Settings())[name.lower()]
    for value in all_variables()[name]:
        if value == {"Ref": "AWS::StackName"}:
            continue
        if "Fn::If" in value:
            # What only AWS knows, such as the name of a table; else nothing.
            otherwise = value["Fn::If"][2]
            assert otherwise == "" or PARAMETERS[otherwise["Ref"]]["Default"] == ""
            continue
        default = str(PARAMETERS[value["Ref"]]["Default"])
        assert asdict(Settings.from_environ({name: default}))[name.lower()] == expected


@pytest.mark.parametrize("task", TASKS)
def test_the_algorithms_to_choose_from_are_the_tasks_own(task):
    parameter = PARAMETERS[f"{task}Algorithm"]
    assert parameter["AllowedValues"] == list(TASKS[task].algorithms)
    assert parameter["Default"] == TASKS[task].algorithms[0]
    variable = variables(DEPLOYED[f"Acs{task}Function"])["CONSOLIDATION_ALGORITHM"]
    assert variable == {"Ref": f"{task}Algorithm"}


@pytest.mark.parametrize("name", sorted(DEPLOYED))
def test_a_function_its_folder_and_its_log_are_called_the_same(name):
    properties = DEPLOYED[name]
    stem = name.removesuffix("Function")
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", stem).lower()
    service = folder.replace("_", "-")
    aws_name = re.sub(r"^(Pre|Acs)", lambda part: f"{part[0].upper()}-", stem)
    assert properties["CodeUri"] == f"functions/{folder}"
    assert (ROOT / properties["CodeUri"] / "app.py").is_file()
    assert properties["FunctionName"]["Fn::Sub"][0] == f"${{Prefix}}-{aws_name}"
    assert variables(properties)["POWERTOOLS_SERVICE_NAME"] == service
    log = RESOURCES[f"{stem}LogGroup"]["Properties"]
    assert log["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}/{service}"}
    assert properties["LoggingConfig"] == {
        "LogFormat": "JSON",
        "LogGroup": {"Ref": f"{stem}LogGroup"},
    }
    assert properties["Role"] == {"Fn::GetAtt": f"{name}Role.Arn"}
    assert properties["DeploymentPreference"]["Alarms"] == [{"Ref": f"{stem}ErrorsAlarm"}]


def test_every_function_folder_is_deployed():
    folders = {folder.parent.name for folder in FUNCTIONS.glob("*/app.py")}
    assert folders == {properties["CodeUri"].split("/")[1] for properties in DEPLOYED.values()}


@pytest.mark.parametrize("name", [name for name in DEPLOYED if name.startswith("Acs")])
def test_numpy_starts_no_threads(name):
    assert variables(DEPLOYED[name])["OPENBLAS_NUM_THREADS"] == "1"


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_everything_that_a_person_meets_is_described(section):
    assert all(entry.get("Description") for entry in TEMPLATE[section].values())


def test_the_console_and_the_guided_deploy_ask_for_the_parameters_in_one_order():
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for name in group["Parameters"]] == list(PARAMETERS)
    assert groups[-1]["Label"]["default"] == "Advanced"


def test_no_parameter_is_one_that_a_guided_deploy_has_no_default_for():
    assert [name for name, parameter in PARAMETERS.items() if "NoEcho" in parameter] == []
    assert all("Default" in parameter for parameter in PARAMETERS.values())


def test_numbers_of_algorithms_are_tags_of_a_job_and_no_parameters():
    tagged = {tag.partition(":")[2].replace("-", "") for tag in JOB_TAGS}
    numbers = {
        name.lower()
        for name, parameter in PARAMETERS.items()
        if parameter["Type"] == "Number" and name not in ("Quorum", "MinConfidence")
    }
    assert numbers & tagged == set()


def test_every_parameter_is_used():
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


@pytest.mark.parametrize(
    ("secret", "fits"),
    [
        pytest.param("", True, id="empty"),
        pytest.param(
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:a/b-AbCdEf", True, id="whole"
        ),
        pytest.param(
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:key", False, id="partial"
        ),
        pytest.param("labeling/key", False, id="name"),
    ],
)
def test_a_secret_is_given_by_its_whole_arn(secret, fits):
    # A policy that names a secret without its last six characters lets nobody read it.
    pattern = PARAMETERS["WorkerIdKeySecretArn"]["AllowedPattern"]
    assert bool(re.search(pattern, secret)) is fits


def test_the_longest_prefix_leaves_room_for_the_longest_name():
    endings = [properties["FunctionName"]["Fn::Sub"][0] for properties in DEPLOYED.values()]
    longest = max(len(ending.removeprefix("${Prefix}")) for ending in endings)
    assert PARAMETERS["NamePrefix"]["MaxLength"] + longest <= 64


def test_the_default_stack_name_fits():
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    prefix = f"SageMaker-{config['default']['deploy']['parameters']['stack_name']}"
    assert len(prefix) <= PARAMETERS["NamePrefix"]["MaxLength"]
    assert re.search(PARAMETERS["NamePrefix"]["AllowedPattern"], prefix)


def test_every_default_is_one_that_the_parameter_allows():
    for name, parameter in PARAMETERS.items():
        default = str(parameter["Default"])
        assert re.search(parameter.get("AllowedPattern", ""), default), name
        assert default in map(str, parameter.get("AllowedValues", [default])), name


def test_the_application_has_the_packages_version():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    published = TEMPLATE["Metadata"]["AWS::ServerlessRepo::Application"]
    assert str(published["SemanticVersion"]) == package["version"]
    assert published["SpdxLicenseId"] == package["license"]
    for key in ("LicenseUrl", "ReadmeUrl"):
        assert (ROOT / published[key]).is_file()


def test_every_function_has_an_alias_arn_and_a_role_arn_among_the_outputs():
    values = [output["Value"] for output in TEMPLATE["Outputs"].values()]
    for name in DEPLOYED:
        assert {"Ref": f"{name}.Alias"} in values
        assert {"Fn::GetAtt": f"{name}Role.Arn"} in values


def test_the_table_of_settings_has_every_tag_and_the_parameters_that_there_are():
    rows = table((ROOT / "docs/explanation/algorithms.md").read_text(encoding="utf-8"), "Settings")
    tags = [tag for row in rows for tag in code_in(row["tag after `consolidation:`"])]
    assert sorted(tags) == sorted(tag.removeprefix(TAG_PREFIX) for tag in JOB_TAGS)
    variables = all_variables()
    for row in rows:
        for parameter in code_in(row["parameter"]):
            assert str(PARAMETERS[parameter]["Default"]) in (row["default"].replace("none", ""))
        for tag in code_in(row["tag after `consolidation:`"]):
            name = JOB_TAGS[f"{TAG_PREFIX}{tag}"].upper()
            given = {value["Ref"] for value in variables.get(name, ())}
            assert given == set(code_in(row["parameter"])), tag
