"""`labeljob invoke`: a function as built by `sam build`, in the Lambda emulator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.application import function_names
from labeljob.commands.options import takes_options

SERVED_PORT = 9461
"""Where events/env-vars.json says that the services are."""


@dataclass(frozen=True, kw_only=True)
class InvokeOptions:
    """Options of `labeljob invoke`."""

    function: Annotated[
        str,
        typer.Argument(
            metavar="FUNCTION",
            help="Name of its folder under functions/, such as acs_image_multi_class.",
            autocompletion=function_names,
            show_default=False,
        ),
    ]
    event: Annotated[
        Path | None,
        typer.Argument(
            metavar="EVENT",
            exists=True,
            dir_okay=False,
            help="JSON file; the payload.json or label_categories.json beside it goes along. Left "
            "out: the function's example under events/.",
            show_default=False,
        ),
    ] = None
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Variable of the function; can be repeated."),
    ] = None
    save: Annotated[
        Path | None, typer.Option(help="Folder for the objects that the function writes.")
    ] = None
    log: Annotated[bool, typer.Option("--log", help="Show the function's log too.")] = False
    serve: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS[:PORT]",
            help="Invoke nothing: serve what the event refers to there until Ctrl-C, for `sam "
            f"local invoke`. Port {SERVED_PORT} if left out, as in events/env-vars.json.",
            show_default=False,
        ),
    ] = None


@takes_options
def invoke(options: InvokeOptions) -> None:
    """Invoke a built function in the Lambda runtime interface emulator, with an embedded S3.

    The response goes to standard output as JSON. Build first: make build (or sam build).

    Example: labeljob invoke acs_image_multi_class --env OUTPUT_STYLE=builtin
    """
    from labeljob.actions import invoke as action

    action.invoke(options)
