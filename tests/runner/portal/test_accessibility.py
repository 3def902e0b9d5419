"""axe-core finds nothing wrong on any page of the portal, light and dark."""

from pathlib import Path

import pytest
from playwright.sync_api import Frame, Page, expect

from labeljob import portal as portal_package
from tests.runner.portal.browser_people import SHOWN, Person
from tests.runner.portal.photographs import SUBJECTS, take_photographs

AXE = Path(portal_package.__file__).parent / "pages/node_modules/axe-core/axe.min.js"
EMAIL, OTHER = "ann@example.org", "bob@example.org"
RUN = """axe.run(document, { iframes: false, resultTypes: ['violations'] }).then((found) =>
  found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`))"""


def find_violations(page: Page, frame: Frame | None = None) -> list[str]:
    """What is wrong with a page, or a frame of it, light or dark."""
    shown = frame or page
    shown.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        if frame:
            told = "(scheme) => document.documentElement.dataset.labeljobTheme === scheme"
            frame.wait_for_function(told, arg=scheme)
        found += [f"{scheme}: {one}" for one in shown.evaluate(RUN)]
    return found


def check(page: Page, where: str) -> None:
    page.wait_for_load_state("networkidle") if "owner" not in where else None
    assert find_violations(page) == [], where


@pytest.fixture
def person_at(browser):
    people = []

    def open_browser(portal) -> Person:
        person = Person(browser, portal, reduced_motion="reduce")  # colors change at once
        people.append(person)
        return person

    yield open_browser
    for person in people:
        person.close()


def test_pages_of_workers(open_portal, person_at, tmp_path):
    shown = take_photographs(tmp_path / "photos", 4, size=(160, 120))
    portal = open_portal()
    links = portal.invite(EMAIL, OTHER)
    ann = person_at(portal)
    page = ann.page
    page.goto(f"{portal.url}/sign-in")
    check(page, "sign-in")
    page.get_by_label("E-mail").fill("nobody@example.org")
    page.get_by_label("Password", exact=True).fill("wrong wrong wrong")
    page.get_by_role("button", name="Sign in").click()
    check(page, "sign-in, refused")
    page.goto(links[OTHER])
    check(page, "join")
    page.goto(f"{portal.url}/join/no-such-link")
    check(page, "join, not valid")
    ann.join(links[EMAIL])
    check(page, "job list")
    page.goto(f"{portal.url}/password")
    check(page, "password")
    page.goto(f"{portal.url}/progress")
    check(page, "progress, empty")
    page.goto(portal.url)
    ann.start_working()
    check(page, "work page")
    frame = page.locator(SHOWN).element_handle().content_frame()
    assert find_violations(page, frame) == []
    frame.get_by_text("View full instructions").click()
    assert find_violations(page, frame) == [], "instructions"
    ann.key("Escape")
    frame.get_by_text("View tool guide").click()
    assert find_violations(page, frame) == [], "tool guide"
    ann.key("Escape")
    page.get_by_role("button", name="This cannot be labelled").click()
    check(page, "cannot-label dialog")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Keys and options").click()
    check(page, "options dialog")
    ann.key("Escape")
    while ann.has_task:
        task = ann.task
        ann.frame.locator("body").click()
        ann.key("1")
        page.wait_for_function(
            "before => document.querySelector('#stage iframe:not(.waiting)')"
            "?.getAttribute('src') !== before",
            arg=task,
        )
    check(page, "work page, nothing to do")
    page.goto(f"{portal.url}/progress")
    check(page, "progress")
    assert len(shown) == 4


def test_pages_of_the_owner(open_portal, person_at, tmp_path):
    take_photographs(tmp_path / "photos", 8, size=(160, 120))
    portal = open_portal(workers_per_object=2)
    links = portal.invite(EMAIL, OTHER)
    for at, email in enumerate(links):
        worker = portal.let_in(links[email])
        task = worker.next("photos")["task"]
        while task and int(task["id"]) < 6:
            label = list(SUBJECTS)[(int(task["id"]) + at * (int(task["id"]) % 2)) % 4]
            answer = {"crowd-image-classifier": {"label": label}}
            task = worker.answer("photos", task["id"], answer)["task"]
    owner = person_at(portal)
    page = owner.page
    page.goto(portal.links[0])
    page.wait_for_timeout(1500)
    for path in ("/owner", "/owner/jobs/photos", "/owner/team", "/owner/jobs/photos/preview"):
        page.goto(f"{portal.url}{path}")
        expect(page.locator("main")).to_be_visible()
        page.wait_for_timeout(1500)  # pictures and numbers come after the page
        check(page, path)
