"""The `labeljob` command line: interrupted anywhere, it ends with one line."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    code: str | int | None = None
    try:
        # Loading takes a moment too, in which Ctrl-C is as likely as in any other.
        from labeljob.commands import app

        app()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as end:
        code = end.code
    if code == INTERRUPTED:
        sys.stderr.write("interrupted. Run the same command again to do what is left.\n")
    sys.exit(code)
