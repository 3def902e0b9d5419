"""Labels of an earlier job, shown to people who adjust or verify them."""

import html
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from labeljob.actions import portal
from labeljob.commands import app
from labeljob.portal import assignments
from labeljob.portal.portal import Portal
from labeljob.tasks.registry import find_job_type
from tests.runner.portal import people

pytestmark = pytest.mark.slow

JOBS = Path("labeljob-store/labeljob/jobs")
MANIFEST = JOBS / "zoo/manifests/output/output.manifest"

DOCS = Path(__file__).resolve().parents[3] / "docs/reference/labeljob.md"
VERIFY, SORT, ADJUST = (
    shlex.split(command)[1:]
    for command in re.search(
        r"run by tests/runner/portal/test_earlier_labels.py -->\n```sh\n(.*?)\n```",
        DOCS.read_text(encoding="utf-8"),
        re.DOTALL,
    )[1].splitlines()
)

# What AWS documents for jobs that adjust masks: the label's own keys in the manifest line.
DOCUMENTED_PAGE = """
<crowd-form>
  <crowd-semantic-segmentation
    name="crowd-semantic-segmentation"
    src="{{ task.input.taskObject | grant_read_access }}"
    header="Adjust"
    labels="{{ task.input.labels | to_json | escape }}"
    initial-value="{
      'src': '{{ task.input.manifestLine.mask-ref | grant_read_access }}',
      'labelMappings': {
        {% for box in task.input.manifestLine.mask-ref-metadata.internal-color-map %}
          {% if box[1]['class-name'] != 'BACKGROUND' %}
            {{ box[1]['class-name'] | to_json }}: {'color': {{ box[1]['hex-color'] | to_json }}},
          {% endif %}
        {% endfor %}
      }
    }"
  ></crowd-semantic-segmentation>
</crowd-form>
"""


def run(*words):
    outcome = CliRunner().invoke(app, [str(word) for word in words])
    assert outcome.exit_code == 0, outcome.output
    return outcome


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder that the owner is in; nothing is served, and jobs are begun all the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(portal, "_serve", lambda opened, options: None)
    return tmp_path


def label(folder, task, name="zoo", **wrong):
    """A finished job, in which people were wrong about some data objects."""
    opened = Portal(folder / "labeljob-store", settle=0)
    try:
        people.join(opened, *people.WORKERS)
        tags = {"consolidation:algorithm": "majority"}
        job = opened.begin(people.describe(folder, task, n_images=5, tags=tags, name=name))
        for worker in people.WORKERS:
            people.work(opened, job, worker, wrong=wrong.get(worker, ()))
        opened.run_due()
        assert job.output_manifest
    finally:
        opened.close()


def answer(folder, name, choose):
    """Two people answer all of a job; gives its pages by data object, and their task inputs."""
    opened = Portal(folder / "labeljob-store", settle=0)
    try:
        job = opened.jobs[name]
        pages, inputs = {}, {}
        for worker in map(people.worker_id, people.WORKERS[: job.description.per_object]):
            while lease := assignments.take(opened.database, name, worker, 300):
                number = lease.object_id
                inputs[number] = job.task_input(number)
                pages[number] = job.render(number, lambda uri: f"/granted/{uri}")
                for uri in re.findall(r"/granted/([^\"]+\.png)\"", html.unescape(pages[number])):
                    assert job.read_file(uri).startswith(b"\x89PNG")
                said = choose(number, inputs[number])
                assignments.submit(opened.database, name, number, worker, said)
        opened.run_due()
        assert job.output_manifest
        return pages, inputs
    finally:
        opened.close()


def verdict(label):
    return {"crowd-image-classifier": {"label": label}}


def attribute_of(page, name):
    """The value of an attribute, JSON, as a browser reads it."""
    (quote, text) = re.search(rf"\s{name}=(['\"])(.*?)\1", page, re.DOTALL).groups()
    assert quote not in text
    return json.loads(html.unescape(text))


