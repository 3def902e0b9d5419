"""A small application behind the portal's checks, and what its tests share."""

from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from labeljob.portal import sign_in
from labeljob.portal.access import Access, AccessSettings, protect
from labeljob.portal.database_thread import DatabaseThread
from labeljob.portal.team import Passwords, add_member, change_password

ADDRESS = "http://127.0.0.1:8765"
PASSWORD = "four words in a row"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def make_access(database, **settings):
    return Access(
        database=database,
        thread=DatabaseThread(),
        settings=AccessSettings(**settings),
        passwords=Passwords(CHEAP),
    )


def make_app(access, *more):
    """Routes of signing in, and one of each kind that other parts of the portal have."""

    async def show(request):
        member = request.state.member
        return PlainTextResponse(f"{member.email if member else 'nobody'} {request.state.csrf}")

    async def echo(request):
        return JSONResponse({"bytes": len(await request.body())})

    routes = [
        *sign_in.routes(access),
        Route("/", show),
        Route("/healthz", show),
        Route("/jobs/cats", show),
        Route("/owner", show),
        Route("/owner/api/status", show),
        Route("/api/jobs/cats/next", echo, methods=["POST"]),
        Route("/api/jobs/cats/answers", echo, methods=["POST"]),
        Route("/files/token", show),
        *more,
    ]
    return protect(Starlette(routes=routes), access)


def open_browser(app, base_url=ADDRESS, **more):
    """A client that keeps cookies, and follows no redirect by itself."""
    return TestClient(app, base_url=base_url, follow_redirects=False, **more)


def add_with_password(access, email="ann@example.org", role="worker", password=PASSWORD):
    member = add_member(access.database, email, role=role)
    change_password(access.database, member, access.passwords.make_hash(password))
    return member


def sign_in_as(browser, email="ann@example.org", password=PASSWORD, **more):
    return browser.post("/sign-in", data={"email": email, "password": password, **more})


def csrf_of(browser):
    """What the member's own pages say in forms; the application above shows it."""
    return browser.get("/").text.split()[1]
