"""When answers become labels, and which files are made of them."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from labeljob.jobs.description import JobError
from labeljob.jobs.worker_pages import PageError
from labeljob.portal import assignments
from labeljob.portal.portal import Portal
from tests.runner.portal import people
from tests.runner.portal.clocks import Clock

pytestmark = pytest.mark.slow

STARTED = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
SETTLE = 20.0


@pytest.fixture
def clock():
    clock = Clock()
    clock.time = STARTED.timestamp()
    return clock


@pytest.fixture
def portal(tmp_path, clock):
    portal = Portal(tmp_path / "store", settle=SETTLE, clock=clock)
    people.join(portal, *people.WORKERS)
    yield portal
    portal.close()


def begin(portal, folder, **changes):
    return portal.begin(people.describe(folder, started=STARTED, **changes))


def states(portal, job):
    with portal.database.read() as connection:
        rows = connection.execute(
            "SELECT object_id, state FROM objects WHERE job = ? ORDER BY position", (job.name,)
        )
        return dict(rows.fetchall())


def read_responses(portal, job, kind="consolidation-response"):
    folder = portal.folder / "labeljob/jobs" / job.name / "annotations/consolidated-annotation"
    return {
        path.stem: [item["datasetObjectId"] for item in json.loads(path.read_text())]
        for path in sorted((folder / kind).rglob("*.json"))
    }


def test_an_answer_settles_before_it_counts(portal, tmp_path, clock):
    job = begin(portal, tmp_path, n_images=3, per_object=1)
    people.work(portal, job, "ann", at_most=1)
    clock.time += 5
    people.work(portal, job, "ann", at_most=1)
    clock.time += 15
    portal.run_due()
    assert states(portal, job) == {"0": "consolidated", "1": "complete", "2": "open"}
    clock.time += 5
    portal.run_due()
    assert read_responses(portal, job) == {
        "2026-11-29_09:00:20": ["0"],
        "2026-11-29_09:00:25": ["1"],
    }
    assert job.state() == "running"
    assert job.output_manifest is None


def test_a_full_batch_does_not_wait(portal, tmp_path):
    job = begin(portal, tmp_path, n_images=5, per_object=1, batch_size=2)
    people.work(portal, job, "ann")
    portal.run_due()
    assert list(read_responses(portal, job).values()) == [["0", "1"], ["2", "3"]]
    assert states(portal, job)["4"] == "complete"


def test_an_answer_that_a_worker_went_back_to_is_waited_for(portal, tmp_path, clock):
    job = begin(portal, tmp_path, n_images=2, per_object=1)
    people.work(portal, job, "ann", wrong=["1"])
    limit = job.description.time_limit
    ann = people.worker_id("ann")
    assert assignments.reopen_last(portal.database, job.name, ann, limit).object_id == "1"
    clock.time += SETTLE
    portal.run_due()
    assert states(portal, job) == {"0": "consolidated", "1": "complete"}
    better = people.say(job.description.task.name, "1")
    assignments.submit(portal.database, job.name, "1", ann, better)
    clock.time += SETTLE
    portal.run_due()
    names = [line["label"]["class-name"] for line in people.read_lines(job.output_manifest)]
    assert names == ["cat", "dog"]


def test_a_worker_response_is_as_ground_truth_writes_it(portal, tmp_path, clock):
    people.join(portal, "dora", issuer="https://login.example.org")
    job = begin(portal, tmp_path, n_images=1, per_object=2)
    ids = [people.worker_id(name) for name in ("dora", "ann")]
    leases = [assignments.take(portal.database, job.name, one, 300) for one in ids]
    assert [lease.object_id for lease in leases] == ["0", "0"]
    answer = {"crowd-image-classifier": {"label": "cat"}, "workerComment": "Zoë's"}
    for worker in reversed(ids):
        clock.time += 40.5434
        assignments.submit(portal.database, job.name, "0", worker, answer)
    clock.time += SETTLE
    portal.run_due()
    folder = portal.folder / "labeljob/jobs/zoo/annotations/worker-response/iteration-1/0"
    (path,) = folder.iterdir()
    assert path.name == "2026-11-29_09:01:21.json"
    assert json.loads(path.read_text()) == {
        "answers": [
            {
                "acceptanceTime": "2026-11-29T09:00:00.000Z",
                "answerContent": answer,
                "submissionTime": "2026-11-29T09:00:40.543Z",
                "timeSpentInSeconds": 40.543,
                "workerId": people.worker_id("ann"),
                "workerMetadata": {
                    "identityData": {
                        "identityProviderType": "Cognito",
                        "issuer": "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_LOCALPOOL",
                        "sub": "sub-ann",
                    }
                },
            },
            {
                "acceptanceTime": "2026-11-29T09:00:00.000Z",
                "answerContent": answer,
                "submissionTime": "2026-11-29T09:01:21.086Z",
                "timeSpentInSeconds": 81.087,
                "workerId": people.worker_id("dora"),
                "workerMetadata": {
                    "identityData": {
                        "identityProviderType": "Oidc",
                        "issuer": "https://login.example.org",
                        "sub": "sub-dora",
                    }
                },
            },
        ]
    }


@pytest.mark.parametrize("end", ["finished by its owner", "over after its time"])
def test_a_job_that_ends_early_has_labels_of_the_answers_there_are(portal, tmp_path, clock, end):
    job = begin(portal, tmp_path, n_images=4, per_object=2, availability=3600)
    people.work(portal, job, "ann", at_most=3)
    people.work(portal, job, "ben", at_most=1)
    if end == "finished by its owner":
        job.finish()
    else:
        clock.time += 3599
        portal.run_due()
        assert job.state() == "running"
        clock.time += 1
    portal.run_due()
    assert job.state() == "finished"
    *labeled, last = people.read_lines(job.output_manifest)
    assert [line["label"]["class-name"] for line in labeled] == ["cat", "dog", "bird"]
    assert [line["label"]["answers"]["used"] for line in labeled] == [2, 1, 1]
    assert last == {
        "source-ref": last["source-ref"],
        "label-metadata": {
            "retry-count": 0,
            "failure-reason": "ClientError: No worker answered before the job ended.",
            "human-annotated": "true",
        },
    }
    folder = portal.folder / "labeljob/jobs/zoo/manifests/output"
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["labeled"], summary["failed"]) == (3, 1)
    assert len(people.read_lines(folder / "requeue.manifest")) == 1
    assert people.work(portal, job, "cleo") == 0


def test_nobody_is_asked_about_what_has_a_label(portal, tmp_path, clock):
    description = people.describe(
        tmp_path,
        n_images=3,
        per_object=1,
        started=STARTED,
        tags={"consolidation:skip-labeled-objects": "true"},
    )
    manifest = tmp_path / "zoo.manifest"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    for at in (1, 2):
        values = json.loads(lines[at])
        values |= {"label": 0, "label-metadata": {"class-name": "cat"}}
        lines[at] = json.dumps(values)
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    job = portal.begin(people.redo_digest(description))
    assert people.work(portal, job, "ann", at_most=1) == 1
    assert job.task_input("1") is None  # as a worker's browser would find out
    assert (
        assignments.take(portal.database, job.name, people.worker_id("ann"), 300).object_id == "2"
    )
    job.finish()
    portal.run_due()
    assert states(portal, job) == {"0": "consolidated", "1": "excluded", "2": "excluded"}
    assert people.read_lines(job.output_manifest)[1:] == [json.loads(one) for one in lines[1:]]


def test_one_worker_more_is_asked_while_the_label_is_unsure(portal, tmp_path, clock):
    job = begin(
        portal,
        tmp_path,
        n_images=6,
        per_object=2,
        max_workers=4,
        tags={"consolidation:min-confidence": "0.9", "consolidation:algorithm": "majority"},
    )
    people.join(portal, "dora", "emil")
    people.work(portal, job, "ann")
    people.work(portal, job, "ben", wrong=["3", "4"])
    clock.time += SETTLE
    portal.run_due()
    assert job.state() == "running"
    assert {key for key, state in states(portal, job).items() if state == "open"} == {"3", "4"}
    assert people.work(portal, job, "ann") == people.work(portal, job, "ben") == 0
    for name in ("cleo", "dora"):
        assert people.work(portal, job, name) == 2
        clock.time += SETTLE
        portal.run_due()
    assert people.work(portal, job, "emil") == 0  # four have answered
    assert job.state() == "finished"
    lines = people.read_lines(job.output_manifest)
    used = [line["label"]["answers"]["used"] for line in lines]
    assert used == [2, 2, 2, 4, 4, 2]
    assert [line["label"]["class-name"] for line in lines] == ["cat", "dog", "bird"] * 2
    asked = list(read_responses(portal, job).values())
    assert asked == [["0", "1", "2", "3", "4", "5"], ["3", "4"], ["3", "4"]]


def test_a_job_goes_on_in_another_portal(portal, tmp_path, clock):
    job = begin(portal, tmp_path, n_images=2, per_object=1)
    people.work(portal, job, "ann", at_most=1)
    portal.close()
    again = Portal(portal.folder, settle=0, clock=clock)
    try:
        (job,) = again.jobs.values()
        assert people.work(again, job, "ann") == 1
        again.run_due()
        assert job.output_manifest is not None
    finally:
        again.close()


def test_the_thread_makes_labels_by_itself(portal, tmp_path, clock):
    job = begin(portal, tmp_path, n_images=2, per_object=1)
    people.work(portal, job, "ann")
    portal.close()
    with Portal(portal.folder, settle=0) as again:
        again.wake()
        for _ in range(600):
            if again.jobs["zoo"].output_manifest:
                break
            time.sleep(0.05)
    assert again.jobs["zoo"].output_manifest, again.jobs["zoo"].problem


def test_a_changed_manifest_is_refused(portal, tmp_path):
    begin(portal, tmp_path, n_images=2)
    portal.close()
    manifest = tmp_path / "zoo.manifest"
    manifest.write_text(manifest.read_text(encoding="utf-8") * 2, encoding="utf-8")
    again = Portal(portal.folder)
    try:
        assert "not as it was when job zoo was begun" in again.jobs["zoo"].find_problem()
    finally:
        again.close()


def test_there_is_one_portal_for_a_store(portal):
    with pytest.raises(JobError, match="another portal is open"):
        Portal(portal.folder)


def test_a_page_that_cannot_be_rendered_is_told_and_no_job_is_begun(portal, tmp_path):
    template = tmp_path / "the page's.liquid.html"
    template.write_text("<p>\n{{ task.input.taskObject | grant_acces }}</p>", encoding="utf-8")
    with pytest.raises(PageError, match=r"the page's\.liquid\.html, line 2: .*grant_acces"):
        begin(portal, tmp_path, n_images=1, template=str(template))
    assert not portal.jobs
    template.write_text("{{ task.input.taskObject | grant_read_access }}", encoding="utf-8")
    job = begin(portal, tmp_path, n_images=1, template=str(template))
    assert job.render("0", lambda uri: f"/files/{len(uri)}").startswith("/files/")


def test_a_page_is_rendered_for_each_data_object(portal, tmp_path):
    job = begin(portal, tmp_path, n_images=2)
    granted = []
    page = job.render("1", lambda uri: granted.append(uri) or "/files/token")
    assert 'src="/files/token"' in page
    (uri,) = granted
    assert job.read_file(uri) == (tmp_path / "my photos, Zoë's/001.png").read_bytes()
    with pytest.raises(JobError, match="no data object"):
        job.render("2", str)


def test_time_goes_on_in_calls_of_one_second(portal, tmp_path, clock):
    job = begin(portal, tmp_path, n_images=4, per_object=1, batch_size=1)
    people.work(portal, job, "ann")
    portal.run_due()
    names = [(STARTED + timedelta(seconds=at)).strftime("%Y-%m-%d_%H:%M:%S") for at in range(4)]
    assert list(read_responses(portal, job)) == names


def test_what_is_wrong_with_one_job_keeps_no_other_from_its_end(portal, tmp_path):
    jobs = [begin(portal, tmp_path, n_images=1, per_object=1, name=name) for name in ("a", "b")]
    for job in jobs:
        people.work(portal, job, "ann")
    portal.close()
    (tmp_path / "a.manifest").write_text("", encoding="utf-8")
    with Portal(portal.folder, settle=0) as again:
        bad, good = again.jobs.values()
        for _ in range(1200):
            if good.output_manifest and bad.problem:
                break
            time.sleep(0.05)
    assert good.output_manifest
    assert not good.problem
    assert "a.manifest" in bad.problem


@pytest.mark.parametrize("left", [None, b"", b'[{"datasetObj'], ids=["none", "empty", "half"])
def test_files_that_a_power_cut_took_are_made_again(portal, tmp_path, clock, left):
    job = begin(portal, tmp_path, n_images=3, per_object=1, batch_size=1)
    people.work(portal, job, "ann", at_most=2)
    portal.run_due()
    folder = portal.folder / "labeljob/jobs/zoo"
    before = people.files(folder)
    portal.close()
    (lost,) = list(folder.rglob("consolidation-response/*/*_09:00:01.json"))
    lost.unlink() if left is None else lost.write_bytes(left)
    again = Portal(portal.folder, settle=SETTLE, clock=clock)
    try:
        again.run_due()
        assert people.files(folder) == before
    finally:
        again.close()


def test_what_waits_for_one_worker_more_keeps_its_label_when_the_job_ends(portal, tmp_path, clock):
    job = begin(
        portal,
        tmp_path,
        n_images=2,
        per_object=1,
        max_workers=3,
        tags={"consolidation:min-confidence": "1.0"},
    )
    people.work(portal, job, "ann")
    clock.time += SETTLE
    portal.run_due()
    assert states(portal, job) == {"0": "open", "1": "open"}
    job.finish()
    portal.run_due()
    lines = people.read_lines(job.output_manifest)
    assert [line["label"]["class-name"] for line in lines] == ["cat", "dog"]
    assert [line["label"]["answers"]["used"] for line in lines] == [1, 1]
    folder = portal.folder / "labeljob/jobs/zoo/annotations/worker-response"
    assert len(list(folder.rglob("*.json"))) == 2


def test_a_finish_that_comes_too_early_keeps_no_label_away(portal, tmp_path, clock):
    job = begin(portal, tmp_path, n_images=2, per_object=1)
    outcome = CliRunner().invoke(app, ["finish", str(job.folder)])
    assert (Path(job.folder) / "manifests/output/summary.json").is_file(), outcome.output
    people.work(portal, job, "ann")
    clock.time += SETTLE
    portal.run_due()
    lines = people.read_lines(job.output_manifest)
    assert [line["label"]["class-name"] for line in lines] == ["cat", "dog"]
