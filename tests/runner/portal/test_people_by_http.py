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
    for email, worker in zip(TEAM, workers, strict=False):
        window, other = worker.next("photos"), worker.next("photos")
        task = window["task"]["id"]
        assert task == other["task"]["id"]
        with portal.database.transaction() as connection:
            mine = (worker.worker_id,)
            connection.execute("DELETE FROM sessions WHERE worker_id = ?", mine)
        answer = say(truth[int(task)])
        refused = worker.post("photos", "answers", task=task, answer=answer)
        assert (refused.status_code, refused.json()["code"]) == (401, "signed-out")
        worker.sign_in(email)
        assert worker.answer("photos", task, answer)["saved"] == "saved"
        assert worker.answer("photos", task, say("another"))["saved"] == "repeated"
        work(worker, "photos", lambda at: say(truth[at]))
    lines = portal.output_manifest("photos")
    assert [line["label"]["class-name"] for line in lines] == truth
    assert len(on_file(portal, "photos")) == 24


def test_an_answer_counts_only_of_the_one_who_is_asked_and_in_time(open_portal, truth):
    portal = open_portal()
    ann, bob = hire(portal, *TEAM[:2])
    for path in ("/owner", "/owner/jobs/photos", "/owner/team", "/owner/api/jobs/photos/status"):
        assert ann.http.get(path).status_code == 404
    assert ann.http.post("/owner/api/jobs/photos/finish").status_code == 404
    of_bob = bob.next("photos")["task"]["id"]
    refused = ann.post("photos", "answers", task=of_bob, answer=say("cat"))
    assert refused.status_code == 409
    with httpx.Client(base_url=portal.url, cookies=bob.http.cookies) as without_token:
        assert without_token.post("/api/jobs/photos/next", json={}).status_code == 403
    first = bob.answer("photos", of_bob, say(truth[int(of_bob)]))
    assert first["saved"] == "saved"

    late = bob.next("photos")["task"]["id"]
    with portal.database.transaction() as connection:
        connection.execute("UPDATE assignments SET expires = 1 WHERE submitted IS NULL")
    saved = work(ann, "photos", lambda at: say(truth[at]))
    assert late in saved
    refused = bob.post("photos", "answers", task=late, answer=say("cat"))
    assert refused.status_code == 409
    assert refused.json()["code"] in ("expired", "closed")
    assert len(portal.output_manifest("photos")) == 12
    answered = {(ann.worker_id, str(at)) for at in range(12) if str(at) != of_bob}
    assert set(on_file(portal, "photos")) == {(bob.worker_id, of_bob), *answered}


def test_an_owner_pauses_resumes_and_finishes(open_portal, truth):
    portal = open_portal()
    owner = portal.let_in(portal.links[0])
    (worker,) = hire(portal, TEAM[0])
    unclear = worker.next("photos")["task"]["id"]
    why = {"reason": "image-unclear", "comment": "all black"}
    reply = worker.post("photos", "cannot-label", task=unclear, **why)
    assert reply.json()["saved"] == "saved"
    owner.http.post("/owner/api/jobs/photos/pause").raise_for_status()
    paused = worker.next("photos")
    assert (paused["state"], paused["task"]) == ("paused", None)
    owner.http.post("/owner/api/jobs/photos/resume").raise_for_status()
    task = worker.next("photos")["task"]["id"]
    worker.answer("photos", task, say(truth[int(task)]))
    owner.http.post("/owner/api/jobs/photos/finish").raise_for_status()
    done = worker.next("photos")
    assert (done["state"], done["task"]) == ("finished", None)
    lines = portal.output_manifest("photos")
    labeled = [at for at, line in enumerate(lines) if line.get("label", {}).get("class-name")]
    assert labeled == [int(task)]
    assert on_file(portal, "photos")[worker.worker_id, unclear] == {"cannot-be-labeled": why}
    (told,) = lines[int(unclear)]["label"]["answers"]["set-aside"]
    assert told["reason"] == "cannot-be-labeled"
    assert "image-unclear" in told["detail"]


def test_a_portal_that_is_killed_loses_no_acknowledged_answer(open_portal, tmp_path):
    """Six people, 40 objects, three answers each; killed three times at random moments."""
    chance = random.Random(1)
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
                time.sleep(0.2)
        raise AssertionError("the job did not end")

    def cut_the_power() -> None:
        for _ in range(3):
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
    """200 sessions, 134 objects, three answers each: about two answers a person."""
    make_photos(tmp_path / "photos", 134)
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
    assert len(saved) == 3 * 134
    assert len(portal.output_manifest("photos")) == 134
    assert on_file(portal, "photos") == saved
    wait_for(lambda: len(portal.worker_responses("photos")) == 134)
