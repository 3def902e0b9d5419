"""The parts of template.yaml that tests look at."""

from labeljob.application import load_template
from tests.repository.source_files import ROOT

TEMPLATE = load_template((ROOT / "template.yaml").read_text(encoding="utf-8"))
SHARED = TEMPLATE["Globals"]["Function"]
RESOURCES = TEMPLATE["Resources"]
PARAMETERS = TEMPLATE["Parameters"]
DEPLOYED = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function"
}

OF_JOBS = {name for name in DEPLOYED if "Condition" not in RESOURCES[name]}
"""The functions that labeling jobs call or start, and that every stack has."""


def variables(properties):
    return properties.get("Environment", {}).get("Variables", {})


def statements(document):
    """Policy statements, those under a condition too."""
    for entry in document["Statement"]:
        yield entry["Fn::If"][1] if "Fn::If" in entry else entry


def documents_of(resource):
    """Policies of a role or a managed policy; who may assume a role is not among them."""
    properties = resource["Properties"]
    if resource["Type"] == "AWS::IAM::ManagedPolicy":
        yield properties["PolicyDocument"]
    if resource["Type"] == "AWS::IAM::Role":
        yield from (policy["PolicyDocument"] for policy in properties.get("Policies", ()))


def statements_of(*names):
    for name in names:
        for document in documents_of(RESOURCES[name]):
            yield from statements(document)


def all_statements():
    yield from statements_of(*RESOURCES)


def of_type(kind):
    return {name for name, resource in RESOURCES.items() if resource["Type"] == kind}


def permissions_of(function):
    """Statements of a function's own role and of the policies that it shares."""
    role = f"{function}Role"
    shared = str(RESOURCES[role]["Properties"]["ManagedPolicyArns"])
    managed = [name for name in of_type("AWS::IAM::ManagedPolicy") if f"'{name}'" in shared]
    return list(statements_of(role, *managed))
