"""The application that is run: found in a checkout or a wheel, its handlers called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from groundtruth.errors import GroundTruthError

TEMPLATE = "template.yaml"
APPLICATION_VARIABLE = "LABELJOB_APPLICATION"
"""Environment variable with the folder of another application than our own."""


class ApplicationError(GroundTruthError):
    """The application is not where it should be, or its template lacks something."""


@dataclass(frozen=True, kw_only=True)
class FunctionDefinition:
    """A Lambda function as template.yaml defines it."""

    logical_id: str  # its key under `Resources`
    handler: str  # ``module.function``
    code: Path  # folder of its code
    # Its variables, with every parameter at its default. A variable that only AWS could resolve is
    # left out.
    environment: Mapping[str, str]


def application_folder() -> Path:
    """The folder with template.yaml: the checkout, or what came with an installed package.

    `APPLICATION_VARIABLE` names another one in its place.

    Raises `ApplicationError` if it is in neither place.
    """
    if named := os.environ.get(APPLICATION_VARIABLE):
        return Path(named).resolve()
    here = Path(__file__).resolve()
    for folder in (here.parents[2], here.parent / "_application"):
        if (folder / TEMPLATE).is_file():
            return folder
    raise ApplicationError(f"{TEMPLATE} is neither in {here.parents[2]} nor in the package")


def find_template(folder: str) -> Path:
    """The worker page that comes with a job type, named by its folder's name."""
    return application_folder() / "worker_templates" / f"{folder}.liquid.html"


def function_definition(name: str) -> FunctionDefinition:
    """The function whose code is in ``functions/<name>``.

    Raises `ApplicationError` if there is none; the text lists those there are.
    """
    functions = _functions(application_folder())
    if name not in functions:
        raise ApplicationError(f"there is no function {name!r}; there are {', '.join(functions)}")
    return functions[name]


def function_names() -> list[str]:
    """Names of all functions, as `function_definition` takes them."""
    return list(_functions(application_folder()))


@cache
def _functions(folder: Path) -> dict[str, FunctionDefinition]:
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


ACCOUNT = "000000000000"
REGION = "us-west-2"


class FunctionError(GroundTruthError):
    """A function failed; the text is its error's."""


class LocalFunction:
    """A function of the application, in a process of its own until it is closed.

    `environment` goes over that of template.yaml; `log` is the file that its log lines and metrics
    are added to, as they would go to CloudWatch.
    """

    def __init__(self, name: str, environment: Mapping[str, str], *, log: Path) -> None:
        definition = function_definition(name)
        variables = {**definition.environment, **environment}
        variables["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        module, _, function = definition.handler.rpartition(".")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "labeljob.function_host",
                    str(definition.code / f"{module}.py"),
                    function,
                    definition.logical_id,
                ],
                env={**os.environ, **variables},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
            )
        self._name = name
        self._log = log

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """Invoke the handler.

        Raises `FunctionError` if the handler raises, or its process ends.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise FunctionError(f"{self._name} has no pipes")
        try:
            stdin.write(json.dumps(event).encode() + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise FunctionError(f"{self._name} ended; its log says why: {self._log}")
        answer = json.loads(line)
        if "error" in answer:
            raise FunctionError(f"{self._name}: {answer['error']}")
        return answer["response"]

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
