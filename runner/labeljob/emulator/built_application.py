"""What `sam build` made: where a function's code and layers are, and how it is set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from groundtruth.errors import GroundTruthError

BUILD_FOLDER = Path(".aws-sam", "build")
"""Where `sam build` puts the application, from the folder of template.yaml."""


class BuildError(GroundTruthError):
    """There is no build, or it does not hold what is asked of it."""


@dataclass(frozen=True, kw_only=True)
class BuiltFunction:
    """One function of a build."""

    name: str  # name of its folder under ``functions/``: ``"acs_image_multi_class"``
    handler: str  # module and function that Lambda calls: ``"app.lambda_handler"``
    code: Path  # what Lambda mounts at ``/var/task``
    # what Lambda merges at ``/opt``; where two hold the same file, the later one wins
    layers: tuple[Path, ...]
    timeout: int  # seconds that one invocation may take
    memory: int  # megabytes
    # its variables, with the defaults of the stack's parameters; one that only AWS could resolve,
    # such as the name of a table, is left out
    environment: Mapping[str, str]


def logical_id(function: str) -> str:
    """The name of a function in template.yaml.

    Examples
    --------
    >>> logical_id("acs_image_multi_class")
    'AcsImageMultiClassFunction'
    """
    return "".join(word.capitalize() for word in function.split("_")) + "Function"


class BuiltApplication:
    """The build in a folder, as the template says that `sam build` wrote; raises `BuildError`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        try:
            text = (self.folder / "template.yaml").read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise BuildError(
                f"No build found in {folder}: run `make build` (or `sam build`)"
            ) from error
        self._template: dict[str, Any] = yaml.safe_load(text)

    def functions(self) -> tuple[str, ...]:
        """Names of the built functions, in the order of the template."""
        return tuple(self._names())

    def function(self, name: str) -> BuiltFunction:
        """One function of the build; raises `BuildError`."""
        resource = self._template["Resources"].get(logical_id(name))
        if resource is None:
            known = ", ".join(self.functions())
            raise BuildError(f"{name} is not one of the built functions: {known}")
        shared = self._template.get("Globals", {}).get("Function", {})
        own = resource["Properties"]
        properties = {**shared, **own}
        variables = {**_variables(shared), **_variables(own)}
        return BuiltFunction(
            name=name,
            handler=str(properties["Handler"]),
            code=self._folder_of(properties["CodeUri"]),
            layers=tuple(self._layer(layer) for layer in properties.get("Layers", ())),
            timeout=int(self._text(properties["Timeout"])),
            memory=int(self._text(properties["MemorySize"])),
            environment=dict(self._known(variables)),
        )

    def _names(self) -> Iterator[str]:
        for resource in self._template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                metadata = resource["Metadata"]
                yield _folder_name(metadata["SamResourceId"])

    def _layer(self, reference: Any) -> Path:
        layer = self._template["Resources"][reference["Ref"]]
        return self._folder_of(layer["Properties"]["ContentUri"])

    def _folder_of(self, uri: str) -> Path:
        folder = self.folder / uri
        if not folder.is_dir():
            raise BuildError(f"The build is not complete, {folder} is missing: run `make build`")
        return folder

    def _known(self, variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in variables.items():
            if (text := self._default(value)) is not None:
                yield name, text

    def _text(self, value: Any) -> str:
        text = self._default(value)
        if text is None:
            raise BuildError(f"{value} cannot be known before the stack is deployed")
        return text

    def _default(self, value: Any) -> str | None:
        """A property as text: a parameter counts as its default; None if only AWS knows it."""
        if not isinstance(value, dict):
            return str(value)
        parameter = value.get("Ref")
        if set(value) != {"Ref"} or parameter not in self._template["Parameters"]:
            return None
        return str(self._template["Parameters"][parameter]["Default"])


def _variables(properties: Mapping[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return variables


def _folder_name(resource: str) -> str:
    words = resource.removesuffix("Function")
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in words).lstrip("_")
