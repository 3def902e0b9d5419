"""Signing in by an identity provider, and what a stranger or a bad token would try."""

import importlib.util
import json
import time
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from labeljob.extras import MissingExtraError
from labeljob.portal.oidc import OidcError, OidcSettings
from labeljob.portal.portal import open_database
from labeljob.portal.team import add_member, get_member, remove_member, reset_member
from tests.runner.portal import people
from tests.runner.portal.identity_provider import CLIENT_ID, SECRET, IdentityProvider
from tests.runner.portal.live_portal import HttpWorker, serve, wait_for
from tests.runner.portal.team_app import make_access, make_app, open_browser

pytestmark = pytest.mark.slow


@pytest.fixture
def provider():
    opened = IdentityProvider()
    yield opened
    opened.close()


@pytest.fixture
def access(database, portal_style, provider):
    made = make_access(database)
    made.oidc = OidcSettings(issuer=provider.issuer, client_id=CLIENT_ID, secret=SECRET)
    yield made
    made.thread.close()


@pytest.fixture
def app(access):
    return make_app(access)


def go_to_provider(client, path="/"):
    """Where the provider sends the browser back to, after it was asked."""
    answer = client.get("/oidc/sign-in", params={"next": path})
    assert answer.status_code == 302
    with httpx.Client(trust_env=False) as other_site:
        return other_site.get(answer.headers["location"]).headers["location"]


def come_back(client, location):
    url = urlsplit(location)
    return client.get(f"{url.path}?{url.query}")


def sign_in(client, path="/"):
    return come_back(client, go_to_provider(client, path))


def test_a_member_signs_in_and_is_known_by_the_provider(access, app, provider):
    worker_id = add_member(access.database, "Ann@example.org").worker_id
    client = open_browser(app)
    assert "Sign in with 127.0.0.1" in client.get("/sign-in").text
    answer = sign_in(client, "/jobs/cats?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/cats?x=1")
    assert client.get("/").text.startswith("Ann@example.org ")
    member = get_member(access.database, "ann@example.org")
    assert (member.worker_id, member.issuer, member.sub) == (worker_id, provider.issuer, "ann-1")


def test_the_provider_is_asked_with_pkce_state_and_nonce(access, app, provider):
    add_member(access.database, "ann@example.org")
    for _ in range(2):
        sign_in(open_browser(app))
    first, second = provider.asked
    assert first["code_challenge_method"] == "S256"
    assert first["response_type"] == "code"
    assert first["redirect_uri"] == "http://127.0.0.1:8765/oidc/callback"
    assert set(first["scope"].split()) == {"openid", "email"}
    for key in ("state", "nonce", "code_challenge"):
        assert len(first[key]) >= 20
        assert first[key] != second[key]


def test_the_way_back_is_by_the_public_url(database, portal_style, provider):
    access = make_access(database, public_url="https://label.example.org")
    access.oidc = OidcSettings(issuer=provider.issuer, client_id=CLIENT_ID, secret=SECRET)
    add_member(database, "ann@example.org")
    client = open_browser(make_app(access), "https://label.example.org")
    answer = client.get("/oidc/sign-in")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("__host-labeljob-oidc=")
    assert "secure" in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["redirect_uri"] == ["https://label.example.org/oidc/callback"]
    assert sign_in(client).status_code == 303
    assert client.get("/").status_code == 200
    access.thread.close()


def test_an_e_mail_address_that_is_told_apart_counts_too(access, app, provider):
    add_member(access.database, "ann@example.org")
    provider.tells_email_apart = True
    assert sign_in(open_browser(app)).status_code == 303


@pytest.mark.parametrize(
    "lies",
    [
        pytest.param({"iss": "https://evil.example.org"}, id="issuer"),
        pytest.param({"aud": "another-client"}, id="audience"),
        pytest.param({"exp": int(time.time()) - 3600}, id="expired"),
        pytest.param({"iat": int(time.time()) + 36000}, id="from-the-future"),
        pytest.param({"nonce": "of-another-sign-in"}, id="nonce"),
        pytest.param({"nonce": None}, id="no-nonce"),
        pytest.param({"sub": ""}, id="no-subject"),
        pytest.param({"email_verified": False}, id="unverified"),
        pytest.param({"email_verified": None}, id="verified-unknown"),
        pytest.param({"email": "stranger@example.org"}, id="no-member"),
        pytest.param({"email": "bob@example.org"}, id="removed-member"),
        pytest.param({"email": ["ann@example.org"]}, id="no-text"),
    ],
)
def test_who_is_not_vouched_for_stays_out(access, app, provider, lies):
    add_member(access.database, "ann@example.org")
    remove_member(access.database, add_member(access.database, "bob@example.org"))
    provider.lies = lies
    client = open_browser(app)
    assert sign_in(client).status_code == 403
    assert client.get("/").status_code == 303
    assert get_member(access.database, "ann@example.org").issuer is None