def test_a_classification_is_verified(folder):
    # Two of three call the second image a bird, which is a dog.
    label(folder, "image-multi-class", "birds", ann=["1"], ben=["1"])
    said = run(*VERIFY)
    assert "job birds-verify: 5 data objects, each for 2 workers" in said.stderr
    assert "warning" not in said.stderr
    said = run(*VERIFY)
    assert "job birds-verify: 5 data objects" in said.stderr  # it goes on

    right = {"0": "cat", "1": "dog", "2": "bird", "3": "cat", "4": "dog"}

    def choose(number, task_input):
        assert task_input["labels"] == [
            "right", "wrong: it is cat", "wrong: it is dog", "wrong: it is bird", "unsure",
        ]  # fmt: skip
        if number == "3":
            return verdict("unsure")
        (shown,) = task_input["earlierLabels"]
        return verdict("right" if shown == right[number] else f"wrong: it is {right[number]}")

    pages, inputs = answer(folder, "birds-verify", choose)
    assert "This image is labeled: bird. Is that right?" in pages["1"]
    assert "painted" not in pages["1"]
    assert inputs["1"]["earlierLabels"] == ["bird"]
    job = JOBS / "birds-verify"
    verdicts = [
        line["label-verified"]["class-name"]
        for line in people.read_lines(job / "manifests/output/output.manifest")
    ]
    assert verdicts == ["right", "wrong: it is dog", "right", "unsure", "right"]

    told = json.loads(run(*SORT, "--json").stdout)
    assert told["verdicts"] == {"right": 3, "wrong: it is dog": 1, "unsure": 1}
    gold = people.read_lines(folder / "birds-verify-gold.jsonl")
    names = [(line["source-ref"][-7:], line["label"]) for line in gold]
    assert names == [
        ("000.png", "cat"),
        ("001.png", "dog"),
        ("002.png", "bird"),
        ("004.png", "dog"),
    ]
    again = people.read_lines(folder / "birds-verify-again.manifest")
    assert [(line["source-ref"][-7:], len(line)) for line in again] == [
        ("001.png", 1),
        ("003.png", 1),
    ]
    # Known objects as all commands take them, and the next round.
    earlier = JOBS / "birds"
    scores = json.loads(
        run("gold", "score", earlier, "--gold", "birds-verify-gold.jsonl", "--json").stdout
    )
    accuracy = {worker["worker-id"]: worker["right"] for worker in scores["workers"]}
    assert [accuracy[people.worker_id(name)] for name in people.WORKERS] == [3, 3, 4]
    run(
        "portal", "--manifest", "birds-verify-again.manifest", "--task", "image-multi-class",
        "--labels", "cat", "dog", "bird",
    )  # fmt: skip
    # A copy from AWS does not tell what it was about.
    shutil.copytree(job, "bucket/birds-verify")
    copied = CliRunner().invoke(app, ["verified", "bucket/birds-verify"])
    assert "--earlier" in copied.output
    again = run("verified", "bucket/birds-verify", "--earlier", "label", "--json")
    assert json.loads(again.stdout)["verdicts"] == told["verdicts"]
    # Verdicts that are not sure enough are as unsure.
    told = json.loads(run("verified", job, "--below", 1, "--json").stdout)
    assert told["verdicts"] == {"unsure": 5}
    assert (folder / "birds-verify-gold.jsonl").read_text() == ""


def test_several_labels_are_verified(folder):
    label(folder, "image-multi-class-multi-label")
    run("portal", "--manifest", MANIFEST, "--verify", "labels")
    pages, _ = answer(
        folder,
        "zoo-verify",
        lambda number, _: verdict("wrong: bird" if number == "0" else "right"),
    )
    assert "This image is labeled: cat. Is that right?" in pages["0"]
    told = json.loads(
        run("verified", folder / "labeljob-store/labeljob/jobs/zoo-verify", "--json").stdout
    )
    assert (told["known"], told["to-label"]) == (4, 1)
    gold = people.read_lines(folder / "zoo-verify-gold.jsonl")
    assert [line["labels"] for line in gold] == [["dog"], ["bird"], ["cat"], ["dog"]]


