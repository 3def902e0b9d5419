"""`labeljob invoke`: a function as built by `sam build`, in the Lambda emulator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.storage.s3 import split_uri
from labeljob import messages
from labeljob.application import function_names
from labeljob.commands.options import takes_options
from labeljob.emulator.invocation import Invocation, invoke_built
from labeljob.output_files import OutputError


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
            metavar="[EVENT]",
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


@takes_options
def invoke(options: InvokeOptions) -> None:
    """Invoke a built function in the Lambda runtime interface emulator, with an embedded S3.

    The response goes to standard output as JSON. Build first: make build (or sam build).

    Example: labeljob invoke acs_image_multi_class --env OUTPUT_STYLE=builtin
    """
    pairs = [text.partition("=") for text in options.env or ()]
    if bad := [name for name, equals, _ in pairs if not name or not equals]:
        raise typer.BadParameter(f"--env {bad[0]!r} is not NAME=VALUE")
    environment = {name: value for name, _, value in pairs}
    invocation = invoke_built(options.function, options.event, environment=environment)
    if options.save is not None:
        _save(invocation, options.save)
    if options.log:
        messages.done(invocation.log)
    messages.print_json(invocation.response)
    if options.save is None:
        for uri in invocation.written:
            messages.note(f"the function wrote {uri}; --save FOLDER keeps it")


def _save(invocation: Invocation, folder: Path) -> None:
    for uri, body in invocation.written.items():
        path = folder / split_uri(uri)[1].rpartition("/")[2]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        except OSError as error:
            raise OutputError(f"{error.filename} cannot be written: {error.strerror}") from error
        messages.done(f"{uri} saved as {path}")