@pytest.mark.parametrize(
    "sign", ["sign_with_another_key", "sign_with_public_key_as_secret", "sign_not_at_all"]
)
def test_a_forged_token_counts_nothing(access, app, provider, sign):
    add_member(access.database, "ann@example.org")
    provider.sign = getattr(provider, sign)
    client = open_browser(app)
    assert sign_in(client).status_code == 403
    assert client.get("/").status_code == 303


def test_another_person_with_the_same_address_stays_out(access, app, provider):
    add_member(access.database, "ann@example.org")
    assert sign_in(open_browser(app)).status_code == 303
    provider.person["sub"] = "ann-2"
    assert sign_in(open_browser(app)).status_code == 403
    reset_member(access.database, get_member(access.database, "ann@example.org"))
    assert sign_in(open_browser(app)).status_code == 303


def test_the_way_back_is_for_the_browser_that_went(access, app, provider):
    add_member(access.database, "ann@example.org")
    attacker, victim = open_browser(app), open_browser(app)
    location = go_to_provider(attacker)
    assert come_back(victim, location).status_code == 403
    assert victim.get("/").status_code == 303
    go_to_provider(victim)
    assert come_back(victim, location).status_code == 403, "nor with a sign-in of its own begun"


def test_the_way_back_is_for_one_use(access, app, provider):
    add_member(access.database, "ann@example.org")
    client = open_browser(app)
    location = go_to_provider(client)
    assert come_back(client, location).status_code == 303
    assert come_back(client, location).status_code == 403


@pytest.mark.parametrize(
    "query",
    ["", "code=x", "state=x", "code=x&state=y", "error=access_denied&error_description=<b>"],
)
def test_a_way_back_that_nobody_began(access, app, query):
    answer = open_browser(app).get(f"/oidc/callback?{query}")
    assert answer.status_code == 403
    assert "<b>" not in answer.text


def test_signing_in_leads_to_no_other_site(access, app, provider):
    add_member(access.database, "ann@example.org")
    answer = sign_in(open_browser(app), "//evil.example.org")
    assert answer.headers["location"] == "/"


def test_a_provider_that_is_down_or_another_one_is_said(access, app, provider):
    provider.is_down = True
    answer = open_browser(app).get("/oidc/sign-in")
    assert answer.status_code == 502
    assert "cannot be used" in answer.text
    provider.is_down = False
    provider.metadata = {"issuer": "https://evil.example.org"}
    answer = open_browser(app).get("/oidc/sign-in")
    assert answer.status_code == 502
    assert "calls itself" in answer.text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"issuer": "http://login.example.org"}, "is not like https"),
        ({"issuer": "login.example.org"}, "is not like https"),
        ({"client_id": ""}, "--oidc-client-id"),
        ({"secret": ""}, "LABELJOB_OIDC_SECRET"),
    ],
)
def test_a_setting_that_is_missing_is_named(change, text):
    values = {"issuer": "https://login.example.org", "client_id": "x", "secret": "y"}
    with pytest.raises(OidcError, match=text):
        OidcSettings(**(values | change))


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[portal-oidc\]"):
        OidcSettings(issuer="https://login.example.org", client_id="x", secret="y")


def test_the_secret_is_not_shown():
    settings = OidcSettings(issuer="https://login.example.org", client_id="x", secret="hidden")
    assert "hidden" not in repr(settings)


@pytest.mark.slow
def test_a_whole_job_by_a_member_whom_the_provider_vouches_for(tmp_path, provider):
    """The command as the owner starts it; its answers say who vouched for the worker."""
    photos, store = people.make_photos(tmp_path / "photos", 3), tmp_path / "store"
    secret = tmp_path / "client-secret.txt"
    secret.write_text(f"{SECRET}\n")
    with closing(open_database(store)) as database:
        add_member(database, "ann@example.org")
    command = ["portal", photos, "--task", "image-multi-class", "--labels", "cat", "dog"]
    command += ["-o", store, "--oidc-issuer", provider.issuer, "--oidc-client-id", CLIENT_ID]
    with serve(tmp_path, [*map(str, command), "--oidc-secret-file", str(secret)]) as portal:
        worker = HttpWorker(portal.url)
        with worker.http as http:
            assert "Sign in with 127.0.0.1" in http.get("/sign-in").text
            http.get("/oidc/sign-in").raise_for_status()
            assert worker.look_around().label_all("photos", lambda body: "cat") == 3
        job = store / "labeljob" / "jobs" / "photos"
        wait_for((job / "manifests" / "output" / "output.manifest").is_file)
    answers = [
        answer
        for file in (job / "annotations" / "worker-response").rglob("*.json")
        for answer in json.loads(file.read_text())["answers"]
    ]
    assert len(answers) == 3
    for answer in answers:
        assert answer["workerMetadata"]["identityData"] == {
            "identityProviderType": "Oidc",
            "issuer": provider.issuer,
            "sub": "ann-1",
        }
