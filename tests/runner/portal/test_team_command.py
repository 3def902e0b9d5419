"""`labeljob team`, as a person calls it."""

import json

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner

from labeljob.commands.team import app
from labeljob.portal import assignments, team
from labeljob.portal.database import Database
from tests.runner.command_line import lines_of

pytestmark = pytest.mark.slow

ADDRESS = "http://192.0.2.7:8765"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def store(folder):
    opened = Database(folder / "labeljob-store" / ".portal" / "portal.sqlite")
    yield opened
    opened.close()


def call(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_each_gets_a_link_of_their_own(folder):
    result = call("add", "ann@example.org", " bob@example.org")
    assert result.exit_code == 0
    rows = [line.split("\t") for line in lines_of(result.stdout)]
    assert [email for email, _ in rows] == ["ann@example.org", "bob@example.org"]
    tokens = {link.removeprefix("http://127.0.0.1:8765/join/") for _, link in rows}
    assert {len(token) for token in tokens} == {43}
    assert len(tokens) == 2
    assert "one use within 7 days" in result.stderr
    assert "not running" in result.stderr


def test_a_link_has_the_address_of_the_portal_that_runs(store):
    store.set_meta("address", ADDRESS)
    result = call("add", "ann@example.org", "--json")
    (row,) = json.loads(result.stdout)
    assert row["link"].startswith(f"{ADDRESS}/join/")
    invited = team.find_invited(store, row["link"].split("/")[-1])
    assert (invited.email, invited.role) == ("ann@example.org", "worker")
    assert row["worker_id"] == invited.worker_id
    assert "not running" not in result.stderr


def test_a_worker_id_is_like_ground_truths():
    worker_id = json.loads(call("add", "ann@example.org", "--json").stdout)[0]["worker_id"]
    prefix, _, letters = worker_id.rpartition(".")
    assert prefix == "private.us-west-2"
    assert len(letters) == 16
    assert letters.isalnum()
    assert letters == letters.lower()


def test_a_first_password_is_printed_and_kept_as_a_hash(store):
    result = call("add", "ann@example.org", "--password", "--owner")
    email, password = result.stdout.strip().split("\t")
    member, kept = team.find_password(store, email)
    assert member.role == "owner"
    assert kept.startswith("$argon2id$")
    assert PasswordHasher().verify(kept, password)


@pytest.mark.parametrize(
    "email",
    ["ann", "ann@", "@example.org", "a b@example.org", "a@b@c", "x" * 251 + "@b.c"],
)
def test_what_is_no_address_is_refused_and_nobody_is_added(folder, store, email):
    result = call("add", "bob@example.org", email)
    assert result.exit_code == 1
    assert "is not an e-mail address" in result.stderr
    assert team.list_members(store) == []


def test_nobody_is_added_twice():
    call("add", "ann@example.org")
    result = call("add", "ANN@example.org")
    assert result.exit_code == 1
    assert "is in the team already" in result.stderr


def test_who_comes_back_is_the_same_worker(store):
    worker_id = json.loads(call("add", "ann@example.org", "--json").stdout)[0]["worker_id"]
    assert call("remove", "Ann@example.org").exit_code == 0
    assert team.find_member(store, "ann@example.org") is None
    assert call("remove", "ann@example.org").exit_code == 1
    again = json.loads(call("add", "ann@example.org", "--json").stdout)[0]
    assert again["worker_id"] == worker_id


@pytest.mark.parametrize("command", ["remove", "reset"])
def test_what_the_member_was_working_on_goes_to_others(store, command):
    call("add", "ann@example.org")
    ann = team.get_member(store, "ann@example.org")
    assignments.add_job(store, "cats", ["0"], wanted=1)
    assert assignments.take(store, "cats", ann.worker_id, 300.0).object_id == "0"
    assert assignments.take(store, "cats", "another", 300.0) is None
    assert call(command, "ann@example.org").exit_code == 0
    assert assignments.take(store, "cats", "another", 300.0).object_id == "0"


def test_a_reset_makes_what_was_there_worthless(store):
    first = json.loads(call("add", "ann@example.org", "--json").stdout)[0]["link"]
    second = json.loads(call("reset", "ann@example.org", "--json").stdout)[0]["link"]
    assert team.find_invited(store, first.split("/")[-1]) is None
    assert team.find_invited(store, second.split("/")[-1]) is not None
    call("reset", "ann@example.org", "--password")
    assert team.find_invited(store, second.split("/")[-1]) is None


def test_the_list_tells_who_can_sign_in(store):
    call("add", "ann@example.org", "bob@example.org")
    call("add", "cid@example.org", "--password")
    call("add", "dan@example.org", "--owner")
    call("remove", "bob@example.org")
    team.change_password(store, team.get_member(store, "dan@example.org"), "hash")
    members = json.loads(call("list", "--json").stdout)
    assert [(one["email"][:3], one["role"], one["state"]) for one in members] == [
        ("ann", "worker", "invited"),
        ("bob", "worker", "removed"),
        ("cid", "worker", "first password"),
        ("dan", "owner", "active"),
    ]
    assert "hash" not in call("list", "--json").output
    assert "invited until" in call("list").stderr


@pytest.mark.parametrize("command", ["list", "remove", "reset"])
def test_a_folder_without_a_portal_is_one_line(command, folder):
    arguments = [] if command == "list" else ["ann@example.org"]
    result = call(command, *arguments, "-o", "elsewhere")
    assert result.exit_code == 1
    (line,) = lines_of(result.stderr)
    assert line == "error: there is no portal in elsewhere: give its folder as --output"
    assert list(folder.iterdir()) == []
