"""One built function in the Lambda runtime interface emulator.

The emulator listens on 127.0.0.1 and needs no container; `sandbox` gives the function Lambda's
file system.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from groundtruth.errors import GroundTruthError
from groundtruth.jobs import JOBS_FOLDER_VARIABLE
from groundtruth.storage.s3 import STORE_FOLDER_VARIABLE
from labeljob.emulator.built_application import BuiltApplication
from labeljob.emulator.sandbox import Folders, isolate
from labeljob.emulator.tools import (
    EmulatorError,
    find_emulator,
    find_python,
    find_runtime_packages,
    merge_layers,
)
from labeljob.jobs.job_location import JOBS_FOLDER

START_SECONDS = 20.0
_INVOCATIONS = "/2015-03-31/functions/function/invocations"


class FunctionError(GroundTruthError):
    """The function raised, could not be imported, or ended its process.

    Attributes
    ----------
    error_type : str
        As Lambda reports it: ``"ContractError"``, ``"Runtime.ImportModuleError"``.
    trace : tuple of str
        The function's stack, innermost call last.
    log : str
        What the function and the emulator wrote.
    """

    def __init__(
        self, message: str, *, error_type: str, trace: tuple[str, ...] = (), log: str = ""
    ) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.trace = trace
        self.log = log


class FunctionTimeout(FunctionError):
    """The function took longer than its Timeout in the template."""


class EmulatedFunction:
    """A built function, ready to be invoked within a ``with`` block.

    One invocation runs at a time; a second one waits. Memory is not limited.

    Parameters
    ----------
    name : str
        Name of its folder under ``functions/``.
    build_folder : Path
        The build folder, such as ``.aws-sam/build``.
    environment : mapping of str to str, optional
        Variables beside, or instead of, those of the template.
    objects : Path, optional
        A folder laid out like S3, with descriptions of labeling jobs, as `labeljob` makes it. The
        function reads and writes it and calls neither S3 nor SageMaker.

    Attributes
    ----------
    function : BuiltFunction
        What the build says of the function.
    isolated : bool
        Whether the function sees Lambda's paths, or only this machine's own.
    process : Popen
        The emulator.

    Raises
    ------
    BuildError
        If there is no build, or it has no such function.
    EmulatorError
        If the emulator cannot be started here.
    """

    def __init__(
        self,
        name: str,
        build_folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        objects: Path | None = None,
    ) -> None:
        self.function = BuiltApplication(build_folder).function(name)
        self._environment = environment or {}
        self._objects = objects
        self._tools = build_folder.resolve().parents[1] / ".tools"
        self._stack = ExitStack()
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._log = scratch / "log"
            root, no_objects = scratch / "root", scratch / "objects"
            root.mkdir()
            no_objects.mkdir()
            emulator = find_emulator(self._tools)
            folders = Folders(
                task=self.function.code,
                layers=merge_layers(self.function.layers),
                runtime=find_runtime_packages(self._tools),
                python=find_python(),
                emulator=emulator.parent,
                objects=(self._objects or no_objects).resolve(),
            )
            prefix, seen = isolate(folders, root)
            self.isolated = bool(prefix)
            self._start((*prefix, f"{seen.emulator}/{emulator.name}"), seen, stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def log(self) -> str:
        """What the function and the emulator have written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def invoke(self, event: object) -> Any:
        """The function's response to an event, both as JSON values.

        Raises
        ------
        FunctionTimeout
            If the function takes longer than its time-out.
        FunctionError
            If it raises, cannot be imported, or ends its process.
        EmulatorError
            If the emulator stopped.
        """
        body = json.dumps(event).encode()
        with self._turn:
            answer = self._post(body)
        return self._result(answer)

    def _start(self, emulator: tuple[str, ...], seen: Folders, stack: ExitStack) -> None:
        self._port, api_port = _find_free_ports()
        command = (
            *emulator,
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{self._port}",
            "--runtime-api-address",
            f"127.0.0.1:{api_port}",
            f"{seen.python}/bin/python3.13",
            "-m",
            "awslambdaric",
            self.function.handler,
        )
        log = stack.enter_context(self._log.open("wb"))
        self.process = subprocess.Popen(
            command,
            cwd=self.function.code,
            env=self._variables(seen),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        stack.callback(_stop, self.process)
        self._wait_until_it_listens()

    def _variables(self, seen: Folders) -> dict[str, str]:
        """The environment that Lambda gives a function; nothing of this machine's own is in it."""
        variables = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            # The runtime client writes responses as UTF-8, not as ASCII, where it finds this.
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.function.memory),
            "AWS_LAMBDA_FUNCTION_NAME": self.function.name,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.function.timeout),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "LAMBDA_TASK_ROOT": str(seen.task),
            "LANG": "en_US.UTF-8",
            "LD_LIBRARY_PATH": f"{seen.python}/lib:{seen.layers}/lib",
            "PATH": f"{seen.python}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": f"{seen.task}:{seen.layers}/python:{seen.runtime}",
            "TZ": ":UTC",
        }
        if self._objects is not None:
            variables[STORE_FOLDER_VARIABLE] = str(seen.objects)
            variables[JOBS_FOLDER_VARIABLE] = str(seen.objects / JOBS_FOLDER)
        return {**variables, **self.function.environment, **self._environment}

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise EmulatorError(f"The Lambda emulator did not start: {self.log.strip()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.01)
        raise EmulatorError(f"The Lambda emulator did not listen within {START_SECONDS:.0f} s")

    def _post(self, body: bytes) -> bytes:
        patience = self.function.timeout + START_SECONDS
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=patience)
        try:
            connection.request("POST", _INVOCATIONS, body)
            return connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            raise EmulatorError(f"The Lambda emulator stopped: {error!r}. {self.log}") from error
        finally:
            connection.close()

    def _result(self, answer: bytes) -> Any:
        text = answer.decode("utf-8", errors="replace")
        if text.startswith("Task timed out after"):
            raise FunctionTimeout(text, error_type="Sandbox.Timedout", log=self.log)
        try:
            result = json.loads(text)
        except ValueError as error:
            raise EmulatorError(f"The Lambda emulator answered {text[:200]!r}") from error
        if isinstance(result, dict) and {"errorMessage", "errorType"} <= result.keys():
            raise FunctionError(
                str(result["errorMessage"]),
                error_type=str(result["errorType"]),
                trace=tuple(result.get("stackTrace") or ()),
                log=self.log,
            )
        return result


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the emulator and the function's process; they share a process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue


def _find_free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
