"""The `labeljob` command line: interrupted anywhere, it ends with one line."""

from __future__ import annotations

import signal
import sys

INTERRUPTED, TERMINATED = 130, 143


def _terminate(*_: object) -> None:
    raise SystemExit(TERMINATED)


def main() -> None:
    """Run the command line."""
    code: str | int | None = None
    signal.signal(signal.SIGTERM, _terminate)  # as Ctrl-C: what is begun is put away first
    try:
        # Loading takes a moment too, in which Ctrl-C is as likely as in any other.
        from labeljob.commands import app

        app()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as end:
        code = end.code
    if code in (INTERRUPTED, TERMINATED):
        sys.stderr.write("interrupted. Run the same command again to do what is left.\n")
    sys.exit(code)
