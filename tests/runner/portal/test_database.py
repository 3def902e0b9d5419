"""The portal's database file."""

import sqlite3
import threading

import pytest

from groundtruth.errors import StorageError
from labeljob.portal.database import Database


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "store" / "portal.sqlite")
    yield database
    database.close()


def test_it_is_durable_and_readable_by_its_owner_alone(database):
    with database.read() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert database.path.stat().st_mode & 0o077 == 0


def test_the_secret_stays(database):
    secret = database.get_meta("secret")
    again = Database(database.path)
    assert again.get_meta("secret") == secret
    assert len(secret) == 64
    again.close()


def test_an_error_undoes_the_whole_transaction(database):
    def fail():
        with database.transaction():
            database.set_meta("key", "value")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert database.get_meta("key") is None


def test_a_value_can_be_removed(database):
    database.set_meta("address", "http://127.0.0.1:1")
    assert database.get_meta("address") == "http://127.0.0.1:1"
    database.set_meta("address", None)
    assert database.get_meta("address") is None


def test_each_thread_has_a_connection(database):
    def write(number):
        for _ in range(20):
            with database.transaction() as connection:
                connection.execute("INSERT INTO sign_ins VALUES (?, 0.0)", (str(number),))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM sign_ins").fetchone()[0] == 80


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "portal.sqlite"
    path.write_text("not a database, but long enough to look at" * 100)
    with pytest.raises(StorageError):
        Database(path)


def test_another_version_is_refused(database):
    database.set_meta("schema-version", "999")
    with pytest.raises(StorageError):
        Database(database.path)


def test_a_database_of_another_program_is_refused(tmp_path):
    path = tmp_path / "portal.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE something (a)")
    other.commit()
    other.close()
    with pytest.raises(StorageError):
        Database(path)


def test_a_full_disk_is_told_and_keeps_nothing_of_the_transaction(database):
    database.set_meta("key", "before")
    with database.read() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill():
        with database.transaction():
            database.set_meta("key", "after")
            database.set_meta("large", "x" * 1_000_000)

    with pytest.raises(StorageError):
        fill()
    assert database.get_meta("key") == "before"
