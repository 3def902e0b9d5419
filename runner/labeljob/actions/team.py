"""`labeljob team`: the people who label in a portal, added, removed, listed, let in again."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import typer

from labeljob import messages
from labeljob.commands.team import (
    AddOptions,
    ListOptions,
    RemoveOptions,
    ResetOptions,
)
from labeljob.portal import team
from labeljob.portal.database import DATABASE, PORTAL_FOLDER, Database
from labeljob.portal.portal import open_database
from labeljob.portal.team import LINK_LIFETIME, Member, Passwords, TeamError
from labeljob.portal.templating import format_moment

ADDRESS = "address"
"""Key of `Database.get_meta` with the origin by which people reach the portal."""


def team_add(options: AddOptions) -> None:
    """Do what `labeljob team add` does."""
    with closing(open_database(options.output)) as database:
        with database.transaction():  # all of them or none
            members = [
                team.add_member(database, email, role="owner" if options.owner else "worker")
                for email in options.emails
            ]
        _print_secrets(database, members, options)


def team_remove(options: RemoveOptions) -> None:
    """Do what `labeljob team remove` does."""
    with closing(_open(options.output)) as database, database.transaction():
        for email in options.emails:
            team.remove_member(database, team.get_member(database, email))
    messages.done(f"{messages.format_count(len(options.emails), 'member')} removed")


def team_list(options: ListOptions) -> None:
    """Do what `labeljob team list` does."""
    with closing(_open(options.output)) as database:
        members = team.list_members(database)
    rows = [{**asdict(one.member), "state": one.state, "answers": one.answers} for one in members]
    if options.as_json:
        messages.print_json(rows)
        return
    if options.as_csv:
        messages.print_csv(rows)
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


def team_reset(options: ResetOptions) -> None:
    """Do what `labeljob team reset` does."""
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
