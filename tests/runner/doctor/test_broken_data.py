"""The manifest and its images broken in turn."""

import json

import pytest

from tests.runner.doctor.account import BUCKET, N_IMAGES
from tests.runner.doctor.reports import errors, not_checked, of, said
from tests.runner.image_files import image_bytes

pytestmark = pytest.mark.slow

REF = f"s3://{BUCKET}/images/0.png"


def line(ref=REF, **more):
    return json.dumps({"source-ref": ref, **more})


MANIFESTS = {
    "not-json": ([line(), "{"], "line-unreadable"),
    "blank": ([line(), ""], "line-unreadable"),
    "no-object": (["[]"], "line-unreadable"),
    "too-long": ([line(**{f"a{n}": "x" * 19_000 for n in range(6)})], "line-too-long"),
    "long-attribute": ([line(note="x" * 20_001)], "attribute-too-long"),
    "dollar": ([line(**{"$sequencer": 1})], "attribute-name"),
    "no-source": ([json.dumps({"image": REF})], "source-ref"),
    "not-s3": ([line("images/0.png")], "source-ref"),
    "folder": ([line(f"s3://{BUCKET}/images/")], "source-ref"),
    "long-key": ([line(f"s3://{BUCKET}/{'x' * 1_025}.png")], "source-ref"),
    "text": ([line(source="a text")], "source"),
    "gif": ([line(f"s3://{BUCKET}/images/0.gif")], "image-name"),
    "empty": ([], "manifest-empty"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_bad_line_is_an_error(name, account, examined):
    lines, code = MANIFESTS[name]
    account.put_manifest(*lines)
    report = examined(account)
    assert ("manifest", code) in errors(report)
    assert all(finding["fix"] for finding in of(report, code))


def test_a_line_is_named_by_its_number(account, examined):
    account.put_manifest(line(), "{")
    (finding,) = of(examined(account), "line-unreadable")
    assert finding["where"] == f"s3://{BUCKET}/input.manifest:2"


def test_an_image_that_is_there_twice_is_a_warning(account, examined):
    account.put_manifest(line(), line(site="pond"))
    report = examined(account)
    assert errors(report) == set()
    assert ("manifest", "duplicate-ref") in said(report, "warning")


def test_lines_that_are_labeled_already_are_counted(account, examined):
    account.put_manifest(line(label={"class": 0}))
    assert ("manifest", "already-labeled") in said(examined(account), "warning")


def test_many_bad_lines_are_counted_and_not_listed(account, examined):
    account.put_manifest(*["{"] * 100)
    found = of(examined(account), "line-unreadable")
    assert len(found) == 6
    assert found[-1]["text"].startswith("95 more")


IMAGES = {
    "absent": (lambda a: a.s3.delete_object(Bucket=BUCKET, Key="images/0.png"), "image-absent"),
    "empty": (lambda a: a.put("images/0.png", b""), "image-size"),
    "large": (lambda a: a.put("images/0.png", bytes(40 * 1024 * 1024 + 1)), "image-size"),
    "damaged": (lambda a: a.put("images/0.png", image_bytes()[:200]), "image-unusable"),
    "gif": (lambda a: a.put("images/0.png", image_bytes("GIF")), "image-unusable"),
}


@pytest.mark.parametrize("name", IMAGES)
def test_a_bad_image_is_an_error(name, account, examined):
    break_it, code = IMAGES[name]
    break_it(account)
    report = examined(account)
    assert errors(report) == {("images", code)}
    (finding,) = of(report, code)
    assert finding["where"] == f"line 1: {REF}"
    assert finding["fix"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(image_bytes(orientation=6), id="rotated"),
        pytest.param(image_bytes("JPEG"), id="other-format"),
    ],
)
def test_an_image_that_may_surprise_is_a_warning(body, account, examined):
    account.put("images/0.png", body)
    report = examined(account)
    assert errors(report) == set()
    assert said(report, "warning") == {("images", "image-advice")}


def test_what_a_sample_leaves_out_is_said(account, examined):
    assert "images" in not_checked(examined(account, "--sample=2"))
    assert "images" not in not_checked(examined(account, "--sample=0"))
    assert "images" not in not_checked(examined(account, f"--sample={N_IMAGES}"))