def test_masks_are_verified_and_adjusted(folder):
    label(folder, "semantic-segmentation", "roads")
    colors = {"cat": "#2ca02c", "dog": "#1f77b4", "bird": "#ff7f0e"}
    mappings = {name: {"color": color} for name, color in colors.items()}
    roads = JOBS / "roads/manifests/output/output.manifest"
    said = run(*ADJUST)
    assert "job roads-adjust: 5 data objects, each for 1 worker" in said.stderr
    assert "warning" not in said.stderr
    # The masks of a copy are in the copy.
    shutil.copytree(JOBS / "roads", "bucket/roads")
    copied = "bucket/roads/manifests/output/output.manifest"
    said = run(*[copied if word == ADJUST[2] else word for word in ADJUST], "--output", "other")
    assert "job roads-adjust: 5 data objects" in said.stderr
    assert "warning" not in said.stderr
    # The owner is told at start which masks workers will not see, and why the first of them.
    masks = [
        Path("bucket", line["mask-ref"]["mask-ref"].removeprefix("s3://labeljob/jobs/"))
        for line in people.read_lines(roads)
    ]
    masks[4].unlink()
    for number, break_it, problem in (
        (3, lambda path: path.write_text("an error page"), "is no PNG"),
        (2, lambda path: Image.new("P", (4, 5)).save(path), "4 x 5 pixels, the image 24 x 16"),
        (1, Path.unlink, ".png)"),
    ):
        break_it(masks[number])
        told = " ".join(run("portal", "other").stderr.split())
        assert f"roads-adjust.manifest, line {number + 1}: s3://" in told
        assert f"{problem}; it is one of {5 - number} among 5 earlier masks that" in told
    run("portal", "--manifest", roads, "--verify", "mask-ref")
    pages, inputs = answer(
        folder,
        "roads-verify",
        lambda number, _: verdict("wrong: dog" if number == "1" else "right"),
    )
    assert inputs["0"]["labels"] == ["right", "wrong: cat", "wrong: dog", "wrong: bird", "unsure"]
    source = inputs["0"]["initialValue"]["src"]
    assert inputs["0"]["initialValue"]["labelMappings"] == mappings
    overlay = attribute_of(pages["0"], "overlay")["semanticSegmentation"]
    assert overlay == {"src": f"/granted/{source}", "labelMappings": mappings}
    assert "Is this image painted right?" in pages["0"]

    verified = folder / "labeljob-store/labeljob/jobs/roads-verify"
    told = json.loads(run("verified", verified, "--json").stdout)
    assert told["verdicts"] == {"right": 4, "wrong: dog": 1}
    earlier = "labeljob-store/labeljob/jobs/roads"
    refused = CliRunner().invoke(app, ["verified", earlier, "--earlier", "mask-ref"])
    assert "roads is no verification" in " ".join(refused.output.split())
    scores = json.loads(
        run("gold", "score", earlier, "--gold", "roads-verify-gold.jsonl", "--json").stdout
    )
    assert scores["gold-objects"] == 4
    assert {worker["accuracy"] for worker in scores["workers"]} == {1.0}

    # What is wrong is adjusted, on the stock page; no class of it is dropped silently.
    words = ["portal", "--manifest", "roads-verify-again.manifest", "--adjust", "mask-ref"]
    refused = CliRunner().invoke(app, [*words, "--labels", "fox", "bird"])
    assert refused.exit_code == 1
    told = " ".join(refused.output.split())
    assert "roads-verify-again.manifest, line 1: mask-ref has the class cat, which" in told
    assert told.endswith("Name it as well: --labels fox bird cat dog")
    said = run(*words, "--labels", "cat", "dog", "bird", "--job-name", "roads-again")
    assert "job roads-again: 1 data object, each for 1 worker" in said.stderr

    def paint(number, task_input):
        said = np.zeros((16, 24), np.uint8)
        said[:, 12:] = 2
        answer = find_job_type("semantic-segmentation").submit(said, people.LABELS)
        answer["crowd-semantic-segmentation"]["initialValueModified"] = True
        return answer

    pages, inputs = answer(folder, "roads-again", paint)
    value = attribute_of(pages["0"], "initial-value")
    assert value == {
        "src": f"/granted/{inputs['0']['initialValue']['src']}",
        "labelMappings": mappings,
    }
    (line,) = people.read_lines(
        folder / "labeljob-store/labeljob/jobs/roads-again/manifests/output/output.manifest"
    )
    assert line["source-ref"].endswith("001.png")
    assert line["mask-ref"]["mask-ref"] == inputs["0"]["initialValue"]["src"]
    assert line["adjusted-mask-ref"]["adjustment-status"] == "adjusted"
    run("finish", JOBS / "roads-again")
    (finished,) = people.read_lines(JOBS / "roads-again/manifests/output/finished.manifest")
    assert finished["adjusted-mask-ref-metadata"]["adjustment-status"] == "adjusted"
    stored = folder / "labeljob-store" / line["adjusted-mask-ref"]["mask-ref"].removeprefix("s3://")
    with Image.open(stored) as image:
        mask = np.array(image)
    assert (mask[:, :12] == 0).all()
    assert (mask[:, 12:] == 2).all()


