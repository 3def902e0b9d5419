"""`labeljob invoke`: a function as built by `sam build`, in the Lambda emulator."""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import typer

from groundtruth.storage.s3 import split_uri
from labeljob import messages
from labeljob.application import application_folder, function_definition
from labeljob.commands.invoke import SERVED_PORT, InvokeOptions
from labeljob.emulator.invocation import invoke_built, serve_event
from labeljob.output_files import OutputError


def invoke(options: InvokeOptions) -> None:
    """Do what `labeljob invoke` does."""
    if options.serve is not None:
        _serve(options, options.serve)
        return
    pairs = [text.partition("=") for text in options.env or ()]
    if bad := [name for name, equals, _ in pairs if not name or not equals]:
        raise typer.BadParameter(f"--env {bad[0]!r} is not NAME=VALUE")
    environment = {name: value for name, _, value in pairs}
    invocation = invoke_built(options.function, options.event, environment=environment)
    if options.log:
        messages.done(invocation.log)
    messages.print_json(invocation.response)
    _save(invocation.written, options.save)


def _serve(options: InvokeOptions, place: str) -> None:
    """Serve what the event refers to until Ctrl-C."""
    if options.env or options.log:
        raise typer.BadParameter("--serve invokes nothing: leave out --env and --log")
    host, _, port = place.partition(":")
    if not host or not (port or str(SERVED_PORT)).isdecimal():
        raise typer.BadParameter(f"--serve {place!r} is not ADDRESS or ADDRESS:PORT")
    definition = function_definition(options.function)
    application = application_folder()
    event = options.event or application / "events" / options.function / "event.json"
    address = (host, int(port or SERVED_PORT))
    with serve_event(options.function, event, application=application, address=address) as served:
        aws, written = served
        messages.done(
            f"Serving what {event} refers to at {aws.endpoint} until Ctrl-C. In another terminal:"
        )
        files = [os.path.relpath(path) for path in (event, application / "events/env-vars.json")]
        messages.done(
            f"sam local invoke {definition.logical_id} --event {shlex.quote(files[0])} "
            f"--env-vars {shlex.quote(files[1])} --add-host host.docker.internal:host-gateway"
        )
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
        _save(written(), options.save)


def _save(written: Mapping[str, bytes], folder: Path | None) -> None:
    """Save what a function wrote, or say that it can be saved."""
    for uri, body in written.items():
        if folder is None:
            messages.note(f"the function wrote {uri}; --save FOLDER keeps it")
            continue
        path = folder / split_uri(uri)[1].rpartition("/")[2]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        except OSError as error:
            raise OutputError(f"{error.filename} cannot be written: {error.strerror}") from error
        messages.done(f"{uri} saved as {path}")
