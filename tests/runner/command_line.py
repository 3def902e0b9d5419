"""Running one command of `labeljob` as the command line does, without the others."""

from collections.abc import Callable

import typer
from click.testing import Result
from typer.testing import CliRunner


def run(command: Callable[..., None], *arguments: object) -> Result:
    """Call a command function with command-line arguments."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines_of(text: str) -> list[str]:
    """Lines of an output, without empty ones."""
    return [line for line in text.splitlines() if line.strip()]
