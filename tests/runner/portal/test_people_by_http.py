"""Whole jobs by people who do what the work page does, by HTTP, on a portal as its owner starts it.

Answers that a portal acknowledged are on file when the job ends, whatever happened meanwhile.
"""

import asyncio
import random
import threading
import time
from collections import Counter

import httpx
import pytest

from labeljob.portal import team
from labeljob.portal.sessions import start_session
from tests.runner.portal.coroutines import run_coroutine
from tests.runner.portal.live_portal import HttpWorker, LivePortal, wait_for
from tests.runner.portal.people import make_photos
from tests.runner.portal.photographs import SUBJECTS, take_photographs

pytestmark = pytest.mark.slow

LABELS = tuple(SUBJECTS)
TEAM = ("ann@example.org", "bob@example.org", "cleo@example.org")


def say(label: str) -> dict:
    return {"crowd-image-classifier": {"label": label}}


def say_several(*labels: str) -> dict:
    return {"crowd-image-classifier-multi-select": {"labels": list(labels)}}


@pytest.fixture
def truth(tmp_path) -> list[str]:
    """What each of twelve photographs shows, in the order of the manifest."""
    shown = take_photographs(tmp_path / "photos", 12, size=(64, 48))
    return [shown[name] for name in sorted(shown)]


def hire(portal: LivePortal, *emails: str) -> list[HttpWorker]:
    links = portal.invite(*emails)
    return [portal.let_in(links[email]) for email in emails]


def work(worker: HttpWorker, job: str, answer_to) -> dict[str, dict]:
    """Answer until there is nothing to do; gives the answers that were acknowledged."""
    saved: dict[str, dict] = {}
    todo = worker.next(job)
    while todo["task"] is not None:
        task = todo["task"]["id"]
        assert task not in saved, "asked twice"
        answer = answer_to(int(task))
        todo = worker.answer(job, task, answer)
        assert todo["saved"] == "saved"
        saved[task] = answer
    return saved


def run_at_once(*jobs) -> list:
    """Run functions in threads of their own; gives what each returned."""
    results: list = [None] * len(jobs)
    faults: list[BaseException] = []

    def run(at: int) -> None:
        try:
            results[at] = jobs[at]()
        except BaseException as fault:  # noqa: BLE001, told in the test's own thread
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(400)
    assert not faults, faults
    assert not any(thread.is_alive() for thread in threads)
    return results


def on_file(portal: LivePortal, job: str) -> dict[tuple[str, str], dict]:
    """The answers of the worker-response files, by worker and data object."""
    answers = [
        ((one["workerId"], task), one["answerContent"])
        for task, responses in portal.worker_responses(job).items()
        for one in responses
    ]
    assert len(dict(answers)) == len(answers), "somebody answered twice"
    return dict(answers)


def test_three_people_label_a_job_at_once(open_portal, truth):
    portal = open_portal(workers_per_object=3)
    workers = hire(portal, *TEAM)
    saved = run_at_once(
        *(lambda one=one: work(one, "photos", lambda at: say(truth[at])) for one in workers)
    )
    assert [len(one) for one in saved] == [12, 12, 12]
    lines = portal.output_manifest("photos")
    assert [line["label"]["class-name"] for line in lines] == truth
    assert on_file(portal, "photos") == {
        (worker.worker_id, task): answer
        for worker, answers in zip(workers, saved, strict=True)
        for task, answer in answers.items()
    }


def test_three_people_label_a_job_with_several_labels(open_portal, truth):
    portal = open_portal(task="image-multi-class-multi-label", workers_per_object=3)
    workers = hire(portal, *TEAM)
    run_at_once(
        *(
            lambda one=one: work(one, "photos", lambda at: say_several(truth[at], LABELS[at % 4]))
            for one in workers
        )
    )
    lines = portal.output_manifest("photos")
    assert [set(line["labels"]["class-map"].values()) for line in lines] == [
        {truth[at], LABELS[at % 4]} for at in range(12)
    ]


