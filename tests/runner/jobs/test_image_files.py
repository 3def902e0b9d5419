"""Which file on this machine a manifest's line means."""

import errno
import os
from pathlib import Path

import pytest
from PIL import Image

from groundtruth.errors import StorageError
from groundtruth.storage.folder import FolderStore
from labeljob.jobs.description import JobDescription, now
from labeljob.jobs.image_files import ImageFiles, find_beside, find_near, image_name
from labeljob.jobs.job_location import LOCAL_OUTPUT, JobPlace
from labeljob.tasks.registry import find_job_type


def touch(top, *names):
    for name in names:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.parent.name)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("s3://bucket/b/1.jpg", "b/1.jpg", id="longest-end"),
        pytest.param("/data/upload/7/0a1b2c3d-tea_cup_2.jpg", "a/tea cup (2).jpg", id="upload"),
        pytest.param(
            "http://localhost:8080/data/upload/7/0a1b2c3d-2.jpg", "a/2.jpg", id="upload-address"
        ),
        pytest.param("/data/upload/7/0a1b2c3d-1.jpg", None, id="upload-of-two-folders"),
        pytest.param("/data/upload/7/0a1b2c3d-3.jpg", "a/3.jpg", id="upload-and-a-copy"),
        pytest.param("/data/upload/7/1.jpg-0a1b2c3d", None, id="no-upload"),
        pytest.param("/data/local-files/?d=b/1.jpg", "b/1.jpg", id="local-files"),
        pytest.param("/data/local-files/?d=x%2Fa%2F1.jpg", "a/1.jpg", id="local-files-quoted"),
        pytest.param("https://example.org/a/1.jpg?sig=f%2F3", "a/1.jpg", id="signed-address"),
        pytest.param("https://example.org/tea%20cup%20(2).jpg", "a/tea cup (2).jpg", id="quoted"),
        pytest.param("b/10:35.png", "b/10_35.png", id="no-colon"),
        pytest.param("s3://bucket/9.jpg", None, id="missing"),
        pytest.param("http://[broken/1.jpg?x", None, id="no-address"),
    ],
)
def test_a_source_names_one_file(tmp_path, source, expected):
    touch(tmp_path, "a/1.jpg", "b/1.jpg", "a/2.jpg", "a/tea cup (2).jpg", "b/10_35.png")
    touch(tmp_path, "a/3.jpg", "copies/a/3.jpg")
    path = ImageFiles(tmp_path).find(source)
    assert path == (expected and tmp_path / expected)


def test_images_beside_an_export_are_found_and_no_others(tmp_path):
    touch(tmp_path, "photos/a/1.jpg", "photos/b/2.jpg", "notes/1.txt", ".cache/1.jpg", "x.json")
    touch(tmp_path, "labeljob-store/.labeling-jobs/j.json", "labeljob-store/labeljob/jobs/1.jpg")
    files = [tmp_path / "x.json"]
    sources = ["/data/upload/1/0a1b2c3d-1.jpg", "2.jpg", "3.jpg"]
    assert find_beside(files, sources) == tmp_path / "photos"
    assert find_beside(files, sources[:1]) == tmp_path / "photos/a"
    assert find_beside(files, sources[2:]) is None


def test_folders_that_cannot_be_listed_are_passed_over(tmp_path, monkeypatch):
    touch(tmp_path, "photos/1.jpg", "theirs/1.jpg")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "theirs":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # to root, who may run this, all folders are open
    assert find_beside([tmp_path / "x.json"], ["1.jpg"]) == tmp_path / "photos"


def test_a_copy_of_a_bucket_has_its_images_where_the_bucket_had_them(tmp_path):
    job = tmp_path / "store/my-bucket/labels/birds"
    touch(tmp_path, "store/my-bucket/photos/1.jpg", "store/secret.txt", "1.jpg")
    photo = tmp_path / "store/my-bucket/photos/1.jpg"
    assert find_near(job, "s3://my-bucket/photos/1.jpg") == photo
    assert find_near(job, "s3://renamed/photos/1.jpg") == photo
    for source in (
        "s3://my-bucket/photos/2.jpg",
        "s3://my-bucket/../../1.jpg",
        "s3://my-bucket/secret.txt",
        "https://my-bucket/photos/1.jpg",
        "/etc/1.jpg",
        "",
        f"s3://my-bucket/{'x' * 400}.jpg",
    ):
        assert find_near(job, source) is None


@pytest.mark.parametrize(
    "source", ["", "..", "https://example.org/%2E%2E", "https://example.org/%00.jpg"]
)
def test_what_is_no_file_has_no_name(source):
    assert image_name(source) == ""


def test_of_a_manifest_nothing_is_read_but_what_can_be_labeled(tmp_path):
    touch(tmp_path, "1.jpg", "1.wav", "key.pem", "passwd")
    Image.new("L", (2, 2)).save(tmp_path / "2", "PNG")
    lines = ("1.jpg", "1.wav", "2", "key.pem", str(tmp_path / "passwd"), "missing")
    description = JobDescription(
        name="pets",
        task=find_job_type("image-multi-class"),
        labels=("cat", "dog"),
        attribute="label",
        output=LOCAL_OUTPUT,
        manifest=str(tmp_path / "pets.manifest"),
        crew="3",
        per_object=3,
        started=now(),
    )
    place = JobPlace(
        root=f"{LOCAL_OUTPUT}/pets",
        store=FolderStore(tmp_path),
        is_copy=False,
        description=description,
    )
    found = [place.find_file(line) for line in lines]
    assert found == [*(tmp_path / name for name in lines[:3]), None, None, None]
    for line, problem in (("key.pem", "is no image"), ("missing", "No such file")):
        with pytest.raises(StorageError, match=problem):
            place.read(line)
