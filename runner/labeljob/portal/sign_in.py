"""Pages by which a member comes in and goes out: sign in, join by a link, change the password.

They work without JavaScript. What they say does not tell whether an e-mail address is a member's.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from labeljob.portal import oidc
from labeljob.portal.access import Access, choose_local_path
from labeljob.portal.sessions import (
    ATTEMPT_WINDOW,
    begin_attempt,
    clear_attempt,
    end_session,
)
from labeljob.portal.team import (
    PASSWORD_LENGTH,
    Member,
    PasswordError,
    change_password,
    check_new_password,
    find_invited,
    join_team,
)
from labeljob.portal.templating import render_page

_WRONG = "The e-mail address or the password is wrong."
_TOO_MANY = f"Too many attempts. Try again in {ATTEMPT_WINDOW / 60:.0f} minutes."


def routes(access: Access) -> list[BaseRoute]:
    """The routes of signing in.

    Raises `labeljob.portal.oidc.OidcError` if there is an identity provider, and not the package
    that speaks with it.
    """
    pages = SignIn(access)
    return [
        Route("/sign-in", pages.show_sign_in, methods=["GET"]),
        Route("/sign-in", pages.sign_in, methods=["POST"]),
        Route("/sign-out", pages.sign_out, methods=["POST"]),
        Route("/join/{token}", pages.show_join, methods=["GET"]),
        Route("/join/{token}", pages.join, methods=["POST"]),
        Route("/password", pages.show_password, methods=["GET"]),
        Route("/password", pages.change, methods=["POST"]),
        *(oidc.routes(access, access.oidc) if access.oidc else []),
    ]


class SignIn:
    """The pages of signing in, for one portal."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def show_sign_in(self, request: Request) -> Response:
        """The form; who is signed in goes on at once."""
        path = choose_local_path(request.query_params.get("next"))
        if request.state.member:
            return RedirectResponse(path, 303)
        return self._render_sign_in(request, path=path)

    async def sign_in(self, request: Request) -> Response:
        """Check e-mail address and password."""
        form = await _read_form(request)
        email, path = form.get("email", ""), choose_local_path(form.get("next"))
        member = await self._check(request, email, form.get("password", ""))
        if isinstance(member, str):
            status = 429 if member == _TOO_MANY else 403
            return self._render_sign_in(
                request, path=path, email=email, error=member, status=status
            )
        return await self._access.admit(request, member, path)

    async def _check(self, request: Request, email: str, password: str) -> Member | str:
        """The member, or why nobody is let in."""
        address = request.client.host if request.client else ""
        run, database = self._access.thread.run, self._access.database
        attempt = await run(begin_attempt, database, email, address)
        if attempt is None:
            return _TOO_MANY
        member = await self._access.check_password(email, password)
        if member is None:
            return _WRONG
        await run(clear_attempt, database, attempt)
        return member

    def _render_sign_in(
        self, request: Request, *, path: str, email: str = "", error: str = "", status: int = 200
    ) -> Response:
        return render_page(
            request,
            "sign_in.html.jinja",
            status=status,
            next=path,
            next_in_url=quote(path, safe=""),
            email=email,
            error=error,
            provider=self._access.oidc.name if self._access.oidc else None,
        )

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        response = RedirectResponse("/sign-in", 303)
        if token := self._access.read_cookie(request):
            await self._access.thread.run(end_session, self._access.database, token)
        self._access.delete_cookie(response, request)
        return response

    async def show_join(self, request: Request) -> Response:
        """Sign in by a link of this run, or show what a one-time link is for.

        To look at a one-time link does not use it up: mail programs look at links too.
        """
        token = request.path_params["token"]
        if member := self._access.find_local_link(token):
            if request.method == "HEAD":
                return Response()
            path = "/owner" if member.role == "owner" else "/"
            return await self._access.admit(request, member, path)
        member = await self._access.thread.run(find_invited, self._access.database, token)
        return self._render_join(request, member)

    async def join(self, request: Request) -> Response:
        """Choose a password by a one-time link, which is used up, and sign in."""
        token, form = request.path_params["token"], await _read_form(request)
        run, database = self._access.thread.run, self._access.database
        member = await run(find_invited, database, token)
        if member is None:
            return self._render_join(request, None)
        try:
            password = _read_new_password(form, member.email)
        except PasswordError as error:
            return self._render_join(request, member, error=str(error))
        member = await run(join_team, database, token, await self._access.make_hash(password))
        if member is None:
            return self._render_join(request, None)
        return await self._access.admit(request, member, "/")

    def _render_join(
        self, request: Request, invited: Member | None, *, error: str = ""
    ) -> Response:
        return render_page(
            request,
            "join.html.jinja",
            status=404 if invited is None else 400 if error else 200,
            invited=invited,
            error=error,
            least=PASSWORD_LENGTH,
        )

    async def show_password(self, request: Request) -> Response:
        """The form by which a member chooses another password."""
        return self._render_password(request)

    async def change(self, request: Request) -> Response:
        """Choose another password; all other sessions of the member end."""
        form, member = await _read_form(request), request.state.member
        current = form.get("current", "")
        checked = await self._check(request, member.email, current)
        if isinstance(checked, str):
            error = _TOO_MANY if checked == _TOO_MANY else "The current password is wrong."
            return self._render_password(request, error=error, status=403)
        try:
            password = _read_new_password(form, member.email)
            if password == current:
                raise PasswordError("The new password must be another one.")
        except PasswordError as error:
            return self._render_password(request, error=str(error), status=400)
        hashed = await self._access.make_hash(password)
        await self._access.thread.run(change_password, self._access.database, member, hashed)
        return await self._access.admit(request, member, "/")

    def _render_password(self, request: Request, *, error: str = "", status: int = 200) -> Response:
        return render_page(
            request,
            "password.html.jinja",
            status=status,
            error=error,
            least=PASSWORD_LENGTH,
            must_change=request.state.session.must_change,
        )


async def _read_form(request: Request) -> Mapping[str, str]:
    async with request.form(max_files=0) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _read_new_password(form: Mapping[str, str], email: str) -> str:
    password = form.get("password", "")
    check_new_password(password, email)
    if password != form.get("again"):
        raise PasswordError("The two new passwords are not the same.")
    return password
