"""The private team: its members, how they are invited, and what proves who they are.

A member is a row that stays: answers name its worker ID. Of secrets, only digests are kept: a
password's Argon2id hash, a link's SHA-256 (its token is 256 random bits, which nobody can guess).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from groundtruth.errors import GroundTruthError
from labeljob.portal import assignments
from labeljob.portal.database import Database

Role: TypeAlias = Literal["worker", "owner"]

LINK_LIFETIME = 7 * 24 * 3600.0
"""Seconds for which a one-time link or a first password can be used."""

PASSWORD_LENGTH = 12
"""Fewest characters of a password: the only rule, but that it is not the e-mail address."""

WORKER_ID_PREFIX = "private.us-west-2."

_EMAIL = re.compile(r"[^\s@<>\"'\\,;:]+@[^\s@<>\"'\\,;:]+")
_MOST_EMAIL_CHARACTERS = 254  # RFC 3696, erratum 1690
_COLUMNS = "worker_id, email, name, role, sub, issuer"


class TeamError(GroundTruthError):
    """A member cannot be added, found or changed; the text says why."""


class PasswordError(TeamError):
    """A new password is not good enough; the text says what it must be."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody of the team: what answers and pages need of it."""

    worker_id: str
    email: str
    name: str
    role: Role
    sub: str  # a UUID, or what the identity provider calls the person
    issuer: str | None = None  # the identity provider by which the person signed in, if any


@dataclass(frozen=True, kw_only=True)
class MemberState:
    """A member in the list of the team."""

    member: Member
    state: Literal["invited", "first password", "active", "removed"]
    expires: float | None  # when the link or the first password does, in UTC seconds
    answers: int


class Passwords:
    """Hashing and checking of passwords by Argon2id, with the parameters of RFC 9106.

    A check takes as long for a member without a password, or for nobody, as for a wrong one.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._of_nobody = self._hasher.hash(secrets.token_hex())

    def make_hash(self, password: str) -> str:
        """What is kept of a password."""
        return self._hasher.hash(_normalize(password))

    def matches(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one of which `kept` was made; never if nothing is kept."""
        try:
            self._hasher.verify(kept or self._of_nobody, _normalize(password))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than one made now."""
        return self._hasher.check_needs_rehash(kept)


def make_token() -> str:
    """A secret of 256 random bits, fit for a URL."""
    return secrets.token_urlsafe(32)


def digest_token(token: str) -> str:
    """What is kept of a token: it has too many random bits to need a slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def add_member(database: Database, email: str, *, role: Role = "worker", name: str = "") -> Member:
    """Add a member, or take back one who was removed, with the same worker ID.

    Raises `TeamError` if the address is none, or belongs to a member.
    """
    email = email.strip()
    if not _EMAIL.fullmatch(email) or len(email) > _MOST_EMAIL_CHARACTERS:
        raise TeamError(f"{email!r} is not an e-mail address")
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT worker_id, removed FROM members WHERE email = ?", (email,)
        ).fetchone()
        if row and row[1] is None:
            raise TeamError(
                f"{email} is in the team already; `labeljob team reset {email}` makes a new link"
            )
        if row:
            connection.execute(
                "UPDATE members SET removed = NULL, role = ?, name = ? WHERE worker_id = ?",
                (role, name, row[0]),
            )
        else:
            connection.execute(
                "INSERT INTO members (worker_id, email, name, sub, role, must_change, created)"
                " VALUES (?, ?, ?, ?, ?, 0, ?)",
                (_make_worker_id(), email, name, str(uuid.uuid4()), role, database.now()),
            )
    return get_member(database, email)


def find_member(database: Database, email: str) -> Member | None:
    """The member with an e-mail address, whatever its case; none who was removed."""
    with database.read() as connection:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM members WHERE email = ? AND removed IS NULL", (email.strip(),)
        ).fetchone()
    return make_member(row) if row else None


def get_member(database: Database, email: str) -> Member:
    """The member with an e-mail address.

    Raises `TeamError` if there is none.
    """
    member = find_member(database, email)
    if member is None:
        raise TeamError(f"{email.strip()!r} is not in the team; `labeljob team list` shows who is")
    return member


def make_member(row: Iterable[str]) -> Member:
    """The member of a row of worker_id, email, name, role, sub and issuer."""
    worker_id, email, name, role, sub, issuer = row
    return Member(
        worker_id=worker_id,
        email=email,
        name=name,
        role="owner" if role == "owner" else "worker",
        sub=sub,
        issuer=issuer,
    )


def list_members(database: Database) -> list[MemberState]:
    """All members, by e-mail address, with those who were removed."""
    with database.read() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS}, removed, password IS NOT NULL, must_change, link_expires,"
            " (SELECT count(*) FROM assignments a"
            "   WHERE a.worker_id = m.worker_id AND a.submitted IS NOT NULL),"
            " link IS NOT NULL"
            " FROM members m ORDER BY email"
        ).fetchall()
    members = []
    for *columns, removed, has_password, must_change, expires, answers, has_link in rows:
        state: Literal["invited", "first password", "active", "removed"] = "active"
        if removed is not None:
            state = "removed"
        elif has_link:
            state = "invited"
        elif has_password and must_change:
            state = "first password"
        members.append(
            MemberState(
                member=make_member(columns),
                state=state,
                expires=expires if state in ("invited", "first password") else None,
                answers=answers,
            )
        )
    return members


def make_link(database: Database, member: Member) -> str:
    """The path of a new one-time link by which a member chooses a password and signs in.

    An earlier link ends, and so do the password and all sessions.
    """
    token = make_token()
    _replace_secret(database, member, password=None, link=digest_token(token))
    return join_path(token)


