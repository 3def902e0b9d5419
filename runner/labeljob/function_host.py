"""What runs in a function's process: loads a handler, answers one event a line.

Started as ``python -m labeljob.function_host FILE FUNCTION NAME``. Events come as JSON lines on
standard input; answers go out as JSON lines on standard output. All that the handler prints
goes to standard error, which is the function's log.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import traceback
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labeljob.application import ACCOUNT, REGION


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

    def get_remaining_time_in_millis(self) -> int:
        """A day: on this machine no time limit stops a handler."""
        return 24 * 60 * 60 * 1000


def load_handler(path: Path, function: str) -> Any:
    """The handler of a module that is no part of a package."""
    spec = importlib.util.spec_from_file_location("app", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules["app"] = module
    spec.loader.exec_module(module)
    return getattr(module, function)


def main() -> None:
    """Answer events until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    path, function, name = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    handler: Any = None
    for line in sys.stdin:
        try:
            handler = handler or load_handler(Path(path), function)
            answer = {"response": handler(json.loads(line), LocalContext(name))}
        except Exception as error:  # noqa: BLE001  whatever a handler raises is its answer
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
