"""`labeljob report`."""

import base64
import hashlib
import html
import html.parser
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from labeljob.commands.report import report
from labeljob.report.page_files import BesidePage
from tests.real_data import real_data
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk
from tests.runner.report.conftest import CREW, NASTY

pytestmark = pytest.mark.slow

VOID = {"meta", "link", "img", "br", "input"}


class Outline(html.parser.HTMLParser):
    """What a page is made of."""

    def __init__(self):
        super().__init__()
        self.elements, self.ids, self.open, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(tmp_path, *arguments):
    path = tmp_path / "report.html"
    outcome = run(report, *arguments, "-o", path)
    assert outcome.exit_code == 0, outcome.output
    outline = Outline()
    outline.feed(path.read_text(encoding="utf-8"))
    outline.close()
    assert outline.open == []
    return outline


def data_of(tmp_path):
    """What the page's script reads."""
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    return json.loads(re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text)[0])


def test_the_page_needs_no_network_and_runs_its_own_script_alone(animals, tmp_path):
    page = page_of(tmp_path, animals)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [script.get("type") for script in page.all("script")] == ["application/json", None]
    (own,) = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
    (policy,) = (meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert f"script-src 'sha256-{digest}';" in policy
    links = [
        attributes[name]
        for _, attributes in page.elements
        for name in ("src", "href", "xlink:href")
        if name in attributes
    ]
    assert {link.partition(":")[0] for link in links if not link.startswith("#")} == {"data"}
    assert not re.search(r"@import|url\((?!#)", text)


def test_ids_are_there_once_and_links_lead_somewhere(animals, tmp_path):
    page = page_of(tmp_path, animals)
    assert len(page.ids) == len(set(page.ids))
    targets = {link["href"].removeprefix("#") for link in page.all("a")}
    objects = {f"object-{object_id}" for object_id in data_of(tmp_path)["ids"]}
    assert targets <= set(page.ids) | objects
    assert targets & objects


def test_images_and_charts_have_words_and_tables_headings(animals, images, tmp_path):
    page = page_of(tmp_path, animals, "--images", images)
    assert len(page.all("img")) >= 1
    assert all(image["alt"] for image in page.all("img"))
    charts = [attributes for _, attributes in page.elements if attributes.get("role") == "img"]
    assert len(charts) > 1 + len(on_disk.CLASSES)
    assert all(chart["aria-label"] for chart in charts)
    assert all(heading.get("scope") in ("col", "row") for heading in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


def test_the_worker_who_says_always_the_same_is_to_be_checked(animals, tmp_path):
    outcome = run(report, animals, "-o", tmp_path / "report.html", "--json")
    figures = json.loads(outcome.stdout)
    flags = {
        worker["worker-id"]: [flag["flag"] for flag in worker["flags"]]
        for worker in figures["workers"]
    }
    assert "constant" in flags.pop(CREW[-1])
    assert not any(flags.values())
    assert figures["answers"] == {"used": 240, "set-aside": {}}
    assert "constant" in (tmp_path / "report.html").read_text()


def test_workers_have_a_page_each_by_name_where_a_file_tells_it(animals, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text(f"worker,name\n{CREW[0]},Ann\n{CREW[1]}, Ann \n", encoding="utf-8-sig")
    page = page_of(tmp_path, animals, "--names", names)
    pages = {item["id"] for item in page.all("details") if item.get("id", "").startswith("worker")}
    assert pages == {f"worker-{worker}" for worker in CREW}
    text = "".join(page.text)
    assert "Ann (…ER00)" in text
    assert "Ann (…ER01)" in text


def test_names_that_cannot_be_told_are_an_error(animals, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text(f"{CREW[0]},Ann\n\n{CREW[1]}\n")
    outcome = run(report, animals, "--names", names, "-o", tmp_path / "page.html")
    assert outcome.exit_code == 1
    assert "names.csv, line 3: has no worker ID and name with a comma" in outcome.stderr
    outcome = run(report, animals, "--names", names, "--pseudonyms", "-o", tmp_path / "page.html")
    assert outcome.exit_code == 1
    assert "contradict" in outcome.stderr


def test_of_built_in_confidences_it_says_that_they_tell_little_and_shows_ours(animals, tmp_path):
    page = page_of(tmp_path, animals)
    assert "builtin" in page.ids
    assert "These confidences tell little." in "".join(page.text)
    again = page_of(tmp_path, animals, "--algorithm", "calibrated")
    assert "builtin" not in again.ids


def test_a_worker_whose_agreement_falls_is_asked_about(tmp_path):
    folder = on_disk.make_job(tmp_path / "zoo", {}, ["cat"] * 60)
    for at in range(60):
        said = dict.fromkeys(CREW, "cat") | {CREW[2]: "cat" if at < 30 else "dog"}
        answers = on_disk.response({worker: on_disk.chosen(name) for worker, name in said.items()})
        for answer in answers["answers"]:
            answer["submissionTime"] = f"2026-03-02T10:{at:02}:00.000Z"
        on_disk.write(on_disk.response_path(folder, str(at)), answers)
    outcome = run(report, folder, "-o", tmp_path / "report.html", "--json")
    figures = json.loads(outcome.stdout)
    trends = {worker["worker-id"]: worker["learning"]["trend"] for worker in figures["workers"]}
    assert trends.pop(CREW[2]) == "falling"
    assert "falling" not in trends.values()
    assert "talk-to-workers" in [step["step"] for step in figures["next"]]


def test_where_everybody_is_flagged_nothing_is_told_of_the_rest(tmp_path):
    votes = {
        str(at): dict.fromkeys(CREW[:3], on_disk.CLASSES[at % 3] if at % 2 else "")
        for at in range(12)
    }
    job = on_disk.make_job(tmp_path / "zoo", votes, [on_disk.CLASSES[at % 3] for at in range(12)])
    outcome = run(report, job, "-o", tmp_path / "report.html", "--json")
    figures = json.loads(outcome.stdout)
    assert all(worker["flags"] for worker in figures["workers"])
    assert figures["agreement"]["krippendorff-alpha"] is not None
    assert figures["agreement"]["krippendorff-alpha-without-flagged"] is None


def test_names_are_never_code(scenes, tmp_path):
    page = page_of(tmp_path, scenes)
    assert len(page.all("script")) == 2
    assert NASTY in "".join(page.text)
    assert NASTY in data_of(tmp_path)["classes"]


@pytest.mark.parametrize("written", ["#ABC", "red;position:fixed"])
def test_a_colour_is_one_and_nothing_else(harbour, tmp_path, written):
    """Where a label's colours are none, it is no label, and a replay makes another."""
    job = shutil.copytree(harbour, tmp_path / "bucket" / "harbour")
    classes = ("BACKGROUND", "boat", "quay", "water")
    colors = {
        str(at): {"class-name": name, "hex-color": written} for at, name in enumerate(classes)
    }
    label = {
        "schema": "consolidated-label/semantic-segmentation/1",
        "mask-ref": "s3://bucket/harbour/0.png",
        "internal-color-map": colors,
        "confidence": 0.9,
    }
    on_disk.write_manifest(job, [{"source-ref": "s3://images/0.jpg", "label": label}])
    page_of(tmp_path, job)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    found = re.findall(r'class="swatch" style="background:([^"]*)"', text)
    assert found
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in found)


def test_a_job_without_labels_gets_those_of_a_replay(scenes, tmp_path):
    outcome = run(report, scenes, "-o", tmp_path / "report.html", "--json")
    figures = json.loads(outcome.stdout)
    assert figures["labeled"] == 4
    assert "replayed" in figures["algorithm"]


def test_a_segmentation_job_shows_label_disagreement_and_each_worker(harbour, images, tmp_path):
    labels = "water,boat,quay"
    page = page_of(tmp_path, harbour, "--labels", labels, "--images", images)
    pictures = [image for image in page.all("img") if "src" in image]
    assert len(pictures) == 1 + 2  # the photograph, and it again under the disagreement
    data = data_of(tmp_path)
    (layers,) = data["layers"]
    names = [name[-4:] for name in page.ids if name.startswith("worker-")]
    assert [caption for caption, _ in layers[:1]] == ["disagreement"]
    assert [caption[-4:] for caption, _ in layers[1:]] == names
    assert {data["classes"][index] for index in data["labels"][0]} == {"water", "boat"}


def test_a_damaged_job_says_so_on_the_page(animals, tmp_path):
    folder = tmp_path / "bucket" / "zoo"
    shutil.copytree(animals, folder)
    on_disk.response_path(folder, "3").write_text("{")
    page = page_of(tmp_path, folder)
    assert "1 file" in "".join(page.text)
    assert on_disk.response_path(folder, "3").name in "".join(page.text)


def test_links_to_objects_hold_any_id(tmp_path):
    folder = tmp_path / "bucket" / "zoo"
    said = on_disk.response({"ann": on_disk.chosen("cat"), "bob": on_disk.chosen("dog")})
    on_disk.write(on_disk.response_path(folder, "5%"), said)
    links = {
        link["href"]
        for link in page_of(
            tmp_path, folder, "--task", "image-multi-class", "--labels", "cat,dog"
        ).all("a")
    }
    assert {link for link in links if link.startswith("#object-")} == {"#object-5%25"}


def test_files_beside_a_page_have_an_address_whatever_its_name_is(tmp_path):
    address = BesidePage(tmp_path, "a#1: 50 %-files").add(b"", "png")
    assert address == "a%231%3A%2050%20%25-files/000001.png"


def test_no_folder_is_an_error(tmp_path):
    assert run(report, tmp_path / "gone").exit_code == 1


@pytest.mark.parametrize(
    ("options", "level", "headline"),
    [
        pytest.param(["--goal", "0.5", "--below", "0"], "good", "Good enough to use", id="good"),
        pytest.param(["--goal", "0.99"], "close", "Almost good enough", id="close"),
        pytest.param(["--goal", "0.5"], "close", "Good enough, but for ", id="again"),
    ],
)
def test_the_verdict_is_against_the_goal(animals, tmp_path, options, level, headline):
    options = [*options, "--algorithm", "calibrated", "--json", "-o", tmp_path / "report.html"]
    verdict = json.loads(run(report, animals, *options).stdout)["verdict"]
    assert (verdict["level"], verdict["headline"][:21]) == (level, headline)
    assert verdict["figures"]["Workers to check"]["value"] == "1"


@pytest.mark.parametrize("below", ["-1", "2", "much"])
def test_a_bad_confidence_is_an_error_of_the_command_line(animals, below):
    assert run(report, animals, "--below", below).exit_code == 2


def test_the_figures_of_a_real_job(tmp_path):
    birds = real_data("birds-job")
    truth = birds / "true_labels.json"
    outcome = run(report, birds, "--truth", truth, "-o", tmp_path / "report.html", "--json")
    figures = json.loads(outcome.stdout)
    assert figures["agreement"]["krippendorff-alpha"] == pytest.approx(0.8215, abs=1e-4)
    assert figures["agreement"]["fleiss-kappa"] == pytest.approx(0.8214, abs=1e-4)
    assert figures["agreement"]["fleiss-answers-per-object"] == 5
    assert len(figures["workers"]) == 97
    assert figures["against-truth"]["accuracy"] == pytest.approx(0.9007, abs=1e-4)
    assert figures["requeue"] == ["139", "165"]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="plain"),
        pytest.param(["--labels", ",".join(on_disk.CLASSES), "--algorithm", "majority"], id="read"),
    ],
)
def test_the_commands_that_a_page_proposes_work(animals, tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(animals, "my jobs/zoo")
    page_of(tmp_path, "my jobs/zoo", "--below", "0.99", *options)
    text = html.unescape(Path("report.html").read_text(encoding="utf-8"))
    proposed = re.findall(r"<code[^>]*>labeljob (.+?)</code>", re.sub("</?span>", "", text))
    names = [command.split()[0] for command in proposed]
    assert names == (
        ["replay", "requeue", "tables", "explain", "replay", "export"]
        if "--algorithm" in options
        else ["replay", "requeue", "requeue", "tables", "explain", "export"]
    )
    for command in proposed:
        result = CliRunner().invoke(app, shlex.split(command))
        assert result.exit_code == 0, result.output
    if "--algorithm" not in options:
        assert len(Path("zoo-requeue.manifest").read_text().splitlines()) > 0