def test_two_people_at_two_windows_each_are_asked_once(open_portal, truth):
    portal = open_portal(workers_per_object=2)
    workers = hire(portal, *TEAM[:2])
    for worker in workers:
        window, other = worker.next("photos"), worker.next("photos")
        assert window["task"]["id"] == other["task"]["id"]
        answer = say(truth[int(window["task"]["id"])])
        worker.answer("photos", window["task"]["id"], answer)
        again = worker.answer("photos", window["task"]["id"], say("another"))
        assert again["saved"] == "repeated"
        work(worker, "photos", lambda at: say(truth[at]))
    lines = portal.output_manifest("photos")
    assert [line["label"]["class-name"] for line in lines] == truth
    assert len(on_file(portal, "photos")) == 24


def test_a_session_that_ended_is_told_and_the_answer_is_taken_after_it(open_portal, truth):
    portal = open_portal()
    (worker,) = hire(portal, TEAM[0])
    task = worker.next("photos")["task"]["id"]
    with portal.database.transaction() as connection:
        connection.execute("DELETE FROM sessions")
    refused = worker.post("photos", "answers", task=task, answer=say(truth[int(task)]))
    assert (refused.status_code, refused.json()["code"]) == (401, "signed-out")
    worker.sign_in(TEAM[0])
    assert worker.answer("photos", task, say(truth[int(task)]))["saved"] == "saved"


def test_a_task_whose_time_is_over_goes_to_somebody_else(open_portal, truth):
    portal = open_portal()
    late, other = hire(portal, *TEAM[:2])
    task = late.next("photos")["task"]["id"]
    with portal.database.transaction() as connection:
        connection.execute("UPDATE assignments SET expires = 1 WHERE submitted IS NULL")
    saved = work(other, "photos", lambda at: say(truth[at]))
    assert task in saved
    refused = late.post("photos", "answers", task=task, answer=say("cat"))
    assert refused.status_code == 409
    assert refused.json()["code"] in ("expired", "closed")
    assert len(portal.output_manifest("photos")) == 12
    assert set(on_file(portal, "photos")) == {(other.worker_id, str(at)) for at in range(12)}


def test_what_cannot_be_labelled_is_set_aside_with_the_reason(open_portal, truth):
    portal = open_portal(workers_per_object=1)
    (worker,) = hire(portal, TEAM[0])
    first = worker.next("photos")["task"]["id"]
    reply = worker.post(
        "photos", "cannot-label", task=first, reason="image-unclear", comment="all black"
    )
    assert reply.json()["saved"] == "saved"
    work(worker, "photos", lambda at: say(truth[at]))
    portal.output_manifest("photos")
    why = {"reason": "image-unclear", "comment": "all black"}
    assert on_file(portal, "photos")[worker.worker_id, first] == {"cannot-be-labeled": why}
    (told,) = portal.output_manifest("photos")[int(first)]["label"]["answers"]["set-aside"]
    assert told["reason"] == "cannot-be-labeled"
    assert "image-unclear" in told["detail"]


def test_an_owner_pauses_resumes_and_finishes(open_portal, truth):
    portal = open_portal()
    owner = portal.let_in(portal.links[0])
    (worker,) = hire(portal, TEAM[0])
    task = worker.next("photos")["task"]["id"]
    owner.http.post("/owner/api/jobs/photos/pause").raise_for_status()
    paused = worker.next("photos")
    assert (paused["state"], paused["task"]) == ("paused", None)
    owner.http.post("/owner/api/jobs/photos/resume").raise_for_status()
    task = worker.next("photos")["task"]["id"]
    worker.answer("photos", task, say(truth[int(task)]))
    owner.http.post("/owner/api/jobs/photos/finish").raise_for_status()
    done = worker.next("photos")
    assert (done["state"], done["task"]) == ("finished", None)
    labeled = [
        at
        for at, line in enumerate(portal.output_manifest("photos"))
        if line.get("label", {}).get("class-name")
    ]
    assert labeled == [int(task)]


def test_a_worker_reaches_neither_the_owners_pages_nor_other_tasks(open_portal, truth):
    portal = open_portal()
    ann, bob = hire(portal, *TEAM[:2])
    for path in ("/owner", "/owner/jobs/photos", "/owner/team", "/owner/api/jobs/photos/status"):
        assert ann.http.get(path).status_code == 404
    assert ann.http.post("/owner/api/jobs/photos/finish").status_code == 404
    of_bob = bob.next("photos")["task"]["id"]
    refused = ann.post("photos", "answers", task=of_bob, answer=say("cat"))
    assert refused.status_code == 409
    assert bob.answer("photos", of_bob, say(truth[int(of_bob)]))["saved"] == "saved"
    without_token = httpx.Client(base_url=portal.url, cookies=bob.http.cookies)
    assert without_token.post("/api/jobs/photos/next", json={}).status_code == 403


