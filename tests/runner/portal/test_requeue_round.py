"""What is disputed goes round again, and the answers of all rounds count together."""

import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from labeljob.jobs.description import JobError
from labeljob.portal import assignments
from labeljob.portal.portal import Portal
from labeljob.portal.portal_job import make_title
from labeljob.tasks.registry import find_job_type
from tests.runner.portal import people

TASK = find_job_type("image-multi-class")


@pytest.fixture
def portal(tmp_path):
    portal = Portal(tmp_path / "store", settle=0)
    people.join(portal, *people.WORKERS)
    yield portal
    portal.close()


def label(portal, job, **wrong):
    for name in people.WORKERS:
        people.work(portal, job, name, wrong=wrong.get(name, ()))
    portal.run_due()


@pytest.mark.slow
def test_disputed_objects_go_round_again(portal, tmp_path):
    tags = {"consolidation:algorithm": "majority"}
    job = portal.begin(
        people.describe(
            tmp_path, n_images=5, tags=tags, per_object=2, title=make_title(TASK, "zoo")
        )
    )
    with pytest.raises(JobError, match="no output manifest yet"):
        job.requeue(0.9)
    label(portal, job, ann=["3"], ben=["1"])
    with portal.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO job_members VALUES ('zoo', ?)",
            [(people.worker_id(name),) for name in people.WORKERS],
        )
    again = job.requeue(0.9, workers=3)
    with portal.database.read() as connection:
        rows = connection.execute("SELECT worker_id FROM job_members WHERE job = 'zoo-2'")
        assert {worker for (worker,) in rows} == {people.worker_id(w) for w in people.WORKERS}
    assert (again.name, again.description.title) == ("zoo-2", make_title(TASK, "zoo-2"))
    assert job.requeue(0.9, workers=3) is again
    assert [line.values["source-ref"][-7:] for line in again.lines] == ["001.png", "003.png"]
    assert again.description.per_object == 3
    for name in people.WORKERS:
        for _ in range(2):
            lease = assignments.take(
                portal.database, again.name, people.worker_id(name), again.description.time_limit
            )
            first = {"0": "1", "1": "3"}[lease.object_id]
            answer = people.say("image-multi-class", first)
            assignments.submit(
                portal.database, again.name, lease.object_id, people.worker_id(name), answer
            )
    portal.run_due()
    names = [line["label"]["class-name"] for line in people.read_lines(again.output_manifest)]
    assert names == ["dog", "cat"]
    with pytest.raises(JobError, match="nothing to label again"):
        again.requeue(0.9)
    words = ["pool", job.folder, again.folder, "-o", str(tmp_path / "pooled"), "--json"]
    outcome = CliRunner().invoke(app, words)
    assert outcome.exit_code == 0, outcome.output
    pooled = people.read_lines(tmp_path / "pooled/object.manifest")
    assert [line["label"]["class-name"] for line in pooled] == ["cat", "dog", "bird", "cat", "dog"]
    # Ann and Ben answered in both rounds and count once, with what they said last.
    assert [line["label"]["answers"]["used"] for line in pooled] == [2, 3, 2, 3, 2]
