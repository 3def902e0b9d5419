"""Signing in and out, links, passwords, and what an attacker would try with them."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from labeljob.portal import sessions, team
from labeljob.portal.team import (
    add_member,
    get_member,
    make_first_password,
    make_link,
    remove_member,
    reset_member,
)
from tests.runner.portal.team_app import (
    PASSWORD,
    add_with_password,
    csrf_of,
    make_access,
    make_app,
    open_browser,
    sign_in_as,
)

NEW = "another four words"


@pytest.fixture
def access(database, portal_style):
    made = make_access(database)
    yield made
    made.thread.close()


@pytest.fixture
def app(access):
    return make_app(access)


@pytest.fixture
def browser(app):
    """Not a browser of its own: a client with cookies."""
    return open_browser(app)


def cookie_of(client):
    return client.cookies.get("labeljob-8765")


def plant(client, token):
    client.cookies.set("labeljob-8765", token, domain="127.0.0.1")


def show_password_form(client):
    return re.search(r'name="csrf" value="([^"]+)"', client.get("/password").text)[1]


def test_a_member_signs_in_and_out(access, app):
    client = open_browser(app)
    add_with_password(access)
    answer = sign_in_as(client, "ANN@example.org", next="/jobs/cats?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/cats?x=1")
    assert client.get("/").text.startswith("ann@example.org ")
    token = cookie_of(client)
    assert client.post("/sign-out", data={"csrf": csrf_of(client)}).status_code == 303
    assert client.get("/").headers["location"] == "/sign-in?next=/"
    plant(client, token)
    assert client.get("/").status_code == 303, "the row is gone, whatever the browser keeps"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        pytest.param("ann@example.org", "wrong", id="wrong-password"),
        pytest.param("bob@example.org", PASSWORD, id="no-password"),
        pytest.param("nobody@example.org", PASSWORD, id="no-member"),
        pytest.param("cid@example.org", PASSWORD, id="removed"),
        pytest.param("", "", id="empty"),
        pytest.param("ann@example.org\x00", PASSWORD, id="zero-byte"),
        pytest.param("' OR 1=1 --", PASSWORD, id="sql"),
    ],
)
def test_the_answer_tells_nothing_of_who_is_a_member(access, app, email, password, monkeypatch):
    add_with_password(access)
    add_member(access.database, "bob@example.org")
    remove_member(access.database, add_with_password(access, "cid@example.org"))
    checks = []
    real = access.passwords._hasher.verify
    hasher = type("Counting", (), {})()
    hasher.verify = lambda *args: (checks.append(args), real(*args))
    hasher.check_needs_rehash = access.passwords._hasher.check_needs_rehash
    access.passwords._hasher = hasher
    client = open_browser(app)
    answer = sign_in_as(client, email, password)
    assert answer.status_code == 403
    assert "The e-mail address or the password is wrong." in answer.text
    assert cookie_of(client) is None
    assert len(checks) == 1, "one hash is worked out in every case"


def test_a_session_that_was_there_before_is_not_taken_over(access, app):
    add_with_password(access)
    client = open_browser(app)
    plant(client, "chosen-by-an-attacker")
    sign_in_as(client)
    attacker = open_browser(app)
    plant(attacker, "chosen-by-an-attacker")
    assert attacker.get("/").status_code == 303
    assert cookie_of(client) != "chosen-by-an-attacker"


def test_signing_in_again_ends_the_session_before(access, app):
    first = add_with_password(access)
    link = access.make_local_link(first)
    client = open_browser(app)
    client.get(link)
    before = cookie_of(client)
    client.get(link)
    assert cookie_of(client) != before
    stolen = open_browser(app)
    plant(stolen, before)
    assert stolen.get("/").status_code == 303


def test_cookies_cannot_be_read_by_scripts_or_sent_by_other_sites(access, app):
    add_with_password(access)
    cookie = sign_in_as(open_browser(app)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "Secure" not in cookie  # 127.0.0.1 has no TLS


def test_behind_tls_the_cookie_is_bound_to_the_host(database, portal_style):
    access = make_access(database, public_url="https://label.example.org")
    add_with_password(access)
    client = open_browser(make_app(access), "https://label.example.org")
    cookie = sign_in_as(client).headers["set-cookie"]
    assert cookie.startswith("__Host-labeljob=")
    assert "Secure" in cookie
    assert client.get("/").status_code == 200
    access.thread.close()


@pytest.mark.parametrize(
    "path",
    [
        "//example.org",
        "/\\example.org",
        "/\t/example.org",
        "https://example.org",
        "javascript:alert(1)",
        "example.org",
        "/ok\r\nSet-Cookie: x=y",
        "/%0d/ok\n",
        "",
    ],
)
def test_signing_in_leads_to_no_other_site(access, app, path):
    add_with_password(access)
    client = open_browser(app)
    page = client.get("/sign-in", params={"next": path})
    assert 'name="next" value="/"' in page.text
    answer = sign_in_as(client, next=path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/sign-in", params={"next": path}).headers["location"] == "/"


class TestTooManyAttempts:
    def test_for_one_e_mail_address(self, access, app):
        add_with_password(access)
        for number in range(sessions.MOST_FAILURES_BY_EMAIL):
            client = open_browser(app, client=(f"192.0.2.{number}", 1))
            assert sign_in_as(client, password=f"wrong {number}").status_code == 403
        client = open_browser(app, client=("198.51.100.1", 1))
        assert sign_in_as(client).status_code == 429, "not even with the right password"
        assert sign_in_as(client, "Ann@Example.org").status_code == 429

    def test_for_an_address_of_nobody_as_for_a_members(self, access, app):
        client = open_browser(app)
        answers = [
            sign_in_as(client, "nobody@example.org", "wrong").status_code
            for _ in range(sessions.MOST_FAILURES_BY_EMAIL + 1)
        ]
        assert answers == [403] * sessions.MOST_FAILURES_BY_EMAIL + [429]

    def test_from_one_network_address(self, access, app):
        add_with_password(access)
        for number in range(sessions.MOST_FAILURES_BY_ADDRESS):
            client = open_browser(app, client=(f"2001:db8::{number}", 1))
            assert sign_in_as(client, f"{number}@example.org").status_code == 403
        assert sign_in_as(open_browser(app, client=("2001:db8::ffff", 1))).status_code == 429
        assert sign_in_as(open_browser(app, client=("192.0.2.1", 1))).status_code == 303

    def test_made_at_the_same_time(self, access, app):
        add_with_password(access)
        with ThreadPoolExecutor(8) as pool, open_browser(app) as client:
            answers = list(
                pool.map(
                    lambda number: sign_in_as(client, password=f"wrong {number}").status_code,
                    range(40),
                )
            )
        assert answers.count(403) == sessions.MOST_FAILURES_BY_EMAIL
        assert answers.count(429) == 40 - sessions.MOST_FAILURES_BY_EMAIL

    def test_it_passes(self, access, app):
        add_with_password(access)
        client = open_browser(app)
        for _ in range(sessions.MOST_FAILURES_BY_EMAIL + 5):
            sign_in_as(client, password="wrong")
        with access.database.transaction() as connection:
            connection.execute("UPDATE sign_ins SET at = at - ?", (sessions.ATTEMPT_WINDOW,))
        assert sign_in_as(client).status_code == 303

    def test_success_frees_the_member_and_not_the_network_address(self, access, app):
        add_with_password(access)
        client = open_browser(app)
        for _ in range(sessions.MOST_FAILURES_BY_EMAIL - 1):
            sign_in_as(client, password="wrong")
        assert sign_in_as(client).status_code == 303
        with access.database.read() as connection:
            keys = [row[0] for row in connection.execute("SELECT key FROM sign_ins")]
        assert keys == ["address testclient"] * (sessions.MOST_FAILURES_BY_EMAIL - 1)


class TestLinks:
    def test_a_link_is_looked_at_and_then_used_once(self, access, app):
        link = make_link(access.database, add_member(access.database, "ann@example.org"))
        client = open_browser(app)
        for _ in range(2):
            assert "ann@example.org" in client.get(link).text
        assert client.post(link, data={"password": NEW, "again": NEW}).status_code == 303
        assert client.get("/").text.startswith("ann@example.org ")
        thief = open_browser(app)
        assert thief.get(link).status_code == 404
        assert thief.post(link, data={"password": NEW, "again": NEW}).status_code == 404
        assert thief.get("/").status_code == 303
        assert sign_in_as(thief, password=NEW).status_code == 303

    def test_two_who_use_it_at_once(self, access, app):
        link = make_link(access.database, add_member(access.database, "ann@example.org"))
        with ThreadPoolExecutor(8) as pool, open_browser(app) as client:
            answers = list(
                pool.map(
                    lambda number: (
                        client.post(
                            link, data={"password": f"{NEW} {number}", "again": f"{NEW} {number}"}
                        ).status_code
                    ),
                    range(8),
                )
            )
        assert answers.count(303) == 1

    @pytest.mark.parametrize(
        ("password", "again", "text"),
        [
            ("elevenchars", "elevenchars", "at least 12 characters"),
            ("Ann@Example.ORG", "Ann@Example.ORG", "must not be the e-mail address"),
            (NEW, NEW + "!", "not the same"),
            ("", "", "at least 12 characters"),
        ],
    )
    def test_a_bad_password_leaves_the_link(self, access, app, password, again, text):
        link = make_link(access.database, add_member(access.database, "ann@example.org"))
        client = open_browser(app)
        answer = client.post(link, data={"password": password, "again": again})
        assert answer.status_code == 400
        assert text in answer.text
        assert client.get(link).status_code == 200

    def test_links_that_are_worth_nothing(self, access, app):
        member = add_member(access.database, "ann@example.org")
        replaced = make_link(access.database, member)
        reset = make_link(access.database, member)
        reset_member(access.database, member)
        expired = make_link(access.database, member)
        with access.database.transaction() as connection:
            connection.execute(
                "UPDATE members SET link_expires = link_expires - ?", (team.LINK_LIFETIME + 1,)
            )
        bob = add_member(access.database, "bob@example.org")
        removed = make_link(access.database, bob)
        remove_member(access.database, bob)
        client = open_browser(app)
        for link in (replaced, reset, expired, removed, "/join/", "/join/x", "/join/%00"):
            assert client.get(link).status_code == 404, link
            assert client.post(link, data={"password": NEW, "again": NEW}).status_code == 404

    def test_the_database_holds_no_token(self, access, app, tmp_path):
        token = make_link(access.database, add_member(access.database, "a@b.c")).split("/")[-1]
        add_with_password(access)
        client = open_browser(app)
        sign_in_as(client)
        stored = b"".join(file.read_bytes() for file in (tmp_path / ".portal").iterdir())
        for secret in (token, cookie_of(client), PASSWORD):
            assert secret.encode() not in stored

    def test_a_local_link_signs_in_as_often_as_wanted(self, access, app):
        owner = add_member(access.database, "owner@localhost", role="owner")
        link = access.make_local_link(owner)
        for _ in range(3):
            client = open_browser(app)
            answer = client.get(link)
            assert (answer.status_code, answer.headers["location"]) == (303, "/owner")
            assert client.get("/owner").status_code == 200
        assert "set-cookie" not in open_browser(app).head(link).headers

    def test_there_is_no_local_link_where_others_reach_the_portal(self, database):
        access = make_access(database, host="0.0.0.0")
        owner = add_member(database, "owner@localhost", role="owner")
        with pytest.raises(team.TeamError, match=r"127\.0\.0\.1 alone"):
            access.make_local_link(owner)
        access.thread.close()


class TestPasswords:
    def test_a_first_password_must_be_changed(self, access, app):
        member = add_member(access.database, "ann@example.org")
        first = make_first_password(access.database, member, access.passwords)
        client = open_browser(app)
        assert sign_in_as(client, password=first).status_code == 303
        assert client.get("/").headers["location"] == "/password"
        csrf = show_password_form(client)
        answer = client.post("/api/jobs/cats/next", headers={"X-CSRF-Token": csrf})
        assert (answer.status_code, answer.json()["code"]) == (403, "change-password")
        form = {"csrf": csrf, "current": first, "password": first, "again": first}
        assert "must be another one" in client.post("/password", data=form).text
        form |= {"password": NEW, "again": NEW}
        assert client.post("/password", data=form).status_code == 303
        assert client.get("/").status_code == 200
        assert sign_in_as(open_browser(app), password=first).status_code == 403

    def test_a_first_password_expires(self, access, app):
        member = add_member(access.database, "ann@example.org")
        first = make_first_password(access.database, member, access.passwords)
        with access.database.transaction() as connection:
            connection.execute(
                "UPDATE members SET link_expires = link_expires - ?", (team.LINK_LIFETIME + 1,)
            )
        assert sign_in_as(open_browser(app), password=first).status_code == 403

    def test_changing_it_ends_all_other_sessions(self, access, app):
        add_with_password(access)
        client, other = open_browser(app), open_browser(app)
        sign_in_as(client)
        sign_in_as(other)
        form = {"csrf": csrf_of(client), "current": PASSWORD, "password": NEW, "again": NEW}
        assert client.post("/password", data=form).status_code == 303
        assert client.get("/").status_code == 200
        assert other.get("/").status_code == 303

    def test_a_stolen_session_does_not_change_it(self, access, app):
        add_with_password(access)
        client = open_browser(app)
        sign_in_as(client)
        form = {"csrf": csrf_of(client), "password": NEW, "again": NEW}
        for number in range(sessions.MOST_FAILURES_BY_EMAIL):
            answer = client.post("/password", data=form | {"current": f"guess {number}"})
            assert "The current password is wrong." in answer.text
        answer = client.post("/password", data=form | {"current": PASSWORD})
        assert "Too many attempts" in answer.text
        assert sign_in_as(open_browser(app), password=NEW).status_code != 303

    def test_a_hash_with_old_parameters_is_made_anew(self, access, app):
        member = add_with_password(access)
        old = team.Passwords(
            type(access.passwords._hasher)(time_cost=2, memory_cost=16, parallelism=1)
        )
        team.change_password(access.database, member, old.make_hash(PASSWORD))
        assert sign_in_as(open_browser(app)).status_code == 303
        _, kept = team.find_password(access.database, "ann@example.org")
        assert "m=8,t=1,p=1" in kept
        assert sign_in_as(open_browser(app)).status_code == 303

    def test_letters_that_keyboards_write_in_two_ways_are_one(self, access, app):
        add_with_password(access, password="schl\u00fcssel und t\u00fcr")
        answer = sign_in_as(open_browser(app), password="schlu\u0308ssel und tu\u0308r")
        assert answer.status_code == 303


class TestSessionsEnd:
    @pytest.mark.parametrize(
        ("column", "seconds"),
        [("used", sessions.IDLE_LIMIT), ("created", sessions.ABSOLUTE_LIMIT)],
    )
    def test_when_their_time_is_over(self, access, app, column, seconds):
        add_with_password(access)
        client = open_browser(app)
        sign_in_as(client)
        with access.database.transaction() as connection:
            connection.execute(f"UPDATE sessions SET {column} = {column} - ?", (seconds - 10,))
        assert client.get("/").status_code == 200
        with access.database.transaction() as connection:
            connection.execute(f"UPDATE sessions SET {column} = {column} - ?", (seconds,))
        assert (
            client.get("/jobs/cats?x=1").headers["location"] == "/sign-in?next=/jobs/cats%3Fx%3D1"
        )
        answer = client.post("/api/jobs/cats/next")
        assert (answer.status_code, answer.json()["code"]) == (401, "signed-out")
        assert answer.json()["error"]

    @pytest.mark.parametrize("end", [remove_member, reset_member])
    def test_at_once_when_the_member_is_removed_or_reset(self, access, app, end):
        add_with_password(access)
        client = open_browser(app)
        sign_in_as(client)
        assert client.get("/").status_code == 200
        end(access.database, get_member(access.database, "ann@example.org"))
        assert client.get("/").status_code == 303
        assert sign_in_as(client).status_code == 403

    def test_before_they_begin_if_the_member_is_removed_meanwhile(self, access):
        member = add_with_password(access)
        remove_member(access.database, member)
        token = sessions.start_session(access.database, member)
        assert sessions.find_session(access.database, token) is None

    def test_use_is_written_down_once_a_minute(self, access, app):
        add_with_password(access)
        client = open_browser(app)
        sign_in_as(client)

        def used():
            with access.database.read() as connection:
                return connection.execute("SELECT used FROM sessions").fetchone()[0]

        before = used()
        client.get("/")
        assert used() == before
        with access.database.transaction() as connection:
            connection.execute("UPDATE sessions SET used = used - 61")
        client.get("/")
        assert used() >= before