def join_path(token: str) -> str:
    """The path of the link with a token."""
    return f"/join/{token}"


def make_first_password(database: Database, member: Member, passwords: Passwords) -> str:
    """A new random password, which the member must change when signing in with it.

    An earlier link ends, and so do the password before and all sessions.
    """
    password = secrets.token_urlsafe(12)
    _replace_secret(database, member, password=passwords.make_hash(password), link=None)
    return password


def _replace_secret(
    database: Database, member: Member, *, password: str | None, link: str | None
) -> None:
    with database.transaction() as connection:
        connection.execute(
            "UPDATE members SET password = ?, must_change = ?, link = ?, link_expires = ?"
            " WHERE worker_id = ?",
            (
                password,
                password is not None,
                link,
                database.now() + LINK_LIFETIME,
                member.worker_id,
            ),
        )
        connection.execute("DELETE FROM sessions WHERE worker_id = ?", (member.worker_id,))


def reset_member(database: Database, member: Member) -> None:
    """Take a member's password, link and identity at a provider, and end what is going on.

    All sessions end at once, and what the member was working on goes to others.
    """
    sub = member.sub if member.issuer is None else str(uuid.uuid4())
    with database.transaction() as connection:
        connection.execute(
            "UPDATE members SET password = NULL, must_change = 0, link = NULL,"
            " link_expires = NULL, issuer = NULL, sub = ? WHERE worker_id = ?",
            (sub, member.worker_id),
        )
        connection.execute("DELETE FROM sessions WHERE worker_id = ?", (member.worker_id,))
        for (job,) in connection.execute("SELECT name FROM jobs").fetchall():
            assignments.release(database, job, member.worker_id)


def remove_member(database: Database, member: Member) -> None:
    """Let a member in no more; the answers stay.

    All sessions end at once, and what the member was working on goes to others.
    """
    with database.transaction() as connection:
        connection.execute(
            "UPDATE members SET removed = ? WHERE worker_id = ?",
            (database.now(), member.worker_id),
        )
        reset_member(database, member)


def find_invited(database: Database, token: str) -> Member | None:
    """The member to whom a one-time link belongs that was not used and has not expired."""
    with database.read() as connection:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM members"
            " WHERE link = ? AND link_expires > ? AND removed IS NULL",
            (digest_token(token), database.now()),
        ).fetchone()
    return make_member(row) if row else None


def check_new_password(password: str, email: str) -> None:
    """Raise `PasswordError` if a password is too short, or is the member's e-mail address."""
    if len(password) < PASSWORD_LENGTH:
        raise PasswordError(f"The password needs at least {PASSWORD_LENGTH} characters.")
    if _normalize(password).casefold() == _normalize(email).casefold():
        raise PasswordError("The password must not be the e-mail address.")


def join_team(database: Database, token: str, hashed_password: str) -> Member | None:
    """Use a one-time link up: the member has the password from now on.

    None if the link was used or has expired, however short a time ago.
    """
    with database.transaction() as connection:
        row = connection.execute(
            "UPDATE members SET password = ?, must_change = 0, link = NULL, link_expires = NULL"
            " WHERE link = ? AND link_expires > ? AND removed IS NULL"
            f" RETURNING {_COLUMNS}",
            (hashed_password, digest_token(token), database.now()),
        ).fetchone()
    return make_member(row) if row else None


def change_password(database: Database, member: Member, hashed_password: str) -> None:
    """Give a member another password; all sessions end."""
    with database.transaction() as connection:
        connection.execute(
            "UPDATE members SET password = ?, must_change = 0, link = NULL, link_expires = NULL"
            " WHERE worker_id = ? AND removed IS NULL",
            (hashed_password, member.worker_id),
        )
        connection.execute("DELETE FROM sessions WHERE worker_id = ?", (member.worker_id,))


def find_password(database: Database, email: str) -> tuple[Member, str | None] | None:
    """The member with an e-mail address, and what is kept of the password, if there is one.

    A first password that has expired is none.
    """
    with database.read() as connection:
        row = connection.execute(
            f"SELECT {_COLUMNS},"
            " CASE WHEN must_change = 0 OR link_expires > ? THEN password END"
            " FROM members WHERE email = ? AND removed IS NULL",
            (database.now(), email.strip()),
        ).fetchone()
    return (make_member(row[:-1]), row[-1]) if row else None


def renew_hash(database: Database, member: Member, *, kept: str, renewed: str) -> None:
    """Keep another hash of the same password, unless the password was changed since."""
    with database.transaction() as connection:
        connection.execute(
            "UPDATE members SET password = ? WHERE worker_id = ? AND password = ?",
            (renewed, member.worker_id, kept),
        )


def bind_identity(database: Database, email: str, *, issuer: str, sub: str) -> Member | None:
    """The member whom an identity provider vouches for, by a verified e-mail address.

    The first time, the provider and its name of the person are kept; after that nobody else
    whom it gives the address gets in. None if there is no such member.
    """
    with database.transaction() as connection:
        row = connection.execute(
            "UPDATE members SET issuer = ?, sub = ? WHERE email = ? AND removed IS NULL"
            " AND (issuer IS NULL OR (issuer = ? AND sub = ?))"
            f" RETURNING {_COLUMNS}",
            (issuer, sub, email.strip(), issuer, sub),
        ).fetchone()
    return make_member(row) if row else None


def _make_worker_id() -> str:
    letters = string.ascii_lowercase + string.digits
    return WORKER_ID_PREFIX + "".join(secrets.choice(letters) for _ in range(16))


def _normalize(text: str) -> str:
    """One form of letters that keyboards write in several ways, as NIST SP 800-63B advises."""
    return unicodedata.normalize("NFKC", text)
