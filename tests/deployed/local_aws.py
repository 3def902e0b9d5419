"""MiniStack: the AWS on this machine that the stack is deployed to, IAM policies enforced."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.built.conftest import ROOT

PYTHON = ROOT / ".tools/ministack/bin/python"
LAUNCHER = Path(__file__).with_name("launcher.py")
REGION = "us-east-1"
ACCOUNT = "111122223333"
START_SECONDS = 30.0


@dataclass(frozen=True)
class MiniStack:
    """A running MiniStack.

    Attributes
    ----------
    endpoint : str
        Where all services are.
    log : Path
        What it and the functions have written.
    """

    endpoint: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead a program's AWS clients here, as the account's owner."""
        return {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """A client of the account's owner, or of whom the credentials belong to."""
        given = credentials or {"AccessKeyId": "testing", "SecretAccessKey": "testing"}
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
        )


@contextmanager
def ministack(variables: Mapping[str, str]) -> Iterator[MiniStack]:
    """A MiniStack of its own on a free port, stopped at the end.

    Parameters
    ----------
    variables : mapping of str to str
        Beside its own; deployed functions have them too.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        own = {
            "PATH": "/usr/bin:/bin",
            "HOME": folder,
            "TMPDIR": folder,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "LAMBDA_EXECUTOR": "local",
            "AUTH": "true",
        }
        found = MiniStack(f"http://localhost:{port}", log)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(PYTHON), str(LAUNCHER)],
                cwd=folder,
                env=found.environment | own | dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                _wait_until_it_listens(process, port, log)
                yield found
            finally:
                _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"MiniStack did not start: {log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End MiniStack and the functions' processes; they share a process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue
