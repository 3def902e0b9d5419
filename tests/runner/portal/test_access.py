"""What the portal refuses: requests of strangers, of other sites, and of members without a right.

They are made to the whole portal, over all of its routes.
"""

import re
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from starlette.responses import StreamingResponse
from starlette.routing import Mount, Route

from labeljob.portal import access as access_module
from labeljob.portal.access import AccessError, AccessSettings
from labeljob.portal.server import create_app, listen, make_server
from labeljob.portal.team import add_member, get_member, remove_member
from tests.runner.portal import people
from tests.runner.portal.portal_client import open_portal
from tests.runner.portal.team_app import (
    ADDRESS,
    add_with_password,
    make_access,
    make_app,
    open_browser,
    sign_in_as,
)

pytestmark = pytest.mark.slow

PUBLIC = re.compile(r"/(sign-in|healthz|join/x|static.*|frames/x|files/x.*|oidc/.*)")
OWN_POLICY = re.compile(r"/(frames/x|owner/jobs/zoo/(report|preview/frame))")
NAMES = {"{job}": "zoo", "{object_id}": "0"}

ELSEWHERE = (
    "/static/../../database.py",
    "/static/..%2f..%2fdatabase.py",
    "/static/%2e%2e/%2e%2e/database.py",
    "/static/..\\..\\database.py",
    "/static//etc/passwd",
    "/static/%2fetc/passwd",
    "/static/portal.css%00",
    "/static/",
    "/files/..%2f..%2f..%2fetc%2fpasswd",
    "/files//etc/passwd",
    "/files/file:%2f%2f%2fetc%2fpasswd",
    "/frames/..%2f..%2fowner",
    "/frames/zoo",
)


@pytest.fixture
def portal(tmp_path, portal_style):
    for name in ("elements.js", "worker.js", "owner.js", "owner.css"):
        (portal_style / name).write_text("")
    with open_portal(tmp_path / "photos", n_images=2) as opened:
        yield opened


@pytest.fixture
def access(portal):
    made = make_access(portal.database)
    yield made
    made.thread.close()


@pytest.fixture
def app(portal, access):
    return create_app(portal, access)


def browse(app, access, role=None, **more):
    """A client of a member with a role, or of nobody, and the member's CSRF token."""
    client = open_browser(app, **more)
    if role is None:
        return client, ""
    email = f"{role}@example.org"
    member = add_member(access.database, email, role=role)
    assert client.get(access.make_local_link(member)).status_code == 303
    return client, client.get("/api/session").json()["csrf"]


def walk(routes, prefix=""):
    """Method and path of every route, of the job and data object that there are."""
    for route in routes:
        path = prefix + re.sub(r"\{[^}]*\}", lambda part: NAMES.get(part[0], "x"), route.path)
        if isinstance(route, Mount):
            yield from walk(route.routes, path) if route.routes else [("GET", f"{path}/x")]
            continue
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            yield method, path


@pytest.fixture
def routes(app):
    found = sorted(set(walk(app.app.routes)))
    assert len(found) > 20
    return found


def hit(client, method, path, **more):
    """The answer to a request; of a stream that does not end, its beginning."""
    with client.stream(method, path, **more) as answer:
        if "event-stream" not in answer.headers.get("content-type", ""):
            answer.read()
        return answer


class TestEveryRoute:
    def test_has_the_headers(self, app, access, routes):
        clients = [browse(app, access, role) for role in (None, "worker", "owner")]
        for method, path in [*routes, ("GET", "/nowhere"), ("DELETE", "/"), ("GET", "//")]:
            for client, csrf in clients:
                if "event" in path:
                    continue
                headers = hit(client, method, path, headers={"X-CSRF-Token": csrf}).headers
                what = f"{method} {path}: {headers}"
                assert headers["x-content-type-options"] == "nosniff", what
                assert headers["referrer-policy"] == "same-origin", what
                assert headers["cross-origin-opener-policy"] == "same-origin", what
                assert "camera=()" in headers["permissions-policy"], what
                assert headers["cache-control"], what
                policy = headers["content-security-policy"]
                if OWN_POLICY.fullmatch(path):
                    assert "frame-ancestors" in policy or "sandbox" in policy, what
                else:
                    assert policy == access_module.CONTENT_SECURITY_POLICY, what
                if path == "/sign-out":
                    client.get(
                        access.make_local_link(get_member(access.database, "owner@example.org"))
                    )

    def test_is_closed_to_strangers_unless_it_is_public(self, app, access, routes):
        client, _ = browse(app, access)
        for method, path in routes:
            if PUBLIC.fullmatch(path):
                continue
            answer = hit(client, method, path)
            if path.startswith(("/api/", "/owner/api/")):
                assert (answer.status_code, answer.json()["code"]) == (401, "signed-out"), path
            else:
                assert answer.status_code == 303, (method, path)
                assert answer.headers["location"].startswith("/sign-in"), (method, path)

    def test_of_the_owner_is_not_there_for_workers(self, app, access, routes):
        client, csrf = browse(app, access, "worker")
        owners = [*routes, ("GET", "/owner"), ("POST", "/owner/api/x"), ("GET", "/owner/api/x")]
        for method, path in owners:
            if path.startswith("/owner"):
                answer = hit(client, method, path, headers={"X-CSRF-Token": csrf})
                assert answer.status_code == 404, (method, path)

    @pytest.mark.parametrize("token", [None, "", "x", "of-another"])
    def test_that_changes_something_needs_the_token_of_the_session(
        self, app, access, routes, token
    ):
        client, csrf = browse(app, access, "owner")
        if token == "of-another":
            _, token = browse(app, access, "worker")
        assert token != csrf
        for method, path in routes:
            if method != "POST":
                continue
            headers = {} if token is None else {"X-CSRF-Token": token}
            answer = hit(client, method, path, headers=headers)
            assert answer.status_code == 403, path
            form = {} if token is None else {"csrf": token}
            assert hit(client, method, path, data=form).status_code == 403, path

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example.org"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:9999"},
            {"Origin": "https://127.0.0.1:8765"},
            {"Origin": ""},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ],
        ids=lambda headers: "-".join(*headers.items()),
    )
    def test_that_changes_something_is_not_for_other_sites(self, app, access, routes, headers):
        client, csrf = browse(app, access, "owner")
        for method, path in routes:
            if method == "POST":
                answer = hit(client, method, path, headers={"X-CSRF-Token": csrf, **headers})
                assert answer.status_code == 403, path

    def test_ends_with_the_session(self, app, access, routes):
        client, csrf = browse(app, access, "worker")
        remove_member(access.database, get_member(access.database, "worker@example.org"))
        for method, path in routes:
            if not PUBLIC.fullmatch(path):
                answer = hit(client, method, path, headers={"X-CSRF-Token": csrf})
                assert answer.status_code in (303, 401), (method, path)


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("worker", 404)])
def test_the_owners_pages_are_the_owners(database, portal_style, role, status):
    access = make_access(database)
    client = open_browser(make_app(access))
    client.get(access.make_local_link(add_member(database, "ann@example.org", role=role)))
    for path in ("/owner", "/owner/api/status"):
        assert client.get(path).status_code == status
    access.thread.close()


def test_requests_of_the_portals_own_pages_are_let_in(app, access):
    client, csrf = browse(app, access, "worker")
    headers = {"X-CSRF-Token": csrf, "Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
    answer = client.post("/api/jobs/zoo/next", json={"page": "1"}, headers=headers)
    assert answer.status_code == 200
    assert (
        client.post("/sign-out", data={"csrf": csrf}, headers={"Origin": ADDRESS}).status_code
        == 303
    )


class TestHosts:
    @pytest.fixture
    def app(self, database, portal_style):
        access = make_access(database)
        yield make_app(access)
        access.thread.close()

    @pytest.mark.parametrize(
        "host",
        ["evil.example.org", "127.0.0.1.evil.example.org:8765", "", "localhost.evil", "[::1"],
    )
    def test_a_name_that_is_not_the_portals(self, app, host):
        """DNS rebinding: a stranger's name leads to this machine."""
        answer = open_browser(app).get("/sign-in", headers={"Host": host})
        assert answer.status_code == 421

    @pytest.mark.parametrize(
        "host", ["127.0.0.1:8765", "localhost:9000", "[::1]:8765", "LOCALHOST"]
    )
    def test_names_of_this_machine(self, app, host):
        assert open_browser(app).get("/sign-in", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        ("host", "accepted"),
        [
            ("label.example.org", True),
            ("Label.Example.org", True),
            ("label.example.org:8443", False),
            ("127.0.0.1:8765", False),
            ("localhost", False),
            ("evil.example.org", False),
        ],
    )
    def test_with_a_public_url_it_is_the_only_one(self, host, accepted):
        settings = AccessSettings(public_url="https://label.example.org")
        assert settings.accepts_host(host) is accepted

    def test_in_a_network_it_is_reached_by_address_or_by_the_machines_name(self):
        settings = AccessSettings(host="0.0.0.0")
        assert settings.accepts_host("192.0.2.7:8765")
        assert settings.accepts_host(f"{socket.gethostname()}:8765")
        assert not settings.accepts_host("evil.example.org:8765")

    @pytest.mark.parametrize(
        ("values", "address"),
        [
            ({}, "http://127.0.0.1:80"),
            ({"host": "::1"}, "http://[::1]:80"),
            ({"host": "0.0.0.0"}, f"http://{socket.gethostname()}:80"),
            ({"host": "::"}, f"http://{socket.gethostname()}:80"),
            ({"public_url": "https://Label.example.org/"}, "https://label.example.org"),
        ],
    )
    def test_the_address_that_people_are_told_is_one_that_is_accepted(self, values, address):
        settings = AccessSettings(**values)
        assert settings.make_address(80) == address
        assert settings.accepts_host(address.partition("//")[2])

    @pytest.mark.parametrize(
        ("values", "text"),
        [
            ({"public_url": "label.example.org"}, "is not like https"),
            ({"public_url": "https://label.example.org/portal"}, "is not like https"),
            ({"public_url": "ftp://label.example.org"}, "is not like https"),
            ({"trusted_proxies": ("127.0.0.1",)}, "--public-url"),
            (
                {"trusted_proxies": ("proxy",), "public_url": "https://label.example.org"},
                "not an address",
            ),
        ],
    )
    def test_settings_that_contradict_each_other(self, values, text):
        with pytest.raises(AccessError, match=text):
            AccessSettings(**values)


class TestPaths:
    def test_lead_to_no_other_file(self, app):
        with serve(app) as address:
            for path in ELSEWHERE:
                status, _, body = ask(address, f"GET {path} HTTP/1.1\r\nHost: {address[0]}\r\n")
                assert status in (404, 400, 405), path
                assert b"root:" not in body, path
                assert b"sqlite3" not in body, path

    def test_public_beginnings_open_no_other_page(self, app, access):
        client, _ = browse(app, access)
        for path in ("/static/../owner", "/join/../owner", "/sign-in/", "/sign-in/../owner"):
            answer = client.get(path.replace("..", "%2e%2e"))
            assert answer.status_code in (303, 404), path


class TestBodies:
    @pytest.mark.parametrize(
        ("task", "length", "status"),
        [
            ("image-multi-class", 1_000_001, 413),
            ("semantic-segmentation", 1_000_001, 400),
            ("semantic-segmentation", 30_000_001, 413),
        ],
    )
    def test_an_answer_may_be_as_long_as_its_job_needs(
        self, portal, app, access, tmp_path, task, length, status
    ):
        portal.begin(people.describe(tmp_path / "more", task, name="more", n_images=1))
        client, csrf = browse(app, access, "worker")
        answer = client.post(
            "/api/jobs/more/answers", content=b" " * length, headers={"X-CSRF-Token": csrf}
        )
        assert answer.status_code == status

    def test_all_others_are_short(self, app, access):
        stranger, owner = browse(app, access), browse(app, access, "owner")
        for (client, csrf), path in [
            (stranger, "/sign-in"),
            (stranger, "/join/x"),
            (owner, "/api/jobs/zoo/next"),
            (owner, "/api/jobs/nowhere/answers"),
            (owner, "/api/jobs/zoo/answers/"),
            (owner, "/owner/api/jobs/zoo/members"),
        ]:
            headers = {"X-CSRF-Token": csrf}
            for length, is_refused in ((65_536, False), (65_537, True)):
                answer = client.post(path, content=b"x" * length, headers=headers)
                assert (answer.status_code == 413) is is_refused, path

    @pytest.mark.parametrize("announced", [True, False], ids=["announced", "in-pieces"])
    def test_too_long_ones_are_refused_before_they_have_come(self, app, announced):
        """Over a real connection: the answer comes though the body never ends."""
        with serve(app) as address:
            head = f"POST /sign-in HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
            if announced:
                status, headers, _ = ask(address, head + "Content-Length: 10000000000\r\n")
            else:
                piece = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
                status, headers, _ = ask(
                    address, head + "Transfer-Encoding: chunked\r\n", body=piece * 3
                )
        assert status == 413
        assert headers[b"connection"] == b"close"

    def test_a_body_that_does_not_come_is_not_waited_for(self, app, monkeypatch):
        monkeypatch.setattr(access_module, "BODY_TIMEOUT", 0.2)
        with serve(app) as address:
            head = f"POST /sign-in HTTP/1.1\r\nHost: {address[0]}\r\nContent-Length: 10\r\n"
            status, _, _ = ask(address, head, body=b"abc")
        assert status == 408

    @pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "٣"])
    def test_a_length_that_is_no_number(self, app, length):
        headers = {"Content-Length": length.encode()}
        answer = open_browser(app).post("/sign-in", content=b"x", headers=headers)
        assert answer.status_code == 413


