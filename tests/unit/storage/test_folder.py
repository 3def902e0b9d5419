import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from groundtruth.errors import StorageError
from groundtruth.storage.folder import PART_PREFIX, FolderStore, remove_parts

URI = "s3://bucket/a/2026-05-04_09:30:12.json"


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


def put(store, uri, body=b"x"):
    store.write(uri, body, content_type="text/plain", kms_key="ignored")


def test_an_object_is_a_file_at_its_key(store):
    put(store, URI, b"\x00\xff")
    assert (store.folder / "bucket/a/2026-05-04_09:30:12.json").read_bytes() == b"\x00\xff"
    assert store.read(URI) == b"\x00\xff"


def test_an_object_is_replaced_whole(store):
    put(store, URI, b"a longer one")
    put(store, URI, b"short")
    assert store.read(URI) == b"short"
    assert [path.name for path in (store.folder / "bucket/a").iterdir()] == [
        "2026-05-04_09:30:12.json"
    ]


def test_an_object_tells_when_it_was_written(store):
    put(store, URI)
    assert abs(datetime.now(UTC) - store.modified(URI)) < timedelta(minutes=1)


def test_lines_come_one_at_a_time(store):
    put(store, URI, b"one\ntwo\r\n\nno end")
    assert list(store.open_lines(URI)) == [b"one\n", b"two\r\n", b"\n", b"no end"]


def test_lines_of_a_missing_file_are_not_found(store):
    with pytest.raises(StorageError) as caught:
        list(store.open_lines(URI))
    assert caught.value.reason == "not-found"


def test_a_file_is_copied_as_an_object(store, tmp_path):
    path = tmp_path / "output.manifest"
    path.write_bytes(b"one\n")
    store.write_file(URI, path, content_type="text/plain", kms_key=None)
    assert store.read(URI) == path.read_bytes() == b"one\n"


@pytest.mark.parametrize(
    "uri",
    [
        "s3://../etc/passwd",
        "s3://bucket/../../etc/passwd",
        "s3://bucket/a/./b",
        "s3://bucket/a//b",
        "s3://bucket//a",
        "s3://bucket/a/",
        "s3://bucket/a\0b",
        "/etc/passwd",
    ],
)
@pytest.mark.parametrize("operation", ["read", "modified", "write"])
def test_no_key_leads_out_of_the_folder(store, uri, operation):
    with pytest.raises(StorageError) as caught:
        put(store, uri) if operation == "write" else getattr(store, operation)(uri)
    assert caught.value.reason == "bad-uri"


def test_objects_are_removed_whether_they_are_there_or_not(store):
    for name in "abc":
        put(store, f"s3://bucket/a/{name}")
    store.remove(f"s3://bucket/a/{name}" for name in "abx")
    assert list(store.list("s3://bucket/a")) == ["s3://bucket/a/c"]
    with pytest.raises(StorageError, match="s3://bucket/a: "):
        store.remove(["s3://bucket/a"])


@pytest.mark.parametrize("uri", ["s3://bucket/none", "s3://none/k", "s3://bucket/a", f"{URI}/x"])
def test_what_is_no_file_is_not_found(store, uri):
    put(store, URI)
    with pytest.raises(StorageError) as caught:
        store.read(uri)
    assert (caught.value.uri, caught.value.reason) == (uri, "not-found")


def test_a_missing_file_has_no_time(store):
    with pytest.raises(StorageError) as caught:
        store.modified(URI)
    assert caught.value.reason == "not-found"


def test_an_object_below_another_cannot_be_written(store):
    put(store, "s3://bucket/a")
    with pytest.raises(StorageError) as caught:
        put(store, "s3://bucket/a/b")
    assert caught.value.uri == "s3://bucket/a/b"


def test_objects_are_listed_by_prefix_in_order(store):
    for key in ("b/2", "b/10", "b/1/x", "bc", "c"):
        put(store, f"s3://bucket/{key}")
    (store.folder / "bucket/b" / f"{PART_PREFIX}1-2").write_bytes(b"half")
    assert list(store.list("s3://bucket/b/")) == [f"s3://bucket/b/{k}" for k in ("1/x", "10", "2")]
    assert list(store.list("s3://bucket/b")) == [
        f"s3://bucket/{key}" for key in ("b/1/x", "b/10", "b/2", "bc")
    ]


@pytest.mark.parametrize("prefix", ["s3://bucket/none/", "s3://none/k"])
def test_a_prefix_without_objects_lists_none(store, prefix):
    assert list(store.list(prefix)) == []


def test_a_folder_knows_no_roles(store):
    assert store.acting_as("arn:aws:iam::111122223333:role/x") is store


@pytest.fixture
def dead():
    """The id of a process that is over."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_dead_processes_left_half_written_is_removed(store, dead):
    put(store, "s3://bucket/a/b/kept.json")
    put(store, "s3://other/c/kept.json")
    deep, far = store.folder / "bucket/a/b", store.folder / "other/c"
    left = [deep / f"{PART_PREFIX}{dead}-1", deep.parent / f"{PART_PREFIX}{dead}-abc_2"]
    kept = [
        deep / f"{PART_PREFIX}{os.getpid()}-1",
        deep / f"{PART_PREFIX}1-1",
        deep / f"{PART_PREFIX}notes",
        deep / f"x{PART_PREFIX}{dead}-1",
        far / f"{PART_PREFIX}{dead}-1",
    ]
    for path in [*left, *kept]:
        path.write_bytes(b"half")
    left.append(deep / f"{PART_PREFIX}{dead}-folder")
    put(FolderStore(deep), f"s3://{left[-1].name}/masks/0.png")
    store.remove_parts("s3://bucket/a")
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)
    assert (deep / "kept.json").exists()


def test_half_written_files_are_not_looked_for_behind_links(tmp_path, dead):
    name = f"{PART_PREFIX}{dead}-1"
    outside, job = tmp_path / "outside", tmp_path / "job"
    for folder in (outside, job):
        folder.mkdir()
    (outside / name).write_bytes(b"half")
    (job / "replays").symlink_to(outside, target_is_directory=True)
    (job / name).symlink_to(outside / name)
    (job / f"{name}0").symlink_to(outside, target_is_directory=True)
    before = sorted(tmp_path.rglob("*"))
    remove_parts(job)
    remove_parts(tmp_path / "nowhere")
    assert sorted(tmp_path.rglob("*")) == before
    assert (outside / name).read_bytes() == b"half"
