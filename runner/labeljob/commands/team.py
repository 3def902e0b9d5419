"""`labeljob team`: the people who label in a portal, added, removed, listed, let in again."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob import messages
from labeljob.commands import options as shared
from labeljob.commands.options import output_option, takes_options
from labeljob.portal import team
from labeljob.portal.database import Database
from labeljob.portal.portal import DATABASE, PORTAL_FOLDER, open_database
from labeljob.portal.team import LINK_LIFETIME, Member, Passwords, TeamError
from labeljob.portal.templating import format_moment

ADDRESS = "address"
"""Key of `Database.get_meta` with the origin by which people reach the portal."""

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


@app.command("add")
@takes_options
def team_add(options: AddOptions) -> None:
    """Add people to the team, and print for each a link to sign in with.

    The link is for one use within seven days: the person chooses a password by it. Send it by a
    way that only the person reads. Who was removed comes back with the same worker ID.

    Example: labeljob team add ann@example.org bob@example.org
    """
    with closing(open_database(options.output)) as database:
        with database.transaction():  # all of them or none
            members = [
                team.add_member(database, email, role="owner" if options.owner else "worker")
                for email in options.emails
            ]
        _print_secrets(database, members, options)


@app.command("remove")
@takes_options
def team_remove(options: RemoveOptions) -> None:
    """Let people in no more; their answers stay.

    They are signed out at once, and what they were working on goes to others.

    Example: labeljob team remove ann@example.org
    """
    with closing(_open(options.output)) as database, database.transaction():
        for email in options.emails:
            team.remove_member(database, team.get_member(database, email))
    messages.done(f"{messages.format_count(len(options.emails), 'member')} removed")


@app.command("list")
@takes_options
def team_list(options: ListOptions) -> None:
    """List the team, with who was removed.

    Example: labeljob team list
    """
    with closing(_open(options.output)) as database:
        members = team.list_members(database)
    if options.as_json:
        messages.print_json(
            [{**asdict(one.member), "state": one.state, "answers": one.answers} for one in members]
        )
        return
    messages.table(
        messages.format_count(len(members), "member"),
        ("e-mail", "role", "state", "answers", "worker ID"),
        [
            (
                one.member.email,
                one.member.role,
                f"{one.state} until {format_moment(one.expires)}" if one.expires else one.state,
                str(one.answers),
                one.member.worker_id,
            )
            for one in members
        ],
    )


@app.command("reset")
@takes_options
def team_reset(options: ResetOptions) -> None:
    """Print a new link for people who lost their password or their link.

    They are signed out at once, and what they were working on goes to others.

    Example: labeljob team reset ann@example.org
    """
    with closing(_open(options.output)) as database:
        with database.transaction():
            members = [team.get_member(database, email) for email in options.emails]
            for member in members:
                team.reset_member(database, member)
        _print_secrets(database, members, options)


def _open(store: Path) -> Database:
    if not (store / PORTAL_FOLDER / DATABASE).is_file():
        raise TeamError(f"there is no portal in {store}: give its folder as --output")
    return open_database(store)


def _print_secrets(
    database: Database, members: list[Member], options: AddOptions | ResetOptions
) -> None:
    """A link or a first password for each, on standard output; who it is for stands before it."""
    address = database.get_meta(ADDRESS)
    passwords = Passwords()
    rows = []
    for member in members:
        if options.with_password:
            rows.append((member, team.make_first_password(database, member, passwords)))
        else:
            path = team.make_link(database, member)
            rows.append((member, f"{address or 'http://127.0.0.1:8765'}{path}"))
    kind = "password" if options.with_password else "link"
    if options.as_json:
        messages.print_json(
            [{"email": one.email, "worker_id": one.worker_id, kind: secret} for one, secret in rows]
        )
        return
    typer.echo("\n".join(f"{member.email}\t{secret}" for member, secret in rows))
    days = f"{LINK_LIFETIME / 86400:.0f} days"
    if options.with_password:
        messages.note(f"each is to be changed at the first sign-in, within {days}")
    else:
        messages.note(f"each link is for one use within {days}")
    if not address:
        messages.note("the portal is not running: see what address `labeljob portal` prints")