class TestBehindAProxy:
    @contextmanager
    def serve_behind(self, portal, proxies):
        access = make_access(
            portal.database, public_url="https://label.example.org", trusted_proxies=proxies
        )
        add_with_password(access)
        with serve(create_app(portal, access)) as address:
            yield address

    def attempt(self, address, forwarded, password):
        body = f"email=ann@example.org&password={password}".encode()
        head = (
            "POST /sign-in HTTP/1.1\r\nHost: label.example.org\r\n"
            "Origin: https://label.example.org\r\nX-Forwarded-Proto: https\r\n"
            f"X-Forwarded-For: {forwarded}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n"
        )
        return ask(address, head, body=body)

    def addresses(self, portal):
        with portal.database.read() as connection:
            rows = connection.execute("SELECT key FROM sign_ins WHERE key LIKE 'address %'")
            return {row[0] for row in rows}

    def test_who_asks_is_whom_the_proxy_names(self, portal):
        with self.serve_behind(portal, ("127.0.0.1",)) as address:
            status, headers, _ = self.attempt(address, "203.0.113.9, 198.51.100.4", "wrong")
            assert status == 403
            assert headers[b"strict-transport-security"] == b"max-age=31536000"
            assert self.addresses(portal) == {"address 198.51.100.4"}, "what a client says is none"
            status, headers, _ = self.attempt(address, "198.51.100.4", "four+words+in+a+row")
            assert status == 303
            assert headers[b"set-cookie"].startswith(b"__Host-labeljob=")
            assert b"Secure" in headers[b"set-cookie"]

    @pytest.mark.parametrize("proxies", [(), ("192.0.2.0/24",)])
    def test_others_are_not_believed(self, portal, proxies):
        with self.serve_behind(portal, proxies) as address:
            self.attempt(address, "198.51.100.4", "wrong")
            assert self.addresses(portal) == {"address 127.0.0.1"}


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
def test_a_stream_of_events_ends_with_its_session(database, portal_style, spec_version):
    access = make_access(database)
    member = add_member(database, "ann@example.org")

    async def tell(request):
        async def events():
            for number in range(1000):
                if number == 3:
                    await access.thread.run(remove_member, database, member)
                yield f"data: {number}\n\n"

        request.scope["asgi"] = {"spec_version": spec_version}
        return StreamingResponse(events(), media_type="text/event-stream")

    client = open_browser(make_app(access, Route("/events", tell)))
    client.get(access.make_local_link(member))
    assert client.get("/events").text == "data: 0\n\ndata: 1\n\ndata: 2\n\n"
    access.thread.close()


def test_two_portals_on_one_machine_do_not_sign_each_other_out(access):
    add_with_password(access)
    first = sign_in_as(open_browser(make_app(access), "http://127.0.0.1:8765"))
    second = sign_in_as(open_browser(make_app(access), "http://127.0.0.1:8766"))
    names = {answer.headers["set-cookie"].partition("=")[0] for answer in (first, second)}
    assert names == {"labeljob-8765", "labeljob-8766"}


@contextmanager
def serve(app):
    """The application under the portal's own HTTP server; yields its address."""
    with listen("127.0.0.1", 0) as listener:
        server = make_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join()


def ask(address, head, *, body=b""):
    """Status, headers and body of the answer to a request as it is on the wire."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(
            f"{head}{'' if 'chunked' in head or body else 'Connection: close'}".encode()
        )
        connection.sendall(b"\r\n\r\n" if not head.endswith("\r\n") or not body else b"\r\n")
        connection.sendall(body)
        stream = connection.makefile("rb")
        status = int(stream.readline().split()[1])
        headers = {}
        while line := stream.readline().strip():
            name, _, value = line.partition(b": ")
            headers[name.lower()] = value
        return status, headers, stream.read(int(headers.get(b"content-length", 0)))
