"""Who is signed in, and how often signing in may fail.

A session is a row; the browser has its token, of 256 random bits, and the row that token's
SHA-256. Limits of time follow the OWASP Session Management Cheat Sheet: for an application of low
risk at most 30 minutes without a request, and for one in which people work all day at most 8 hours
altogether.
"""

from __future__ import annotations

import ipaddress
import sqlite3
from dataclasses import dataclass

from labeljob.portal.database import Database
from labeljob.portal.team import Member, digest_token, make_member, make_token

IDLE_LIMIT = 30 * 60.0
"""Seconds without a request after which a session ends."""

ABSOLUTE_LIMIT = 8 * 3600.0
"""Seconds after signing in at which a session ends."""

TOUCH_INTERVAL = 60.0
"""Seconds between two writes that a session is in use."""

ATTEMPT_WINDOW = 15 * 60.0
"""Seconds for which a failed attempt to sign in counts."""

MOST_FAILURES_BY_EMAIL = 10
"""Failed attempts for one e-mail address, from anywhere, within `ATTEMPT_WINDOW`."""

MOST_FAILURES_BY_ADDRESS = 50
"""Failed attempts from one network address, for anybody, within `ATTEMPT_WINDOW`."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A member's session in one browser."""

    id: str
    member: Member
    csrf: str  # what a form or a request of the member's own pages says
    must_change: bool  # the member has to choose a password first
    used: float  # UTC seconds of the last request that was written down


def start_session(database: Database, member: Member, *, instead_of: str | None = None) -> str:
    """Sign a member in, and end the session with the token `instead_of`.

    Returns the new session's token: one that a browser had before is never taken over. Sessions
    of which the time is over are removed.
    """
    token = make_token()
    with database.transaction() as connection:
        now = database.now()
        connection.execute(
            "DELETE FROM sessions WHERE id = ? OR created <= ?",
            (digest_token(instead_of or ""), now - ABSOLUTE_LIMIT),
        )
        connection.execute(
            "INSERT INTO sessions (id, worker_id, csrf, created, used) VALUES (?, ?, ?, ?, ?)",
            (digest_token(token), member.worker_id, make_token(), now, now),
        )
    return token


def find_session(
    database: Database, token: str, *, idle_limit: float = IDLE_LIMIT
) -> Session | None:
    """The session with a token, unless its time is over or its member was removed."""
    return _find(database, digest_token(token), idle_limit)


def is_signed_in(database: Database, session_id: str, *, idle_limit: float = IDLE_LIMIT) -> bool:
    """Whether a session has not ended since: what an answer that takes long asks again."""
    return _find(database, session_id, idle_limit) is not None


def _find(database: Database, session_id: str, idle_limit: float) -> Session | None:
    now = database.now()
    row = database.find_row(
        "SELECT s.csrf, s.used, m.must_change,"
        " m.worker_id, m.email, m.name, m.role, m.sub, m.issuer"
        " FROM sessions s JOIN members m USING (worker_id)"
        " WHERE s.id = ? AND s.used > ? AND s.created > ? AND m.removed IS NULL",
        (session_id, now - idle_limit, now - ABSOLUTE_LIMIT),
    )
    if row is None:
        return None
    csrf, used, must_change, *member = row
    return Session(
        id=session_id,
        member=make_member(member),
        csrf=csrf,
        must_change=bool(must_change),
        used=used,
    )


def touch_session(database: Database, session: Session) -> None:
    """Write down that a session is in use."""
    with database.transaction() as connection:
        connection.execute(
            "UPDATE sessions SET used = ? WHERE id = ?", (database.now(), session.id)
        )


def end_session(database: Database, token: str) -> None:
    """Sign out: the token is worth nothing from now on."""
    with database.transaction() as connection:
        connection.execute("DELETE FROM sessions WHERE id = ?", (digest_token(token),))


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt to sign in that was counted as failed until it succeeds."""

    row: int
    email_key: str


def begin_attempt(database: Database, email: str, address: str) -> Attempt | None:
    """Count an attempt to sign in, before the password is looked at.

    So attempts that are made at the same time are counted too. None if there were too many, for
    the e-mail address (whether or not it is a member's) or from the network address: then the
    password must not be looked at. Refused attempts do not count, so that the limit passes.
    """
    email_key, address_key = _email_key(email), _address_key(address)
    with database.transaction() as connection:
        now = database.now()
        connection.execute("DELETE FROM sign_ins WHERE at <= ?", (now - ATTEMPT_WINDOW,))
        if (
            _count(connection, email_key) >= MOST_FAILURES_BY_EMAIL
            or _count(connection, address_key) >= MOST_FAILURES_BY_ADDRESS
        ):
            return None
        connection.execute("INSERT INTO sign_ins (key, at) VALUES (?, ?)", (email_key, now))
        row = connection.execute(
            "INSERT INTO sign_ins (key, at) VALUES (?, ?) RETURNING rowid", (address_key, now)
        ).fetchone()[0]
    return Attempt(row=row, email_key=email_key)


def clear_attempt(database: Database, attempt: Attempt) -> None:
    """Forget an attempt that succeeded, and those for its e-mail address before it.

    Others from the same network address still count: whoever has a password of their own gets
    no further attempts at those of others by it.
    """
    with database.transaction() as connection:
        connection.execute(
            "DELETE FROM sign_ins WHERE key = ? OR rowid = ?", (attempt.email_key, attempt.row)
        )


def _count(connection: sqlite3.Connection, key: str) -> int:
    row = connection.execute("SELECT count(*) FROM sign_ins WHERE key = ?", (key,)).fetchone()
    return int(row[0])


def _email_key(email: str) -> str:
    return f"email {digest_token(email.strip().casefold())}"


def _address_key(address: str) -> str:
    """An IPv6 address counts as its network of 64 bits, which is what one customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"address {address[:64]}"
    if isinstance(parsed, ipaddress.IPv6Address):
        return f"address {ipaddress.ip_network((int(parsed), 64), strict=False)}"
    return f"address {parsed}"
