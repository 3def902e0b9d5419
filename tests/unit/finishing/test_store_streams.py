"""Long objects: read line by line, written from a file, in S3 and in a folder."""

import boto3
import pytest
from moto import mock_aws

from groundtruth.errors import StorageError
from groundtruth.storage import s3 as storage
from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import S3Store

pytestmark = pytest.mark.slow

BUCKET = "example-groundtruth-bucket"
URI = f"s3://{BUCKET}/a.manifest"


@pytest.fixture(params=["s3", "folder"])
def store(request, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "PIECE_SIZE", 7)
    if request.param == "folder":
        yield FolderStore(tmp_path / "store")
        return
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield S3Store()


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="empty"),
        pytest.param([b"one"], id="no-end"),
        pytest.param([b"one\n", b"two\r\n", b"\n", b"three"], id="several"),
        pytest.param([b"123456\n", b"1234567\n", b"x" * 30 + b"\n", b"7\n"], id="across-pieces"),
    ],
)
def test_lines_come_with_their_ends(store, lines):
    store.write(URI, b"".join(lines), content_type="", kms_key=None)
    assert list(store.open_lines(URI)) == lines


def test_lines_of_nothing_are_an_error(store):
    with pytest.raises(StorageError) as caught:
        list(store.open_lines(URI))
    assert caught.value.reason == "not-found"


def test_a_file_is_written_whole_and_replaces_what_was_there(store, tmp_path):
    path = tmp_path / "draft"
    for body in (b"first\n" * 100_000, b"second\n", b""):
        path.write_bytes(body)
        store.write_file(URI, path, content_type="application/jsonlines", kms_key=None)
        assert store.read(URI) == body
    assert list(store.list(f"s3://{BUCKET}/a")) == [URI]


@mock_aws
def test_a_file_is_written_with_its_type_and_key(tmp_path):
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    key = "arn:aws:kms:us-east-1:111122223333:key/0"
    (tmp_path / "draft").write_bytes(b"{}\n")
    S3Store().write_file(URI, tmp_path / "draft", content_type="text/x", kms_key=key)
    head = client.head_object(Bucket=BUCKET, Key="a.manifest")
    assert (head["ContentType"], head["SSEKMSKeyId"]) == ("text/x", key)
