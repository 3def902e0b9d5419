"""What is found in files, folders and buckets; nothing is passed over in silence."""

import os
from pathlib import Path

import pytest
from botocore.stub import Stubber

from groundtruth.storage.s3 import S3Store
from labeljob.jobs.images import (
    FoundImage,
    LeftOut,
    ReadError,
    SourceError,
    local_images,
    s3_client,
    s3_images,
)
from tests.runner.image_files import image_bytes

pytestmark = pytest.mark.slow


def names(found):
    return [item.key if isinstance(item, FoundImage) else item.place for item in found]


def reason(found):
    (only,) = found
    assert isinstance(only, LeftOut)
    return only.reason


def test_a_folder_gives_all_images_below_it_sorted(tmp_path):
    for name in ("b.png", "a/z.JPG", "a/b/c.jpeg", "é.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert names(local_images(str(tmp_path))) == ["a/b/c.jpeg", "a/z.JPG", "b.png", "é.png"]


def test_a_file_is_named_by_itself(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"x")
    (found,) = local_images(str(tmp_path / "cat.png"))
    assert isinstance(found, FoundImage)
    assert (found.key, found.read()) == ("cat.png", b"x")


def test_a_source_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SourceError):
        list(local_images(str(tmp_path / "nothing")))


def test_an_empty_folder_gives_nothing(tmp_path):
    assert list(local_images(str(tmp_path))) == []


def test_a_file_that_is_no_image_is_left_out(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    assert reason(local_images(str(tmp_path))) == "not a .jpg, .jpeg or .png file"


HIDDEN = [".DS_Store", "._a.jpg", ".b.png", "Thumbs.db", "in/._a.jpg", "__MACOSX/in/a.jpg"]


def test_hidden_files_and_the_computers_own_are_left_out(tmp_path):
    for name in (*HIDDEN, ".git/c.png", "in/a.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = list(local_images(str(tmp_path)))
    assert names(item for item in found if isinstance(item, FoundImage)) == ["in/a.jpg"]
    left = {item.place.removeprefix(f"{tmp_path}/"): item.reason for item in found[:-1]}
    # A hidden folder is one line, whatever is in it.
    assert set(left) == {*HIDDEN[:-1], "__MACOSX", ".git"}
    assert set(left.values()) == {f"hidden, or a computer's own: {Path(n).name}" for n in left}


def test_a_hidden_file_or_folder_that_is_named_is_meant(tmp_path):
    (tmp_path / ".cats").mkdir()
    (tmp_path / ".cats/.a.jpg").write_bytes(b"x")
    (tmp_path / ".cats/b.jpg").write_bytes(b"x")
    assert names(local_images(str(tmp_path / ".cats/.a.jpg"))) == [".a.jpg"]
    found = local_images(str(tmp_path / ".cats"))
    assert names(item for item in found if isinstance(item, FoundImage)) == ["b.jpg"]


def test_hidden_objects_below_a_prefix_are_left_out(s3_server, in_bucket):
    for key in ("in/a.jpg", *(f"in/{name}" for name in HIDDEN)):
        s3_server.put_object(Bucket="photos", Key=key, Body=b"x")
    found = in_bucket("s3://photos/in/")
    assert names(item for item in found if isinstance(item, FoundImage)) == ["in/a.jpg"]
    assert len(found) == 1 + len(HIDDEN)


def test_a_link_to_nothing_is_left_out(tmp_path):
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    assert reason(local_images(str(tmp_path))) == "a link to nothing"


def test_a_link_to_a_folder_is_left_out_and_not_followed(tmp_path):
    (tmp_path / "self").symlink_to(tmp_path)
    assert "link to a folder" in reason(local_images(str(tmp_path)))


def test_a_pipe_is_left_out(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert reason(local_images(str(tmp_path))) == "not a file"


def test_a_name_that_is_not_utf_8_is_left_out(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    assert reason(local_images(str(tmp_path))) == "its name is not UTF-8"


def test_an_image_that_vanishes_before_it_is_read_is_a_read_error(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"x")
    (found,) = local_images(str(tmp_path))
    (tmp_path / "cat.png").unlink()
    with pytest.raises(ReadError):
        found.read()


@pytest.fixture
def in_bucket(s3_server):
    def find(prefix):
        return list(s3_images(prefix, client=s3_client(), store=S3Store()))

    s3_server.create_bucket(Bucket="photos")
    return find


def test_a_prefix_gives_its_objects_with_raw_keys(s3_server, in_bucket):
    for key in ("in/a b+c.jpg", "in/é%20.PNG", "in/", "in/notes.txt", "other/x.png"):
        s3_server.put_object(Bucket="photos", Key=key, Body=b"" if key == "in/" else b"x")
    found = in_bucket("s3://photos/in/")
    assert [item.place for item in found if isinstance(item, FoundImage)] == [
        "s3://photos/in/a b+c.jpg",
        "s3://photos/in/é%20.PNG",
    ]
    assert {item.place: item.reason for item in found if isinstance(item, LeftOut)} == {
        "s3://photos/in/": "a folder",
        "s3://photos/in/notes.txt": "not a .jpg, .jpeg or .png file",
    }
    assert found[1].read() == b"x"


def test_the_objects_of_every_page_of_the_list_are_found(aws_endpoint):
    client = s3_client()
    with Stubber(client) as stubber:
        for key, more in (("in/1.png", {"IsTruncated": True, "NextContinuationToken": "t"}),
                          ("in/2.png", {"IsTruncated": False})):  # fmt: skip
            stubber.add_response("list_objects_v2", {"Contents": [{"Key": key, "Size": 1}], **more})
        found = list(s3_images("s3://photos/in/", client=client, store=S3Store()))
    assert names(found) == ["in/1.png", "in/2.png"]


def test_an_object_of_its_own_is_found(s3_server, in_bucket):
    s3_server.put_object(Bucket="photos", Key="in/a.png", Body=image_bytes())
    assert names(in_bucket("s3://photos/in/a.png")) == ["in/a.png"]


@pytest.mark.parametrize("source", ["s3://photos/none/", "s3://no-such-bucket/in/", "s3://"])
def test_a_prefix_without_objects_is_an_error(in_bucket, source):
    with pytest.raises(SourceError):
        in_bucket(source)


def test_an_object_that_vanishes_before_it_is_read_is_a_read_error(s3_server, in_bucket):
    s3_server.put_object(Bucket="photos", Key="in/a.png", Body=b"x")
    (found,) = in_bucket("s3://photos/in/")
    s3_server.delete_object(Bucket="photos", Key="in/a.png")
    with pytest.raises(ReadError):
        found.read()
