"""`labeljob portal`: which job a command line means, and what it says of it."""

import json

import pytest
from typer.testing import CliRunner

from labeljob.actions import portal
from labeljob.commands import app
from labeljob.jobs import request
from labeljob.jobs.description import load_description
from labeljob.portal import assignments
from labeljob.portal.portal import Portal, open_database
from tests.runner.portal import people

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder that the person is in, with photographs that are named in many ways."""
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "my photos, Zoë's"
    people.make_photos(photos / 'of "May"', 2)
    people.make_photos(photos, 1)
    (photos / "broken.jpg").write_bytes(b"no image")
    return tmp_path


@pytest.fixture
def served(monkeypatch):
    """Portals that would be served, and are not: what is said before is what is tested here."""
    portals = []
    monkeypatch.setattr(portal, "_serve", lambda opened, options: portals.append(opened))
    return portals


def run(*words):
    return CliRunner().invoke(app, ["portal", *map(str, words)])


def begun(folder, name, store="labeljob-store"):
    return load_description(folder / store / ".labeling-jobs", name)


PHOTOS = "my photos, Zoë's/"
TASK = ["--task", "image-multi-class"]


def test_photographs_become_a_job_where_they_lie(folder, served):
    outcome = run(PHOTOS, *TASK, "--labels", "cat", "hot dog", "--port", "0")
    assert outcome.exit_code == 0, outcome.output
    assert "broken.jpg" in outcome.stderr
    assert "no known format" in outcome.stderr
    assert "job my-photos-Zo-s: 3 data objects, each for 1 worker" in outcome.stderr
    job = begun(folder, "my-photos-Zo-s")
    assert job.labels == ("cat", "hot dog")
    assert job.title == "Choose the label of an image: my-photos-Zo-s"
    assert (job.time_limit, job.availability, job.attribute) == (300, 864_000, "label")
    lines = people.read_lines(job.manifest)
    photos = sorted((folder / "my photos, Zoë's").rglob("*.png"))
    assert [line["source-ref"] for line in lines] == list(map(str, photos))
    assert json.loads(
        (folder / "labeljob-store/labeljob/jobs/my-photos-Zo-s.labels.json").read_text()
    )
    assert not list((folder / "labeljob-store").rglob("*.png"))


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--labels", "cat", "dog"], id="words"),
        pytest.param(["--labels", "cat,dog"], id="commas"),
        pytest.param(["--labels", "cat", "--labels", "dog"], id="repeated"),
        pytest.param(["--labels=cat", "--labels=dog"], id="equals-signs"),
        pytest.param(["--labels", "labels.json"], id="file"),
        pytest.param(["--labels", "cat", "dog", "--title", "Cats or dogs?"], id="option-behind"),
    ],
)
def test_labels_are_given_in_many_ways(folder, served, words):
    run_labels = CliRunner().invoke(app, ["labels", "cat", "dog", "-o", "labels.json"])
    assert run_labels.exit_code == 0
    outcome = run(PHOTOS, *TASK, *words, "--job-name", "pets")
    assert outcome.exit_code == 0, outcome.output
    assert begun(folder, "pets").labels == ("cat", "dog")


def test_a_folder_behind_the_labels_is_told_from_a_label(folder, served):
    outcome = run(*TASK, "--labels", "cat", "dog", PHOTOS)
    assert outcome.exit_code == 2
    assert "was taken for a label" in " ".join(outcome.output.split())


def test_the_options_are_those_of_create_labeling_job(folder, served):
    template = folder / "the page.liquid.html"
    template.write_text("<crowd-form>{{ task.input.taskObject }}</crowd-form>", encoding="utf-8")
    outcome = run(
        PHOTOS, *TASK, "--labels", "cat", "dog", "--template", template, "--job-name", "Pets",
        "--workers-per-object", "2", "--task-time-limit", "60", "--availability", "3600",
        "--title", "Cats?", "--description", "Cat or dog.", "--min-confidence", "0.8",
        "--max-workers", "5", "--algorithm", "majority", "--tag", "consolidation:posterior-mix=0.6",
    )  # fmt: skip
    assert outcome.exit_code == 0, outcome.output
    assert "each for 2 to 5 workers" in outcome.stderr
    job = begun(folder, "Pets")
    assert (job.per_object, job.max_workers, job.time_limit, job.availability) == (2, 5, 60, 3600)
    assert (job.title, job.task_description, job.template) == (
        "Cats?",
        "Cat or dog.",
        str(template),
    )
    assert job.tags == {
        "consolidation:algorithm": "majority",
        "consolidation:min-confidence": "0.8",
        "consolidation:posterior-mix": "0.6",
    }


def test_limits_are_those_of_the_api():
    shape = request._input_shape().members["HumanTaskConfig"].members
    limits = {
        name: (shape[name].metadata.get("min"), shape[name].metadata.get("max"))
        for name in (
            "NumberOfHumanWorkersPerDataObject",
            "TaskTimeLimitInSeconds",
            "TaskAvailabilityLifetimeInSeconds",
            "TaskTitle",
            "TaskDescription",
        )
    }
    assert limits["NumberOfHumanWorkersPerDataObject"] == (1, request.MAX_WORKERS)
    assert limits["TaskTimeLimitInSeconds"][0] == request.MIN_TIME_LIMIT
    assert limits["TaskAvailabilityLifetimeInSeconds"][0] == request.MIN_AVAILABILITY
    assert limits["TaskTitle"][1] == request.MAX_TITLE
    assert limits["TaskDescription"][1] == request.MAX_DESCRIPTION


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([PHOTOS, "--job-name", "pets"], id="the-photographs"),
        pytest.param(
            [PHOTOS, *TASK, "--labels", "cat", "dog", "--job-name", "pets"], id="the-same-command"
        ),
        pytest.param(["labeljob-store/labeljob/jobs/pets"], id="the-job"),
        pytest.param(["labeljob-store"], id="the-store"),
        pytest.param([], id="nothing"),
    ],
)
def test_a_job_goes_on(folder, served, words):
    assert run(PHOTOS, *TASK, "--labels", "cat", "dog", "--job-name", "pets").exit_code == 0
    before = begun(folder, "pets")
    people.make_photos(folder / PHOTOS / "later", 1)
    outcome = run(*words)
    assert outcome.exit_code == 0, outcome.output
    assert "job pets: 3 data objects" in outcome.stderr
    assert begun(folder, "pets") == before
    assert len(served) == 2
    if PHOTOS in words:
        assert "note: 1 photograph in" in outcome.stderr  # without the one that cannot be read


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--workers-per-object", "3"], "(--workers-per-object)", id="workers"),
        pytest.param(["--labels", "cat", "cow"], "(--labels)", id="labels"),
        pytest.param(["--algorithm", "majority"], "(--algorithm)", id="algorithm"),
        pytest.param(
            ["--tag", "consolidation:posterior-mix=0.6"],
            "(--tag consolidation:posterior-mix)",
            id="tag",
        ),
        pytest.param(["--task", "image-multi-class-multi-label"], "(--task)", id="task"),
    ],
)
def test_other_options_are_refused_once_somebody_has_answered(folder, served, words, said):
    assert run(PHOTOS, *TASK, "--labels", "cat", "dog", "--job-name", "pets").exit_code == 0
    database = open_database(folder / "labeljob-store")
    task = assignments.take(database, "pets", "ann", 300)
    assert assignments.submit(database, "pets", task.object_id, "ann", {}) == "saved"
    database.close()
    for source in ([PHOTOS, "--job-name", "pets"], ["labeljob-store/labeljob/jobs/pets"]):
        outcome = run(*source, *words)
        assert outcome.exit_code == 1
        assert f"job pets was begun with other options {said}" in outcome.stderr
        assert "--fresh" not in outcome.stderr


def test_a_job_without_an_answer_takes_other_options(folder, served):
    assert run(PHOTOS, *TASK, "--labels", "cat", "dog", "--job-name", "pets").exit_code == 0
    outcome = run(
        PHOTOS, "--job-name", "pets", "--labels", "cat", "cow", "--workers-per-object", "2",
        "--tag", "consolidation:answer-field=animal",
    )  # fmt: skip
    assert outcome.exit_code == 0, outcome.output
    job = begun(folder, "pets")
    assert (job.labels, job.per_object) == (("cat", "cow"), 2)
    assert job.tags == {"consolidation:answer-field": "animal"}
    database = open_database(folder / "labeljob-store")
    with database.read() as connection:
        rows = connection.execute("SELECT wanted FROM objects WHERE job = 'pets'").fetchall()
    assert [row["wanted"] for row in rows] == [2, 2, 2]
    database.close()


def test_other_photographs_under_the_same_name_are_refused(folder, served):
    assert run(PHOTOS, *TASK, "--labels", "cat", "dog").exit_code == 0
    other = people.make_photos(folder / "elsewhere" / PHOTOS, 1)
    outcome = run(other)
    assert outcome.exit_code == 1
    assert "was begun with other options (SOURCE)" in outcome.stderr


def test_several_jobs_are_served_at_once(folder, served):
    manifest = folder / "zoo.manifest"
    manifest.write_text('{"source-ref": "my photos, Zoë\'s/000.png"}\n', encoding="utf-8")
    assert run(PHOTOS, *TASK, "--labels", "cat", "dog", "--job-name", "pets").exit_code == 0
    outcome = run("--manifest", manifest, "--task", "semantic-segmentation", "--labels", "cat")
    assert outcome.exit_code == 0, outcome.output
    assert "job pets: 3 data objects" in outcome.stderr
    assert "job zoo: 1 data object" in outcome.stderr
    assert list(served[-1].jobs) == ["pets", "zoo"]
    job = served[-1].jobs["zoo"]
    body = (folder / PHOTOS / "000.png").read_bytes()
    assert job.read_file("my photos, Zoë's/000.png") == body


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "has no job yet", id="nothing"),
        pytest.param(["nowhere"], "nowhere is no folder", id="no-folder"),
        pytest.param([PHOTOS], "a new one needs --task and --labels", id="no-task"),
        pytest.param([*TASK, "--labels", "cat", "dog"], "needs SOURCE", id="no-source"),
        pytest.param(
            [PHOTOS, *TASK, "--labels", "cat"], "needs at least 2, such as cat", id="one-label"
        ),
        pytest.param(["empty", *TASK, "--labels", "a", "b"], "no photograph", id="no-photograph"),
        pytest.param(
            [PHOTOS, *TASK, "--labels", "a", "b", "--max-workers", "3"],
            "goes with --min-confidence",
            id="no-limit",
        ),
        pytest.param(
            [PHOTOS, *TASK, "--labels", "a", "b", "--title", "x" * 129],
            "--title has 129 characters",
            id="long-title",
        ),
        pytest.param(
            [PHOTOS, *TASK, "--labels", "a", "b", "--job-name", "a_b"],
            "cannot be a job's name",
            id="name",
        ),
        pytest.param(
            [PHOTOS, *TASK, "--labels", "a", "b", "--template", "bad.html"],
            "bad.html, line 2",
            id="template",
        ),
        pytest.param(
            [PHOTOS, *TASK, "--labels", "a", "b", "--workers-per-object", "10"],
            "equal to 9",
            id="workers",
        ),
        pytest.param(
            [PHOTOS, *TASK, "--labels", "a", "b", "--task-time-limit", "29"],
            "equal to 30",
            id="time",
        ),
    ],
)
def test_what_cannot_be_a_job_is_refused(folder, served, words, said):
    (folder / "empty").mkdir()
    (folder / "bad.html").write_text("\n{{ task.input.labels | to_jason }}")
    outcome = run(*words)
    assert outcome.exit_code in (1, 2)
    assert said in outcome.stderr.replace("\n", " ")
    assert not list(folder.rglob("*.labels.json")) or "template" in words[-2]
    assert begun(folder, "my-photos-Zo-s") is None
    assert not served


def test_images_in_s3_are_shown_from_copies(folder, served):
    manifest = folder / "brought.manifest"
    manifest.write_text('{"source-ref": "s3://gone/photos/b/000.png"}\n', encoding="utf-8")
    new = ["--manifest", manifest, *TASK, "--labels", "cat", "dog"]
    outcome = run(*new, "--job-name", "without")
    assert outcome.exit_code == 0, outcome.output
    assert "brought.manifest, line 1: s3://gone/photos/b/000.png" in outcome.stderr
    assert "--images FOLDER" in outcome.stderr
    people.make_photos(folder / "copies/a", 1)
    body = (people.make_photos(folder / "copies/b", 1) / "000.png").read_bytes() + b" "
    (folder / "copies/b/000.png").write_bytes(body)
    outcome = run(*new, "--job-name", "with-copies", "--images", "copies")
    assert outcome.exit_code == 0, outcome.output
    job = served[-1].jobs["with-copies"]
    assert job.find_image_problem() == ""
    assert job.read_file("s3://gone/photos/b/000.png") == body


def test_a_job_of_ground_truth_is_no_folder_of_photographs(folder, served):
    for name in ("annotations", "manifests"):
        people.make_photos(folder / "brought" / name, 1)
    outcome = run("brought", *TASK, "--labels", "cat", "dog")
    assert outcome.exit_code == 1
    assert "labeljob requeue" in outcome.stderr


def test_a_finished_job_is_shown_without_its_page(folder, served):
    template = folder / "page.liquid.html"
    template.write_text("<p>{{ task.input.taskObject }}</p>", encoding="utf-8")
    words = [PHOTOS, "--job-name", "pets"]
    assert run(*words, *TASK, "--labels", "cat", "dog", "--template", template).exit_code == 0
    store = Portal(folder / "labeljob-store", settle=0)
    try:
        store.jobs["pets"].finish()
        store.run_due()
    finally:
        store.close()
    template.unlink()
    outcome = run(*words)
    assert outcome.exit_code == 0, outcome.output
    assert "each for 1 worker, finished" in outcome.stderr
    assert "pets/manifests/output/output.manifest" in outcome.stderr


SELECT = (
    "<crowd-form><img src='{{ task.input.taskObject | grant_read_access }}'>"
    "<select name=species><option>cat<option>dog</select></crowd-form>"
)


@pytest.mark.parametrize(
    ("form", "tag", "warned"),
    [
        pytest.param(SELECT, None, "consolidation:answer-field=species", id="no-tag"),
        pytest.param(SELECT, "species", None, id="tag"),
        pytest.param(SELECT, "animal", "no input animal", id="another-name"),
        pytest.param("<crowd-form></crowd-form>", None, "all its answers are set aside", id="bare"),
        pytest.param(
            "<crowd-form><crowd-classifier name=x></crowd-classifier></crowd-form>", None, None,
            id="element",
        ),
    ],
)  # fmt: skip
def test_a_page_whose_answers_would_not_count_is_told(folder, served, form, tag, warned):
    (folder / "page.liquid.html").write_text(form, encoding="utf-8")
    tags = ["--tag", f"consolidation:answer-field={tag}"] if tag else []
    outcome = run(PHOTOS, *TASK, "--labels", "cat", "dog", "--template", "page.liquid.html", *tags)
    assert outcome.exit_code == 0, outcome.output
    text = " ".join(outcome.stderr.split())
    if warned:
        assert warned in text
    else:
        assert "set aside" not in text
        assert "has no" not in text


def test_a_store_goes_on_where_it_was_moved_to(folder, served):
    assert run(PHOTOS, *TASK, "--labels", "cat", "dog", "--job-name", "pets").exit_code == 0
    (folder / "labeljob-store").rename(folder / "moved store")
    outcome = run("moved store")
    assert outcome.exit_code == 0, outcome.output
    assert "job pets: 3 data objects" in outcome.stderr


def test_a_job_whose_manifest_is_gone_keeps_no_other_from_being_served(folder, served):
    manifest = folder / "zoo.manifest"
    manifest.write_text('{"source-ref": "my photos, Zoë\'s/000.png"}\n', encoding="utf-8")
    assert run("--manifest", manifest, *TASK, "--labels", "cat", "dog").exit_code == 0
    manifest.unlink()
    outcome = run(PHOTOS, *TASK, "--labels", "cat", "dog", "--job-name", "pets")
    assert outcome.exit_code == 0, outcome.output
    said = " ".join(outcome.stderr.split())
    assert "job zoo cannot be worked on" in said
    assert "job pets: 3 data objects" in said
