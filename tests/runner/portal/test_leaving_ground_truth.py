"""How to leave Ground Truth and other tools, command by command, with jobs that are half done."""

import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from labeljob.commands import app
from tests.runner.formats.foreign_files import cvat
from tests.runner.history import job_folders
from tests.runner.portal.live_portal import serve

pytestmark = pytest.mark.slow

PAGES = Path(__file__).resolve().parents[3] / "docs/how-to"
REMARK = "<!-- run by tests/runner/portal/test_leaving_ground_truth.py -->"
NAMES = ("cat", "dog")


def blocks(page="leaving-ground-truth.md"):
    """The commands of each block that this test runs."""
    text = (PAGES / page).read_text("utf-8")
    found = re.findall(rf"{re.escape(REMARK)}\n```sh\n(.*?)```", text, re.DOTALL)
    return [[shlex.split(line)[1:] for line in block.splitlines()] for block in found]


def run(command):
    outcome = CliRunner().invoke(app, command)
    assert outcome.exit_code == 0, outcome.output
    return outcome


def label_in_portal(command, job, name):
    """Run a command that serves a portal, and label everything as one class."""
    with serve(Path.cwd(), command) as portal:
        shown = portal.let_in(portal.links[1]).label_all(job, lambda image: name)
        assert len(portal.output_manifest(job)) == shown
    return shown


def labels_in(manifest):
    lines = map(json.loads, Path(manifest).read_text().splitlines())
    return [
        line.get(key, {}).get("class-name")
        for line in lines
        for key in line
        if key.endswith("-metadata")
    ]


@pytest.fixture
def half_done(tmp_path, monkeypatch):
    """What `aws s3 sync` brought: six images, of which Ground Truth labeled four."""
    monkeypatch.chdir(tmp_path)
    job = Path("labeljob-store/my-bucket/labels/birds")
    photos = Path("labeljob-store/my-bucket/photos")
    photos.mkdir(parents=True)
    lines = []
    for number in range(6):
        Image.new("RGB", (32, 24), (40 * number, 90, 120)).save(photos / f"{number}.jpg")
        line = {"source-ref": f"s3://my-bucket/photos/{number}.jpg"}
        if number < 4:
            said = {worker: job_folders.chosen("cat") for worker in ("ann", "bob", "cy")}
            path = job_folders.response_path(job, str(number))
            job_folders.write(path, job_folders.response(said))
            line = {**job_folders.builtin_line(number, "cat"), **line}
        lines.append(line)
    job_folders.write_manifest(job, lines)
    run(["labels", *NAMES, "-o", "labels.json"])
    return job


def test_a_half_done_job_goes_on_and_out_to_training(half_done):
    (look, rest, pool, train) = blocks()
    before = {path: path.read_bytes() for path in half_done.rglob("*") if path.is_file()}
    for command in look:
        run(command)
    requeue, portal = rest
    run(requeue)
    assert label_in_portal(portal, "birds-rest", "dog") == 2
    run(*pool)
    assert labels_in("birds-all/builtin.manifest") == ["cat"] * 4 + ["dog"] * 2
    assert {path: path.read_bytes() for path in before} == before

    for command in train:
        run(command)
    folders = {path.parent.name: path.name for path in sorted(Path("birds").rglob("*.jpg"))}
    assert set(folders) == set(NAMES)
    assert len(list(Path("birds").rglob("*.jpg"))) == 6
    finished = "labeljob-store/labeljob/jobs/birds-rest/manifests/output/finished.manifest"
    assert labels_in(finished) == ["dog"] * 2


def make_gulls():
    """An export of CVAT: two annotators, who agree on the first image alone."""
    Path("photos").mkdir()
    for number in range(2):
        Image.new("RGB", (32, 24), (90, 40 * number, 120)).save(f"photos/gull-{number}.jpg")
    for who, second in (("ann", "cat"), ("bob", "dog")):
        images = "".join(
            f'<image id="{number}" name="gull-{number}.jpg" width="32" height="24">'
            f'<tag label="{name}" source="manual"></tag></image>'
            for number, name in enumerate(("cat", second))
        )
        cvat(Path(f"{who}.xml"), images, who=who)


def test_annotations_of_another_tool_go_on_and_out_to_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_gulls()
    look, (requeue, labels, portal, pool), (back,), again, (train,) = blocks("other-tools.md")
    for command in look:
        run(command)
    run(requeue)
    run(labels)
    assert label_in_portal(portal, "gulls-again", "dog") == 1
    run(pool)
    assert labels_in("gulls-all/builtin.manifest") == ["cat", "dog"]
    run(back)
    assert [path.name for path in Path("gulls-back/images").iterdir()] == ["gull-1.jpg"]
    corrected = Path("gulls-back/annotations.xml").read_text().replace('label="cat"', 'label="dog"')
    Path("corrected.xml").write_text(corrected)
    for command in again:
        run(command)
    assert labels_in("gulls-both/builtin.manifest") == ["cat", "dog"]
    run(train)
    for part in ("train", "val"):
        assert len(json.loads(Path("gulls", f"{part}.json").read_text())["images"]) == 1


def test_with_the_input_manifest_in_its_place_what_is_left_is_found(half_done):
    manifest = half_done / "manifests/output/output.manifest"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    sources = [json.dumps({"source-ref": line["source-ref"]}) for line in lines]
    top = "annotations/consolidated-annotation/consolidation-response/iteration-1"
    response = [
        {
            "datasetObjectId": str(number),
            "consolidatedAnnotation": {
                "content": {key: value for key, value in line.items() if key != "source-ref"}
            },
        }
        for number, line in enumerate(lines[:4])
    ]
    job_folders.write(half_done / top / "2026-03-02_10:01:00.json", response)
    manifest.write_text("\n".join(sources) + "\n")
    (_, (requeue, _), *_) = blocks()
    run(requeue)
    rest = Path("birds-rest.manifest").read_text().splitlines()
    assert [json.loads(line)["source-ref"] for line in rest] == [
        f"s3://my-bucket/photos/{number}.jpg" for number in (4, 5)
    ]
