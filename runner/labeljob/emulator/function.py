"""One built function in the Lambda runtime interface emulator, which listens on 127.0.0.1.

Lambda shows a function its code at ``/var/task``, its layers at ``/opt``, the runtime's packages
at ``/var/runtime`` and Python at ``/var/lang``, none of which can be written; ``/tmp`` can.
bubblewrap gives a process that view, or else ``unshare`` with bind mounts; neither needs root
where the kernel lets users make namespaces. Where it does not, the process sees this machine's
own paths.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from filelock import FileLock

from groundtruth.errors import GroundTruthError
from groundtruth.jobs import JOBS_FOLDER_VARIABLE
from groundtruth.storage.s3 import STORE_FOLDER_VARIABLE
from labeljob.emulator.built_application import BuiltApplication
from labeljob.jobs.job_location import JOBS_FOLDER

_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}


class EmulatorError(GroundTruthError):
    """The emulator cannot be started, or it stopped by itself."""


def find_python() -> Path:
    """Where the Python that this process runs on is installed; raises `EmulatorError`."""
    prefix = Path(sys.base_prefix)
    if not (prefix / "bin" / "python3.13").exists():
        raise EmulatorError("The functions run on Python 3.13: start labeljob with that Python")
    return prefix


def find_runtime_packages(tools: Path) -> Path:
    """The packages that Lambda's own runtime holds; raises `EmulatorError`."""
    folder = tools / "runtime"
    if not (folder / "awslambdaric").is_dir():
        raise EmulatorError(f"Lambda's runtime packages are not in {folder}: run `make build`")
    return folder


def find_emulator(tools: Path) -> Path:
    """The emulator in the SAM CLI's package: the checkout's own, or else the one on PATH.

    Raises `EmulatorError`.
    """
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        raise EmulatorError("The Lambda emulator runs on Linux, on x86_64 or arm64")
    command = shutil.which("sam")
    homes = [tools / "sam", *([Path(command).resolve().parents[1]] if command else [])]
    inside = f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"
    for home in homes:
        for emulator in home.glob(inside):
            return emulator
    raise EmulatorError(
        "The SAM CLI, which brings the Lambda emulator, is missing: run `make build`"
    )


def merge_layers(layers: Sequence[Path]) -> Path:
    """One folder with the files of all layers; where two hold the same file, the later one wins.

    The files are hard links, so the folder costs little. It lies beside the build folder and is
    made again when a layer was built again.
    """
    build = layers[0].parent
    states = [(layer.name, layer.stat().st_ino, layer.stat().st_mtime_ns) for layer in layers]
    state = hashlib.sha256(repr(states).encode()).hexdigest()[:16]
    folder = build.parent / "merged-layers" / "-".join([*(layer.name for layer in layers), state])
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            scratch = Path(tempfile.mkdtemp(dir=folder.parent))
            for layer in layers:
                shutil.copytree(layer, scratch, copy_function=_link, dirs_exist_ok=True)
            scratch.rename(folder)
    return folder


def _link(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


_UNSHARED = """
set -e
cd /
root=$1
shift
mount --make-rprivate /
mount --rbind / "$root"
mount -t tmpfs tmpfs "$root/var"
while [ "$1" != -- ]; do
    mkdir -p "$root$3"
    mount --bind "$2" "$root$3"
    [ "$1" = rw ] || mount -o remount,bind,ro "$root$3"
    shift 3
done
shift
mount -t tmpfs tmpfs "$root/tmp"
exec chroot "$root" /bin/sh -c 'cd /var/task && exec "$@"' sh "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Folders:
    """What a function sees, as folders of this machine or as paths in its own view."""

    # task, layers, runtime, python: its code, its layers, the runtime's packages and Python
    task: Path
    layers: Path
    runtime: Path
    python: Path
    emulator: Path  # folder of the runtime interface emulator
    objects: Path  # what it may read and write instead of S3. Lambda has no such folder.


IN_LAMBDA = Folders(
    task=Path("/var/task"),
    layers=Path("/opt"),
    runtime=Path("/var/runtime"),
    python=Path("/var/lang"),
    emulator=Path("/var/emulator"),
    objects=Path("/var/objects"),
)


def isolate(folders: Folders, root: Path) -> tuple[tuple[str, ...], Folders]:
    """Find the most faithful view of the folders that this machine allows.

    Returns what to put before a command so that it runs in the view, which is empty if there is
    none, and the paths of the folders in it. `root` is an empty folder that outlives the process.
    """
    for wrap in (_bubblewrap, _unshare):
        if _works(wrap):
            return wrap(folders, root), IN_LAMBDA
    return (), folders


def _bubblewrap(folders: Folders, root: Path) -> tuple[str, ...]:
    view = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    view += ["--tmpfs", "/tmp", "--tmpfs", "/var"]
    for mode, folder, seen in _mounts(folders):
        view += ["--bind" if mode == "rw" else "--ro-bind", folder, seen]
    rest = ["--unshare-pid", "--die-with-parent", "--chdir", str(IN_LAMBDA.task)]
    return (_program("bwrap"), *view, *rest)


def _unshare(folders: Folders, root: Path) -> tuple[str, ...]:
    mapped = () if os.geteuid() == 0 else ("--map-root-user",)
    mounts = [part for mount in _mounts(folders) for part in mount]
    script = ("sh", "-c", _UNSHARED, "sh", str(root), *mounts, "--")
    return (_program("unshare"), "--mount", *mapped, *script)


def _mounts(folders: Folders) -> Iterator[tuple[str, str, str]]:
    """Each folder's mode, its path on this machine, and its path in the view."""
    for name, seen in vars(IN_LAMBDA).items():
        yield "rw" if name == "objects" else "ro", str(getattr(folders, name)), str(seen)


def _program(name: str) -> str:
    """A program's full path: the process that starts it is given a PATH of its own."""
    return shutil.which(name) or name


@cache
def _works(wrap: Callable[[Folders, Path], tuple[str, ...]]) -> bool:
    """Whether a view can be had here: Python is started once in it."""
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        folders = Folders(
            task=empty,
            layers=empty,
            runtime=empty,
            python=Path(sys.base_prefix),
            emulator=empty,
            objects=empty,
        )
        command = (*wrap(folders, empty), f"{IN_LAMBDA.python}/bin/python3.13", "-c", "import ssl")
        if not Path(command[0]).is_file():
            return False
        tried = subprocess.run(
            command,
            env={"LD_LIBRARY_PATH": "/var/lang/lib", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return tried.returncode == 0


START_SECONDS = 20.0
_INVOCATIONS = "/2015-03-31/functions/function/invocations"


class FunctionError(GroundTruthError):
    """The function raised, could not be imported, or ended its process.

    `error_type` is as Lambda reports it (``"ContractError"``, ``"Runtime.ImportModuleError"``),
    `trace` the function's stack, innermost call last.
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

    One invocation runs at a time; a second one waits. Memory is not limited. `environment` goes
    over the template's. `objects` is a folder laid out like S3, with descriptions of labeling jobs,
    as `labeljob` makes it: the function reads and writes it and calls neither S3 nor SageMaker.
    `isolated` tells whether the function sees Lambda's paths, or only this machine's own.

    Raises `BuildError` if there is no build or it has no such function, `EmulatorError` if the
    emulator cannot be started here.
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

        Raises `FunctionTimeout` or `FunctionError`, or `EmulatorError` if the emulator stopped.
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
