import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from groundtruth.errors import StorageError
from groundtruth.storage import s3 as storage
from groundtruth.storage.s3 import PIECE_SIZE, S3Store, role_is_allowed, split_uri
from tests.stub_service import Reply, s3_error

pytestmark = pytest.mark.slow

URI = "s3://bucket/a/2026-05-04_09:30:12.json"
ROLE = "arn:aws:iam::123456789012:role/GroundTruthExecutionRole"


@pytest.fixture
def s3():
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")
        yield client


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://b/k", ("b", "k")),
        ("s3://b/a:b/ä ?#%2F//c", ("b", "a:b/ä ?#%2F//c")),
        ("s3://b/two\nlines", ("b", "two\nlines")),
    ],
)
def test_a_key_is_opaque(uri, expected):
    assert split_uri(uri) == expected


@pytest.mark.parametrize("uri", ["", "b/k", "s3://", "s3://b", "s3://b/", "s3:///k", "S3://b/k"])
def test_what_is_no_object_s_uri(uri):
    with pytest.raises(StorageError) as caught:
        split_uri(uri)
    assert (caught.value.uri, caught.value.reason) == (uri, "bad-uri")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (ROLE, True),
        ("arn:aws:iam::123456789012:role/GroundTruth*", True),
        ("arn:aws:iam::123456789012:role/groundtruth*", False),
        ("arn:aws:iam::999999999999:role/*", False),
        ("", False),
    ],
)
def test_a_role_matches_its_pattern_letter_for_letter(pattern, expected):
    assert role_is_allowed(ROLE, pattern) is expected


def test_what_is_written_can_be_read_and_listed(s3):
    store = S3Store()
    for uri in (URI, "s3://bucket/a/b/1", "s3://bucket/ab"):
        store.write(uri, b"\x00\xff", content_type="image/png", kms_key=None)
    assert store.read(URI) == b"\x00\xff"
    assert list(store.list("s3://bucket/a/")) == [URI, "s3://bucket/a/b/1"]
    assert datetime.now(UTC) - store.modified(URI) < timedelta(minutes=1)
    head = s3.head_object(Bucket="bucket", Key="a/2026-05-04_09:30:12.json")
    assert head["ContentType"] == "image/png"
    assert "SSEKMSKeyId" not in head


def test_objects_are_removed_whether_they_are_there_or_not(s3, monkeypatch):
    monkeypatch.setattr(storage, "_REMOVED_AT_ONCE", 2)
    store = S3Store()
    uris = [f"s3://bucket/a/{number}" for number in range(5)]
    for uri in (*uris, URI):
        store.write(uri, b"x", content_type="text/plain", kms_key=None)
    store.remove([*uris, "s3://bucket/a/not-there"])
    assert list(store.list("s3://bucket/a")) == [URI]


def test_an_object_that_may_not_be_removed_is_named(stub_s3):
    said = "<Error><Key>a</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
    stub_s3.replies = [Reply(200, body=f"<DeleteResult>{said}</DeleteResult>".encode())]
    with pytest.raises(StorageError, match="s3://bucket/a: delete_objects failed: no") as caught:
        S3Store().remove(["s3://bucket/a"])
    assert caught.value.reason == "access-denied"


def test_an_object_is_written_with_the_key(s3):
    key = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    S3Store().write(URI, b"x", content_type="image/png", kms_key=key)
    head = s3.head_object(Bucket="bucket", Key="a/2026-05-04_09:30:12.json")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="none"),
        pytest.param([b"one\n", b"two\r\n", b"\n", b"no end"], id="ends-are-kept"),
        pytest.param([b"x" * PIECE_SIZE + b"\n", b"y" * 3 * PIECE_SIZE, b""], id="long-lines"),
        pytest.param([b"x" * (PIECE_SIZE - 1) + b"\n", b"y\n"], id="an-end-between-two-pieces"),
    ],
)
def test_lines_come_one_at_a_time(s3, lines):
    S3Store().write(URI, b"".join(lines), content_type="text/plain", kms_key=None)
    assert list(S3Store().open_lines(URI)) == [line for line in lines if line]


def test_a_file_is_sent_as_an_object(s3, tmp_path):
    path = tmp_path / "output.manifest"
    path.write_bytes(b"one\ntwo\n")
    S3Store().write_file(URI, path, content_type="application/jsonlines", kms_key=None)
    assert S3Store().read(URI) == b"one\ntwo\n"