@pytest.mark.parametrize("seed", [1, 2])
def test_a_portal_that_is_killed_loses_no_acknowledged_answer(open_portal, tmp_path, seed):
    """Six people, 40 objects, three answers each; killed five times at random moments."""
    chance = random.Random(seed)
    make_photos(tmp_path / "photos", 40)
    portal = open_portal(workers_per_object=3)
    emails = [f"worker{at}@example.org" for at in range(6)]
    workers = hire(portal, *emails)
    saved: dict[tuple[str, str], dict] = {}

    def labour(worker: HttpWorker, seed: float) -> None:
        pauses = random.Random(seed)
        end = time.monotonic() + 300
        while time.monotonic() < end:
            try:
                todo = worker.next("photos")
                while todo["task"] is not None:
                    task = todo["task"]["id"]
                    assert (worker.worker_id, task) not in saved, "asked twice"
                    time.sleep(pauses.uniform(0, 0.2))
                    answer = say(pauses.choice(LABELS)) | {"workerComment": f"at {time.time()}"}
                    todo = worker.answer("photos", task, answer)
                    assert todo["saved"] == "saved"
                    saved[worker.worker_id, task] = answer
                if todo["progress"]["complete"] == todo["progress"]["total"]:
                    return
                time.sleep(0.1)
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the job did not end")

    def cut_the_power() -> None:
        for _ in range(5):
            time.sleep(chance.uniform(0.1, 1.0))
            portal.kill()
            portal.start()

    run_at_once(
        cut_the_power,
        *(
            lambda worker=worker, seed=seed: labour(worker, seed)
            for worker, seed in ((worker, chance.random()) for worker in workers)
        ),
    )
    assert len(portal.output_manifest("photos")) == 40
    kept = on_file(portal, "photos")
    assert {key: kept.get(key) for key in saved} == saved
    assert Counter(task for _, task in kept) == {str(at): 3 for at in range(40)}


def test_two_hundred_people_at_once_and_every_answer_is_kept_once(open_portal, tmp_path):
    """200 sessions, 334 objects, three answers each: about five answers a person."""
    make_photos(tmp_path / "photos", 334)
    portal = open_portal(workers_per_object=3)
    database = portal.database
    members = [team.add_member(database, f"w{at}@example.org") for at in range(200)]
    tokens = [start_session(database, member) for member in members]
    saved: dict[tuple[str, str], dict] = {}

    async def labour(worker_id: str, token: str) -> None:
        cookies = {f"labeljob-{portal.port}": token}
        async with httpx.AsyncClient(base_url=portal.url, cookies=cookies, timeout=60) as http:
            session = (await http.get("/api/session")).raise_for_status().json()
            http.headers["X-CSRF-Token"] = session["csrf"]
            assert session["worker"] == worker_id
            reply = await http.post("/api/jobs/photos/next", json={"page": "p"})
            todo = reply.raise_for_status().json()
            while todo["task"] is not None:
                task = todo["task"]["id"]
                answer = say(LABELS[int(task) % 4]) | {"workerComment": f"{worker_id} {task}"}
                body = {"task": task, "answer": answer}
                reply = await http.post("/api/jobs/photos/answers", json=body)
                todo = reply.raise_for_status().json()
                assert todo["saved"] == "saved"
                assert (worker_id, task) not in saved
                saved[worker_id, task] = answer

    async def labour_together() -> None:
        await asyncio.gather(
            *(labour(one.worker_id, token) for one, token in zip(members, tokens, strict=True))
        )

    run_coroutine(asyncio.wait_for(labour_together(), 240))
    assert len(saved) == 3 * 334
    assert len(portal.output_manifest("photos")) == 334
    assert on_file(portal, "photos") == saved
    wait_for(lambda: len(portal.worker_responses("photos")) == 334)
