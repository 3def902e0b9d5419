"""`labeljob team`: the people who label in a portal, added, removed, listed, let in again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.defaults import ConfiguredCommand
from labeljob.commands.options import output_option, takes_options

app = typer.Typer(
    help="The people who label in a portal: add them, remove them, let them in again.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


Emails = Annotated[
    list[str], typer.Argument(metavar="EMAIL...", help="E-mail addresses.", show_default=False)
]


Store = Annotated[Path, output_option("The portal's folder.", "FOLDER", file_okay=False)]


WithPassword = Annotated[
    bool,
    typer.Option("--password", help="A first password, which must be changed, in place of a link."),
]


STORE = Path("labeljob-store")


@dataclass(frozen=True, kw_only=True)
class AddOptions:
    """Options of `labeljob team add`."""

    emails: Emails
    owner: Annotated[
        bool, typer.Option("--owner", help="Who may see the owner's pages, and manage jobs.")
    ] = False
    with_password: WithPassword = False
    output: Store = STORE
    as_json: shared.AsJson = False


@dataclass(frozen=True, kw_only=True)
class ResetOptions:
    """Options of `labeljob team reset`."""

    emails: Emails
    with_password: WithPassword = False
    output: Store = STORE
    as_json: shared.AsJson = False


@dataclass(frozen=True, kw_only=True)
class RemoveOptions:
    """Options of `labeljob team remove`."""

    emails: Emails
    output: Store = STORE


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """Options of `labeljob team list`."""

    output: Store = STORE
    as_json: shared.AsJson = False
    as_csv: shared.AsCsv = False


@app.command("add", cls=ConfiguredCommand)
@takes_options
def team_add(options: AddOptions) -> None:
    """Add people to the team, and print for each a link to sign in with.

    The link is for one use within seven days: the person chooses a password by it. Send it by a
    way that only the person reads. Who was removed comes back with the same worker ID.

    Example: labeljob team add ann@example.org bob@example.org
    """
    from labeljob.actions import team as action

    action.team_add(options)


@app.command("remove", cls=ConfiguredCommand)
@takes_options
def team_remove(options: RemoveOptions) -> None:
    """Let people in no more; their answers stay.

    They are signed out at once, and what they were working on goes to others.

    Example: labeljob team remove ann@example.org
    """
    from labeljob.actions import team as action

    action.team_remove(options)


@app.command("list", cls=ConfiguredCommand)
@takes_options
def team_list(options: ListOptions) -> None:
    """List the team, with who was removed.

    Example: labeljob team list
    """
    from labeljob.actions import team as action

    action.team_list(options)


@app.command("reset", cls=ConfiguredCommand)
@takes_options
def team_reset(options: ResetOptions) -> None:
    """Print a new link for people who lost their password or their link.

    They are signed out at once, and what they were working on goes to others.

    Example: labeljob team reset ann@example.org
    """
    from labeljob.actions import team as action

    action.team_reset(options)