def test_a_long_listing_is_read_to_its_end(s3, monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    uris = [f"s3://bucket/many/{at}" for at in range(5)]
    for uri in uris:
        S3Store().write(uri, b"", content_type="text/plain", kms_key=None)
    assert list(S3Store().list("s3://bucket/many/")) == uris


@pytest.mark.parametrize("uri", ["s3://bucket/none", "s3://no-such-bucket/k"])
@pytest.mark.parametrize(
    "operation",
    [S3Store.read, S3Store.modified, lambda store, uri: next(store.open_lines(uri))],
    ids=["read", "modified", "lines"],
)
def test_what_is_missing_is_not_found(s3, uri, operation):
    with pytest.raises(StorageError) as caught:
        operation(S3Store(), uri)
    assert (caught.value.uri, caught.value.reason) == (uri, "not-found")


@pytest.mark.parametrize(
    ("reply", "reason", "requests"),
    [
        pytest.param(s3_error(403, "AccessDenied"), "access-denied", 1, id="denied"),
        pytest.param(s3_error(400, "KMS.DisabledException"), "access-denied", 1, id="key-is-off"),
        pytest.param(s3_error(404, "NoSuchKey"), "not-found", 1, id="missing"),
        pytest.param(s3_error(400, "KeyTooLongError"), "bad-uri", 1, id="key-too-long"),
        pytest.param(s3_error(503, "SlowDown"), "unavailable", 6, id="throttled"),
        pytest.param(s3_error(500, "InternalError"), "unavailable", 6, id="fault-of-the-service"),
        pytest.param(Reply(502, b"<html>"), "unavailable", 6, id="bad-gateway"),
        pytest.param(s3_error(400, "ExpiredToken"), "unavailable", 1, id="credentials-ran-out"),
    ],
)
def test_a_failure_tells_whether_it_may_pass(stub_s3, reply, reason, requests):
    stub_s3.replies = [reply]
    with pytest.raises(StorageError) as caught:
        S3Store().read(URI)
    assert (caught.value.uri, caught.value.reason) == (URI, reason)
    assert len(stub_s3.requests) == requests


def test_throttling_that_passes_is_not_seen(stub_s3):
    stub_s3.replies = [s3_error(503, "SlowDown"), s3_error(503, "SlowDown"), Reply(200, b"[]")]
    assert S3Store().read(URI) == b"[]"


def test_a_body_that_breaks_off_once_is_asked_for_again(stub_s3):
    broken_off = Reply(200, b"[1", {"Content-Length": "9", "Connection": "close"})
    stub_s3.replies = [broken_off, broken_off, Reply(200, b"[1]")]
    assert S3Store().read(URI) == b"[1]"
    assert len(stub_s3.requests) == 3


def test_a_body_that_breaks_off_may_pass(stub_s3):
    stub_s3.replies = [Reply(200, b"[1", {"Content-Length": "9", "Connection": "close"})]
    with pytest.raises(StorageError) as caught:
        S3Store().read(URI)
    assert caught.value.reason == "unavailable"


def test_no_way_to_the_service_may_pass(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with pytest.raises(StorageError) as caught:
        S3Store().read(URI)
    assert caught.value.reason == "unavailable"


@pytest.mark.parametrize("uri", ["s3://Not A Bucket/k", "s3://b/" + "k" * 3000])
def test_a_uri_that_can_never_be_is_no_passing_fault(s3, uri):
    with pytest.raises(StorageError) as caught:
        S3Store().read(uri)
    assert caught.value.reason != "unavailable"


def test_a_role_s_credentials_are_used_and_kept(s3):
    boto3.client("iam").create_role(RoleName="Labels", AssumeRolePolicyDocument="{}")
    S3Store().write(URI, b"x", content_type="text/plain", kms_key=None)
    store = S3Store()
    assumed = store.acting_as("arn:aws:iam::123456789012:role/Labels")
    assert assumed.read(URI) == b"x"
    assert assumed._client._request_signer._credentials.token != ""
    assert assumed._client is assumed._client
    assert store.acting_as("arn:aws:iam::123456789012:role/Labels") is assumed
    assert assumed is not store


def test_a_role_s_credentials_are_renewed_before_they_run_out(s3, monkeypatch):
    S3Store().write(URI, b"x", content_type="text/plain", kms_key=None)
    store = S3Store().acting_as(ROLE)
    first = store._client
    monkeypatch.setattr(storage, "RENEWED_BEFORE", timedelta(days=1))
    assert store._client is not first
    assert store.read(URI) == b"x"


def test_a_role_that_may_not_be_assumed_is_denied(stub_s3, monkeypatch):
    error = (
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
        "<Message>not authorized</Message></Error></ErrorResponse>"
    )
    stub_s3.replies = [Reply(403, error.encode(), {"Content-Type": "text/xml"})]
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", stub_s3.endpoint)
    with pytest.raises(StorageError) as caught:
        S3Store().acting_as(ROLE).read(URI)
    assert caught.value.reason == "access-denied"


def test_making_a_store_opens_nothing(monkeypatch):
    for variable in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(variable)
    assert S3Store()._opened is None


def test_json_survives_the_store(s3):
    text = json.dumps({"ä": [1, None]}).encode()
    S3Store().write(URI, text, content_type="application/json", kms_key=None)
    assert S3Store().read(URI) == text
