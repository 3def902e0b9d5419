"""`labeljob invoke`: a function as built by `sam build`, in the Lambda emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.errors import GroundTruthError
from groundtruth.storage.s3 import split_uri
from labeljob import messages
from labeljob.application import function_names
from labeljob.emulator.invocation import Invocation, invoke_built

Function = Annotated[
    str,
    typer.Argument(
        metavar="FUNCTION",
        help="Name of its folder under functions/, such as acs_image_multi_class.",
        autocompletion=function_names,
        show_default=False,
    ),
]
Event = Annotated[
    Path | None,
    typer.Argument(
        metavar="[EVENT]",
        exists=True,
        dir_okay=False,
        help="JSON file; the payload.json or label_categories.json beside it goes along. Left "
        "out: the function's example under events/.",
        show_default=False,
    ),
]
Variables = Annotated[
    list[str] | None,
    typer.Option("--env", metavar="NAME=VALUE", help="Variable of the function; can be repeated."),
]
Save = Annotated[
    Path | None, typer.Option("--save", help="Folder for the objects that the function writes.")
]
Log = Annotated[bool, typer.Option("--log", help="Show the function's log too.")]


def invoke(
    function: Function,
    event: Event = None,
    env: Variables = None,
    save: Save = None,
    log: Log = False,
) -> None:
    """Invoke a built function in the Lambda runtime interface emulator, with an embedded S3.

    The response goes to standard output as JSON. Build first: make build (or sam build).

    Example: labeljob invoke acs_image_multi_class --env OUTPUT_STYLE=builtin
    """
    pairs = [text.partition("=") for text in env or ()]
    if bad := [name for name, equals, _ in pairs if not name or not equals]:
        raise typer.BadParameter(f"--env {bad[0]!r} is not NAME=VALUE")
    environment = {name: value for name, _, value in pairs}
    try:
        invocation = invoke_built(function, event, environment=environment)
        if save is not None:
            _save(invocation, save)
    except GroundTruthError as error:
        messages.problem(str(error))
        raise typer.Exit(1) from error
    except OSError as error:
        messages.problem(f"{error.filename} cannot be written: {error.strerror}")
        raise typer.Exit(1) from error
    if log:
        messages.done(invocation.log)
    typer.echo(json.dumps(invocation.response, indent=2, ensure_ascii=False))
    if save is None:
        for uri in invocation.written:
            messages.note(f"the function wrote {uri}; --save FOLDER keeps it")


def _save(invocation: Invocation, folder: Path) -> None:
    for uri, body in invocation.written.items():
        path = folder / split_uri(uri)[1].rpartition("/")[2]
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        messages.done(f"{uri} saved as {path}")
