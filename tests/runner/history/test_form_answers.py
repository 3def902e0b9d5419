"""Jobs whose workers answered in a form's own inputs, or said that there is nothing to label."""

import json

import pytest
from PIL import Image

from labeljob.commands.explain import explain
from labeljob.commands.finish import finish
from labeljob.commands.replay import replay
from labeljob.commands.report import report
from labeljob.commands.run import run as run_job
from labeljob.commands.tables import tables
from labeljob.history.job import Given, read_annotations, read_job
from labeljob.jobs.job_location import find_job
from labeljob.rounds.pooling import pool
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk
from tests.runner.history.conftest import VOTES

pytestmark = pytest.mark.slow

SCRIPT = "<script>alert(1)</script>"


def outcome_of(command, *arguments):
    outcome = run(command, *arguments)
    assert outcome.exit_code == 0, outcome.output
    return outcome


@pytest.fixture
def selects(zoo):
    """The zoo, where the form asked for the species with a select."""
    for object_id, said in VOTES.items():
        answers = {worker: {"species": name} for worker, name in said.items()}
        on_disk.write(on_disk.response_path(zoo, object_id), on_disk.response(answers))
    return zoo


def test_without_a_description_an_option_names_the_input(selects, tmp_path):
    result = json.loads(
        outcome_of(replay, selects, "--algorithm", "majority", "--answer-field", "species",
                   "--json").stdout
    )  # fmt: skip
    assert [row["object"] for row in result["differences"]["changed"]] == [
        "2"
    ]  # an eel, two of three say
    lines = (selects / "replays/majority/object.manifest").read_text().splitlines()
    assert [json.loads(line)["animal"]["class-name"] for line in lines] == [
        "cat", "dog", "eel", "dog",
    ]  # fmt: skip
    page = tmp_path / "report.html"
    figures = json.loads(
        outcome_of(report, selects, "--answer-field", "species", "-o", page, "--json").stdout
    )
    assert figures["answers"] == {"used": 12, "set-aside": {}}
    proposed = [command["command"] for step in figures["next"] for command in step["commands"]]
    assert any("--answer-field species" in command for command in proposed)
    explained = json.loads(
        outcome_of(explain, selects, "2", "--answer-field", "species", "--json").stdout
    )
    assert [vote["said"] for vote in explained["votes"]] == ["eel", "eel", "dog"]
    assert explained["settings"]["answer-field"] == "species"


def test_without_the_option_the_refusal_names_the_tag(selects, tmp_path):
    outcome = outcome_of(explain, selects, "0", "--labels", "cat,dog,eel")
    assert "consolidation:answer-field" in " ".join(outcome.stderr.split())
    figures = json.loads(outcome_of(report, selects, "--json", "-o", tmp_path / "r.html").stdout)
    assert figures["answers"] == {"used": 0, "set-aside": {"unexpected-shape": 12}}


def test_a_job_s_own_description_names_the_input(tmp_path):
    store, manifest = tmp_path / "store", tmp_path / "photos.manifest"
    manifest.write_text('{"source-ref": "s3://photos/0.jpg"}\n{"source-ref": "s3://photos/1.jpg"}')
    tag = "consolidation:answer-field=species"
    outcome_of(
        run_job, manifest, "--task", "image-multi-class", "--labels", "cat,dog", "--tag", tag,
        "--workers", "careful:3", "-o", store,
    )  # fmt: skip
    job = store / "labeljob/jobs/photos"
    for path in job.glob("annotations/worker-response/*/*/*.json"):
        answers = {worker: {"species": {"cat": False, "dog": True}} for worker in ("ann", "bob")}
        on_disk.write(path, on_disk.response(answers))
    outcome_of(replay, job)
    lines = (job / "replays/calibrated/object.manifest").read_text().splitlines()
    assert [json.loads(line)["label"]["votes"] for line in lines] == [{"dog": 2}] * 2
    refused = run(replay, job, "--answer-field", "animal")
    assert refused.exit_code == 1
    assert "answer-field" in refused.output


@pytest.fixture
def unclear(zoo):
    """Everybody says that object 0 is broken; of object 1 one says so, with a comment."""
    broken = {"cannot-be-labeled": {"reason": "image-broken", "comment": ""}}
    other = {"cannot-be-labeled": {"reason": "no-label-fits", "comment": f"{SCRIPT} {'x ' * 900}"}}
    said = dict.fromkeys(("ann", "bob", "cy"), broken)
    on_disk.write(on_disk.response_path(zoo, "0"), on_disk.response(said))
    said = {"ann": on_disk.chosen("dog"), "bob": on_disk.chosen("dog"), "cy": other}
    on_disk.write(on_disk.response_path(zoo, "1"), on_disk.response(said))
    said = {"ann": on_disk.chosen("dog"), "bob": on_disk.chosen("dog"), "cy": broken}
    on_disk.write(on_disk.response_path(zoo, "2"), on_disk.response(said))
    return zoo