def test_the_page_that_aws_documents_adjusts_masks_too(folder):
    label(folder, "semantic-segmentation")
    run("finish", "labeljob-store/labeljob/jobs/zoo")
    finished = MANIFEST.with_name("finished.manifest")
    (folder / "documented.liquid.html").write_text(DOCUMENTED_PAGE, encoding="utf-8")
    said = run(
        "portal", "--manifest", finished, "--adjust", "mask-ref", "--attribute", "better-ref",
        "--template", "documented.liquid.html",
    )  # fmt: skip
    assert "warning" not in said.stderr
    pages, inputs = answer(
        folder, "zoo-adjust", lambda number, _: people.say("semantic-segmentation", number)
    )
    assert len(pages) == 5
    value = inputs["0"]["initialValue"]
    text = html.unescape(re.search(r'initial-value="([^"]*)"', pages["0"])[1])
    assert f"'src': '/granted/{value['src']}'" in text
    for name, mapping in value["labelMappings"].items():
        assert f'"{name}": {{\'color\': "{mapping["color"]}"}},' in text
    assert "BACKGROUND" not in text


def test_what_cannot_be_shown_is_said(folder):
    label(folder, "image-multi-class")
    for words, problem in {
        ("--adjust", "label"): "--verify asks",
        ("--verify", "other"): "no labels under other, but under label",
        ("--verify", "label", "--adjust", "label"): "one of the two",
        ("--verify", "label", "--attribute", "source"): "--attribute",
        ("--verify", "label", "--task", "semantic-segmentation"): "leave --task out",
    }.items():
        outcome = CliRunner().invoke(app, ["portal", "--manifest", str(MANIFEST), *words])
        assert outcome.exit_code != 0, words
        assert problem in " ".join(outcome.output.split()), words


def test_a_manifest_from_elsewhere_brings_its_paths(folder):
    label(folder, "image-multi-class")
    (folder / "away").mkdir()
    lines = [
        line | {"source-ref": f"../my photos, Zoë's/{line['source-ref'].rpartition('/')[2]}"}
        for line in people.read_lines(folder / MANIFEST)
    ]
    del lines[1]["label"]
    manifest = folder / "away/birds.manifest"
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    said = run("portal", "--manifest", manifest, "--verify", "label", "--job-name", "check")
    assert "job check: 4 data objects" in said.stderr
    assert "1 data object of" in said.stderr
    assert "will not see it" not in said.stderr
    told = CliRunner().invoke(
        app, ["portal", "--manifest", MANIFEST, "--verify", "label", "--job-name", "check"]
    )
    assert "begun with another manifest" in " ".join(told.output.split())
