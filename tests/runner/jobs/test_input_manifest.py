"""Images to manifest lines, and the reasons of those that get none."""

import json
from pathlib import Path

import pytest

from labeljob.jobs.images import FoundImage, LeftOut, ReadError, local_images
from labeljob.jobs.input_manifest import (
    ManifestError,
    below_prefix,
    make_manifest,
    parse_attributes,
    relative_to,
)
from tests.runner.image_files import image_bytes


def image(place, body=b"", *, key=None):
    return FoundImage(place=place, key=key or place, read=lambda: body)


def made(found, *, attributes=None, read_images=True, source_ref=None):
    return make_manifest(
        found,
        source_ref=source_ref or (lambda item: item.place),
        attributes=attributes or {},
        read_images=read_images,
    )


def source_refs(manifest):
    return [json.loads(line)["source-ref"] for line in manifest.lines]


def reasons(manifest):
    return {item.place: item.reason for item in manifest.left_out}


def write(folder, *names):
    for at, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(image_bytes(seed=at))


def test_one_line_of_json_for_each_image_in_order():
    found = [image(f"s3://b/{at}.png", image_bytes(seed=at)) for at in range(20)]
    manifest = made(found, attributes={"site": "é"})
    assert [json.loads(line) for line in manifest.text.splitlines()] == [
        {"source-ref": f"s3://b/{at}.png", "site": "é"} for at in range(20)
    ]
    assert (manifest.left_out, manifest.warnings) == ((), ())


def test_what_was_left_out_while_looking_stays_left_out():
    out = LeftOut(place="notes.txt", reason="not an image")
    assert made([out, image("s3://b/a.png", image_bytes())]).left_out == (out,)


def test_an_image_that_cannot_be_decoded_is_left_out_unless_images_are_not_read():
    found = [image("s3://b/a.png", b"hello")]
    assert list(reasons(made(found))) == ["s3://b/a.png"]
    assert source_refs(made(found, read_images=False)) == ["s3://b/a.png"]


def test_an_image_that_cannot_be_read_is_left_out():
    def denied():
        raise ReadError("Permission denied")

    manifest = made([FoundImage(place="s3://b/a.png", key="a.png", read=denied)])
    assert reasons(manifest) == {"s3://b/a.png": "cannot be read: Permission denied"}


def test_warnings_name_the_image_and_keep_it():
    manifest = made([image("s3://b/a.jpg", image_bytes("JPEG", orientation=6))])
    assert source_refs(manifest) == ["s3://b/a.jpg"]
    assert manifest.warnings[0].startswith("s3://b/a.jpg: ")


def test_the_same_object_named_twice_gets_one_line():
    manifest = made([image("s3://b/a.png", image_bytes())] * 2)
    assert source_refs(manifest) == ["s3://b/a.png"]
    assert reasons(manifest) == {"s3://b/a.png": "named twice"}


def test_the_same_file_by_two_paths_gets_one_line(tmp_path):
    write(tmp_path, "a.png")
    (tmp_path / "b.png").symlink_to("a.png")
    manifest = made(local_images(str(tmp_path)), source_ref=relative_to(tmp_path))
    assert source_refs(manifest) == ["a.png"]
    assert "the same file as" in reasons(manifest)[str(tmp_path / "b.png")]


def test_two_files_that_would_have_one_uri_get_one_line(tmp_path):
    write(tmp_path, "x/a.png", "y/a.png")
    found = [*local_images(str(tmp_path / "x")), *local_images(str(tmp_path / "y"))]
    manifest = made(found, source_ref=below_prefix("s3://bucket"))
    assert source_refs(manifest) == ["s3://bucket/a.png"]
    assert "the same URI" in reasons(manifest)[str(tmp_path / "y" / "a.png")]


def test_two_files_with_the_same_content_are_kept_with_a_warning():
    body = image_bytes()
    manifest = made([image("s3://b/a.png", body), image("s3://b/b.png", body)])
    assert len(manifest.lines) == 2
    assert "same content as s3://b/a.png" in manifest.warnings[0]


def test_a_line_that_is_too_long_is_left_out():
    attributes = {str(at): "x" * 20_000 for at in range(5)}
    assert made([image("s3://b/a.png", image_bytes())], attributes=attributes).lines == ()


@pytest.mark.parametrize(("n_characters", "kept"), [(1_020, True), (1_021, False)])
def test_a_key_has_at_most_1024_bytes(n_characters, kept):
    found = [image(f"s3://b/{'k' * n_characters}.png", image_bytes())]
    assert (made(found).lines != ()) is kept


def test_a_key_that_aws_advises_against_is_kept_with_a_warning():
    manifest = made([image("s3://b/a#b.png", image_bytes())])
    assert source_refs(manifest) == ["s3://b/a#b.png"]
    assert len(manifest.warnings) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("n_images", "n_warnings"), [(20_000, 0), (20_001, 1), (100_001, 1)])
def test_more_images_than_a_job_takes_is_a_warning(n_images, n_warnings):
    found = (image(f"s3://b/{at}.png") for at in range(n_images))
    assert len(made(found, read_images=False).warnings) == n_warnings


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("s3://bucket", "s3://bucket/sub/é a+b%20.png"),
        ("s3://bucket/", "s3://bucket/sub/é a+b%20.png"),
        ("s3://bucket/in/x", "s3://bucket/in/x/sub/é a+b%20.png"),
        ("s3://bucket/in/x/", "s3://bucket/in/x/sub/é a+b%20.png"),
    ],
)
def test_uris_below_a_prefix_are_raw(prefix, expected):
    assert below_prefix(prefix)(image("any", key="sub/é a+b%20.png")) == expected


@pytest.mark.parametrize("prefix", ["", "bucket/in", "s3://", "s3://B", "s3:///in", "https://b/x"])
def test_what_is_no_s3_prefix_is_an_error(prefix):
    with pytest.raises(ManifestError):
        below_prefix(prefix)


def test_paths_are_relative_below_the_manifests_folder_and_absolute_elsewhere(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    source_ref = relative_to(Path("here"))
    assert source_ref(image("here/sub/a.png")) == "sub/a.png"
    assert source_ref(image("here/../here/a.png")) == "a.png"
    assert source_ref(image("there/a.png")) == str(tmp_path / "there" / "a.png")


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param("site", id="no-value"),
        pytest.param("=north", id="no-key"),
        pytest.param("source-ref=s3://b/x", id="source-ref"),
        pytest.param("source=x", id="source"),
        pytest.param("$x=1", id="dollar"),
        pytest.param("x=" + "y" * 20_001, id="too-long"),
    ],
)
def test_attributes_that_ground_truth_does_not_allow_are_an_error(pair):
    with pytest.raises(ManifestError):
        parse_attributes([pair])


def test_an_attribute_given_twice_is_an_error():
    with pytest.raises(ManifestError):
        parse_attributes(["a=1", "a=2"])