def test_what_cannot_be_labeled_is_shown_and_told_against_nobody(unclear, tmp_path):
    labels = ("--labels", "cat,dog,eel")
    page = tmp_path / "report.html"
    figures = json.loads(outcome_of(report, unclear, *labels, "-o", page, "--json").stdout)
    assert figures["answers"]["set-aside"] == {"cannot-be-labeled": 5}
    assert figures["cannot-be-labeled"]["0"] == dict.fromkeys(("ann", "bob", "cy"), "image-broken")
    assert figures["cannot-be-labeled"]["1"]["cy"].startswith(f"no-label-fits: {SCRIPT}")
    workers = {worker["worker-id"]: worker for worker in figures["workers"]}
    assert workers["cy"]["cannot-be-labeled"] == workers["cy"]["set-aside"] == 3
    assert not any(worker["flags"] for worker in workers.values())
    text = page.read_text(encoding="utf-8")
    assert "What cannot be labeled" in text
    assert "What workers wrote" not in text
    assert "no-label-fits: &lt;script&gt;" in text
    assert SCRIPT not in text
    assert text.count("x x x") < 400

    shown = " ".join(outcome_of(explain, unclear, "1", *labels).stderr.split())
    assert "set aside: cy, cannot-be-labeled (no-label-fits: <script>" in shown
    assert "comment of cy" not in shown
    explained = json.loads(outcome_of(explain, unclear, "0", *labels, "--json").stdout)
    assert explained["votes"] == []
    assert [item["detail"] for item in explained["set-aside"]] == ["image-broken"] * 3

    outcome_of(tables, unclear, *labels, "-o", tmp_path / "tables")
    rows = (tmp_path / "tables/answers.csv").read_text().splitlines()
    assert sum("cannot-be-labeled,image-broken" in row for row in rows) == 4


def test_the_summary_counts_it(unclear):
    outcome_of(replay, unclear, "--algorithm", "majority", "--labels", "cat,dog,eel")
    manifest = unclear / "replays/majority/object.manifest"
    (unclear / "manifests/output/output.manifest").write_bytes(manifest.read_bytes())
    outcome_of(finish, unclear)
    (summary,) = unclear.rglob("*summary.json")
    answers = json.loads(summary.read_text())["answers"]
    assert answers["set-aside-by-reason"] == {"cannot-be-labeled": 5}
    assert answers["set-aside-by-worker"] == {}


def test_rounds_with_different_forms_are_pooled(selects, tmp_path):
    again = on_disk.make_job(tmp_path / "bucket" / "again", {"0": {}}, ["cat"])
    answers = {name: {"animal": {"cat": False, "dog": True}} for name in ("di", "ed")}
    on_disk.write(on_disk.response_path(again, "0"), on_disk.response(answers))
    rounds = [
        read_job(find_job(str(folder)), Given(classes=("cat", "dog", "eel"), answer_field=field))
        for folder, field in ((selects, "species"), (again, "animal"))
    ]
    objects = {item.object_id: item for item in read_annotations(pool(rounds).job)}
    assert objects["0"].workers == ("ann", "bob", "cy", "di", "ed")
    assert objects["0"].rejected == ()


def test_of_many_comments_the_report_shows_some(zoo, tmp_path):
    said = {f"w{at}": {**on_disk.chosen("dog"), "comment": f"no {at}."} for at in range(120)}
    on_disk.write(on_disk.response_path(zoo, "1"), on_disk.response(said))
    page = tmp_path / "report.html"
    outcome_of(report, zoo, "-o", page)
    text = page.read_text(encoding="utf-8")
    assert text.count("<blockquote>no ") == 10
    assert "and 110 more" in text
    assert "labeljob tables" in text


def test_the_report_shows_the_images_that_workers_wrote_of(unclear, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (40, 30), (200, 20, 20)).save(images / "0.jpg")
    said = {"ann": {**on_disk.chosen("dog"), "comment": "a"}, "bob": on_disk.chosen("dog")}
    said["cy"] = {**on_disk.chosen("dog"), "comment": "b"}
    on_disk.write(on_disk.response_path(unclear, "3"), on_disk.response(said))
    Image.new("RGB", (40, 30), (20, 20, 200)).save(images / "3.jpg")
    page = tmp_path / "report.html"
    outcome_of(report, unclear, "--images", images, "-o", page)
    sections = page.read_text(encoding="utf-8").split("<section")
    (unlabelable,) = (text for text in sections if 'id="unlabelable"' in text)
    assert unlabelable.count('<img data-object="') == 1
    (comments,) = (text for text in sections if 'id="comments"' in text)
    assert comments.count('<img data-object="3"') == 1  # once for both comments on it
    assert "data:image/webp" in sections[-1]
    outcome_of(report, unclear, "--images", images, "--gallery", "0", "-o", page)
    assert "data:image/webp" not in page.read_text(encoding="utf-8")
