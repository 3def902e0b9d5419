"""`labeljob manifest`, as a person calls it."""

import json

import pytest

from labeljob.commands.manifest import manifest
from tests.runner.command_line import lines_of, run
from tests.runner.image_files import image_bytes

pytestmark = pytest.mark.slow


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    (tmp_path / "photos" / "b.png").write_bytes(image_bytes(seed=1))
    (tmp_path / "photos" / "sub" / "é a.JPG").write_bytes(image_bytes("JPEG", seed=2))
    return tmp_path / "photos"


def source_refs(path):
    return [json.loads(line)["source-ref"] for line in path.read_text("utf-8").splitlines()]


def test_paths_for_a_job_on_this_machine(photos, tmp_path):
    result = run(manifest, "photos", "--output", "jobs/in.manifest", "--attribute", "site=north")
    assert result.exit_code == 0
    assert result.stdout == ""
    lines = (tmp_path / "jobs" / "in.manifest").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"source-ref": str(photos / "b.png"), "site": "north"},
        {"source-ref": str(photos / "sub" / "é a.JPG"), "site": "north"},
    ]


def test_paths_are_relative_to_the_manifest_by_default(photos, tmp_path):
    assert run(manifest, "photos").exit_code == 0
    assert source_refs(tmp_path / "input.manifest") == ["photos/b.png", "photos/sub/é a.JPG"]


def test_uris_for_images_that_will_be_in_s3(photos, tmp_path):
    result = run(manifest, "photos/b.png", "photos/sub", "--s3-prefix", "s3://bucket/in/")
    assert result.exit_code == 0
    assert source_refs(tmp_path / "input.manifest") == [
        "s3://bucket/in/b.png",
        "s3://bucket/in/é a.JPG",
    ]


def test_images_that_are_in_s3(s3_server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    s3_server.create_bucket(Bucket="photos")
    s3_server.put_object(Bucket="photos", Key="in/é a.png", Body=image_bytes())
    s3_server.put_object(Bucket="photos", Key="in/bad.png", Body=b"hello")
    result = run(manifest, "s3://photos/in/")
    assert result.exit_code == 0
    assert source_refs(tmp_path / "input.manifest") == ["s3://photos/in/é a.png"]
    assert "bad.png" in result.stderr


def test_standard_output_has_the_manifest_alone(photos):
    (photos / "notes.txt").write_text("x")
    result = run(manifest, "photos", "--output", "-")
    assert [json.loads(line)["source-ref"] for line in result.stdout.splitlines()] == [
        "photos/b.png",
        "photos/sub/é a.JPG",
    ]
    assert "notes.txt" in result.stderr


def test_what_is_left_out_is_listed_with_the_reason(photos):
    (photos / "notes.txt").write_text("x")
    (photos / "bad [1].png").write_text("hello")
    (photos / "turned.jpg").write_bytes(image_bytes("JPEG", orientation=6))
    result = run(manifest, "photos")
    assert result.exit_code == 0
    assert "Left out: 2" in result.stderr
    assert "notes.txt" in result.stderr
    assert "bad [1].png" in result.stderr
    assert any(line.startswith("warning: photos/turned.jpg") for line in lines_of(result.stderr))


def test_a_name_cannot_command_the_terminal(photos):
    (photos / "\x1b[31mred.png").write_text("hello")
    result = run(manifest, "photos")
    assert "\x1b[31mred" not in result.stderr


def test_nothing_left_is_an_error_and_no_file_is_written(photos, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    result = run(manifest, "notes.txt")
    assert result.exit_code == 1
    assert not (tmp_path / "input.manifest").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["nothing-here"], id="no-such-folder"),
        pytest.param(["photos", "--output", "photos"], id="folder-as-output"),
        pytest.param(["photos", "--output", "photos/b.png/x"], id="file-as-folder"),
    ],
)
def test_a_problem_is_one_line_without_a_traceback(photos, arguments):
    result = run(manifest, *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = lines_of(result.stderr)
    assert line.startswith("error: ")


def test_an_s3_that_cannot_be_reached_is_one_line(aws_endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    result = run(manifest, "s3://photos/in/")
    assert result.exit_code == 1
    assert len(lines_of(result.stderr)) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no-images"),
        pytest.param(["photos", "--s3-prefix", "bucket"], id="no-prefix"),
        pytest.param(["photos", "--attribute", "site"], id="no-value"),
        pytest.param(["photos", "--colour"], id="unknown-option"),
    ],
)
def test_a_wrong_call_is_a_usage_error(photos, arguments):
    assert run(manifest, *arguments).exit_code == 2


def test_an_unfinished_write_leaves_the_old_manifest(photos, tmp_path):
    assert run(manifest, "photos").exit_code == 0
    before = (tmp_path / "input.manifest").read_bytes()
    assert run(manifest, "photos", "nothing-here").exit_code == 1
    assert (tmp_path / "input.manifest").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input.manifest", "photos"]
