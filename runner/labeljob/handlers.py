"""Lambda handlers, started here as Lambda starts them: each in a process of its own.

The process gets the function's environment, loads the module of its handler string and answers
one event after another. `function_host` is what runs in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from groundtruth.errors import GroundTruthError
from labeljob.application import function_definition

ACCOUNT = "000000000000"
REGION = "us-west-2"


class FunctionError(GroundTruthError):
    """A function failed; the text is its error's."""


class LocalFunction:
    """A function of the application, in a process of its own until it is closed.

    Parameters
    ----------
    name : str
        Folder of its code under ``functions/``.
    environment : mapping of str to str
        Variables over those of template.yaml.
    log : Path
        File that its log lines and metrics are added to, as they would go to CloudWatch.
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

        Raises
        ------
        FunctionError
            If the handler raises, or its process ends.
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
