"""Options of `labeljob portal` about who reaches it: addresses, a proxy, an identity provider."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands.options import file_option
from labeljob.portal import SECRET_VARIABLE

TRUSTED_PROXY = "127.0.0.1"
"""Where the proxy runs unless it is said."""


@dataclass(frozen=True, kw_only=True)
class AccessOptions:
    """How people reach the portal, and by whom they sign in."""

    host: Annotated[
        str, typer.Option(help="Address to listen on; others than 127.0.0.1 are reached by others.")
    ] = "127.0.0.1"
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 is any that is free.")
    ] = 8765
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="What browsers ask for, if a proxy stands before it."),
    ] = None
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy says who asks (X-Forwarded-For).")
    ] = False
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address or network of the proxy; may be given several times. "
            f"[default: {TRUSTED_PROXY}]",
        ),
    ] = None
    oidc_issuer: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Identity provider by which members may sign in."),
    ] = None
    oidc_client_id: Annotated[
        str | None, typer.Option(help="What the identity provider calls the portal.")
    ] = None
    oidc_secret_file: Annotated[
        Path | None,
        file_option(f"File with the client's secret. [default: the variable {SECRET_VARIABLE}]"),
    ] = None
