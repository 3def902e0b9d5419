"""The SAM application that belongs to this command: its template and its functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from groundtruth.errors import GroundTruthError

TEMPLATE = "template.yaml"


class ApplicationError(GroundTruthError):
    """The application is not where it should be, or its template lacks something."""


@dataclass(frozen=True, kw_only=True)
class FunctionDefinition:
    """A Lambda function as template.yaml defines it.

    Attributes
    ----------
    logical_id : str
        Its key under `Resources`.
    handler : str
        ``module.function``.
    code : Path
        Folder of its code.
    environment : mapping of str to str
        Its variables, with every parameter at its default. A variable that only AWS could
        resolve is left out.
    """

    logical_id: str
    handler: str
    code: Path
    environment: Mapping[str, str]


@cache
def application_folder() -> Path:
    """The folder with template.yaml: the checkout, or what came with an installed package.

    Raises
    ------
    ApplicationError
        If it is in neither place.
    """
    here = Path(__file__).resolve()
    for folder in (here.parents[2], here.parent / "_application"):
        if (folder / TEMPLATE).is_file():
            return folder
    raise ApplicationError(f"{TEMPLATE} is neither in {here.parents[2]} nor in the package")


def function_definition(name: str) -> FunctionDefinition:
    """The function whose code is in ``functions/<name>``.

    Raises
    ------
    ApplicationError
        If there is none; the text lists those there are.
    """
    functions = _functions()
    if name not in functions:
        raise ApplicationError(f"there is no function {name!r}; there are {', '.join(functions)}")
    return functions[name]


def function_names() -> list[str]:
    """Names of all functions, as `function_definition` takes them."""
    return list(_functions())


@cache
def _functions() -> dict[str, FunctionDefinition]:
    folder = application_folder()
    template = load_template((folder / TEMPLATE).read_text(encoding="utf-8"))
    defaults = {
        name: str(parameter.get("Default", ""))
        for name, parameter in template.get("Parameters", {}).items()
    }
    shared = template.get("Globals", {}).get("Function", {})
    definitions = {}
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = shared | resource["Properties"]
            variables = _variables(shared) | _variables(resource["Properties"])
            definitions[Path(properties["CodeUri"]).name] = FunctionDefinition(
                logical_id=logical_id,
                handler=properties["Handler"],
                code=folder / properties["CodeUri"],
                environment=_resolved(variables, defaults),
            )
    return definitions


def _variables(properties: Mapping[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return variables


def _resolved(variables: Mapping[str, Any], defaults: Mapping[str, str]) -> dict[str, str]:
    resolved = {}
    for name, value in variables.items():
        if isinstance(value, Mapping) and set(value) == {"Ref"}:
            value = defaults.get(value["Ref"])
        if isinstance(value, str | int | float):
            resolved[name] = str(value)
    return resolved


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: ``!Ref X`` is ``{"Ref": "X"}``."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise ApplicationError(f"!{tag} stands before something unknown")
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_TemplateLoader.add_multi_constructor("!", _short_form)


def load_template(text: str) -> dict[str, Any]:
    """Read a CloudFormation template, with its short forms written out."""
    template: dict[str, Any] = yaml.load(text, Loader=_TemplateLoader)
    return template
