"""Lambda handlers, started here as Lambda starts them: by their handler string."""

from __future__ import annotations

import importlib.util
import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from labeljob.application import ApplicationError, FunctionDefinition, function_definition

ACCOUNT = "000000000000"
REGION = "us-west-2"


@dataclass(frozen=True)
class LocalContext:
    """What Lambda tells a handler about its invocation."""

    function_name: str
    memory_limit_in_mb: int = 1024
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def invoked_function_arn(self) -> str:
        """An ARN of the right shape; no such function is deployed."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"


class LocalFunction:
    """A function of the application, in this process.

    Parameters
    ----------
    name : str
        Folder of its code under ``functions/``.
    environment : mapping of str to str
        Variables over those of template.yaml.
    log : text file
        Where its log lines and metrics go, as they would to CloudWatch.
    """

    def __init__(self, name: str, environment: Mapping[str, str], *, log: TextIO) -> None:
        self._definition = function_definition(name)
        self._log = log
        variables = {**self._definition.environment, **environment}
        # Handlers read their environment once, when their module is loaded.
        with _variables_set(variables), redirect_stdout(log):
            self._handler = _load(self._definition)

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """Invoke the handler; its errors pass through."""
        with redirect_stdout(self._log):
            return self._handler(event, LocalContext(self._definition.logical_id))


def _load(definition: FunctionDefinition) -> Any:
    module_name, _, function_name = definition.handler.rpartition(".")
    path = definition.code / f"{module_name}.py"
    unique = f"_function_{definition.logical_id}_{uuid.uuid4().hex}"
    spec = importlib.util.spec_from_file_location(unique, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ApplicationError(f"{path} is missing")
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    spec.loader.exec_module(module)
    return getattr(module, function_name)


@contextmanager
def _variables_set(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def open_log(path: Path) -> TextIO:
    """Open a log file to append to, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a", encoding="utf-8")
