"""The tutorial docs/tutorials/lab.md as its reader goes through it: three people."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.runner.portal.browser_people import Person
from tests.runner.portal.live_portal import LivePortal, read_lines
from tests.runner.portal.photographs import SUBJECTS, take_photographs

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/tutorials/lab.md"
KEYS = {subject: str(at) for at, subject in enumerate(SUBJECTS, start=1)}


def commands_of(remark: str, page: Path = PAGE) -> list[list[str]]:
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(rf"<!-- {re.escape(remark)}.*? -->\n```sh\n(.*?)```", text, re.DOTALL)
    lines = "".join(blocks).splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("labeljob")]


@pytest.fixture
def lab(tmp_path):
    shown = take_photographs(tmp_path / "photos", 10)
    (start,) = commands_of("the lab, start")
    portal = LivePortal(tmp_path, *start[1:], "--settle", "0.5")
    portal.start()
    yield portal, shown
    portal.stop()


def test_three_people_label_ten_photographs(lab, browser):
    portal, shown = lab
    (invite,) = commands_of("the lab, team")
    links = dict(line.split("\t") for line in portal.run(*invite).splitlines())
    assert len(links) == 3
    people = {email: Person(browser, portal).join(link) for email, link in links.items()}
    said: dict[str, dict[str, str]] = {email: {} for email in people}
    for person in people.values():
        person.start_working()
    at_work = dict(people)
    while at_work:
        for email, person in list(at_work.items()):
            if not person.has_task:
                del at_work[email]
                continue
            photograph, task = person.photograph, person.task
            assert photograph not in said[email], "asked twice"
            is_mistaken = email.startswith("bob") and shown[photograph] == "rocket"
            said[email][photograph] = "cat" if is_mistaken else shown[photograph]
            person.key(KEYS[said[email][photograph]])
            person.page.wait_for_function(
                "before => document.querySelector('#stage iframe:not(.waiting)')"
                "?.getAttribute('src') !== before",
                arg=task,
            )
    assert all(set(answers) == set(shown) for answers in said.values())

    lines = portal.output_manifest("photos")
    labels = {Path(line["source-ref"]).name: line["label"]["class-name"] for line in lines}
    assert labels == shown

    rows = json.loads(portal.run("team", "list", "--json"))
    workers = {row["worker_id"]: row["email"] for row in rows}
    names = [Path(line["source-ref"]).name for line in lines]
    for task, answers in portal.worker_responses("photos").items():
        assert {
            workers[one["workerId"]]: one["answerContent"]["crowd-image-classifier"]["label"]
            for one in answers
        } == {email: said[email][names[int(task)]] for email in people}
    assert not any(person.alerts for person in people.values())

    for command in commands_of("the lab, results"):
        portal.run(*command)
    assert (portal.folder / "report.html").is_file()
    assert read_lines(portal.job_folder("photos") / "manifests/output/output.manifest") == lines


@pytest.mark.slow
def test_the_other_commands_of_the_page_start_a_portal(tmp_path):
    take_photographs(tmp_path / "photos", 4, size=(64, 48))
    for command in [*commands_of("adaptive"), *commands_of("masks"), *commands_of("going on")]:
        portal = LivePortal(tmp_path, *command[1:])
        portal.start()
        portal.stop()
        job = "outlines" if "outlines" in command else "photos"
        assert f"job {job}: 4 data objects" in portal.said
