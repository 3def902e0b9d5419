"""The worker's page in a browser: windows, reloads, ended sessions, and what an owner does."""

import pytest
from playwright.sync_api import expect

from tests.runner.portal.browser_people import WORK, Person
from tests.runner.portal.photographs import SUBJECTS, take_photographs

LABELS = list(SUBJECTS)
EMAIL = "ann@example.org"


@pytest.fixture
def shown(tmp_path):
    return take_photographs(tmp_path / "photos", 8, size=(160, 120))


@pytest.fixture
def hire(browser):
    """Let people join a portal, each with a browser of their own."""
    people: list[Person] = []

    def join(portal, *emails) -> list[Person]:
        links = portal.invite(*emails)
        new = [Person(browser, portal).join(links[email]) for email in emails]
        people.extend(new)
        return new

    yield join
    for person in people:
        assert person.alerts == []
        person.close()


def answer(person, shown) -> str:
    """Answer the task that is shown by its number key; gives the photograph."""
    photograph, task = person.photograph, person.task
    person.key(str(LABELS.index(shown[photograph]) + 1))
    person.page.wait_for_function(
        "before => document.querySelector('#stage iframe:not(.waiting)')"
        "?.getAttribute('src') !== before",
        arg=task,
    )
    return photograph


def answer_all(person, shown) -> list[str]:
    photographs = []
    while person.has_task:
        photographs.append(answer(person, shown))
    return photographs


def labels_of(portal) -> dict[str, str | None]:
    return {
        line["source-ref"].rsplit("/", 1)[-1]: line.get("label", {}).get("class-name")
        for line in portal.output_manifest("photos")
    }


def panel(person, text):
    expect(person.page.locator("#panel-title", has_text=text)).to_be_visible()


def test_reloads_windows_and_the_back_button_lose_nothing(open_portal, shown, hire, browser):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    photograph = ann.photograph
    ann.page.reload()
    assert ann.wait_for_task().photograph == photograph
    first, other = ann.page, ann.open_window()
    other.goto(first.url)
    ann.page = other
    assert ann.wait_for_task().photograph == photograph
    answered = {answer(ann, shown)}
    ann.page = first
    task = ann.task
    ann.key("1")  # the same task once more: the first answer counts
    ann.wait_for_task(other_than=task)
    ann.wait_for_task(other_than=None)
    answered.add(answer(ann, shown))
    ann.page.go_back()
    expect(ann.page.get_by_role("link", name=WORK)).to_be_visible()
    ann.page.go_forward()
    ann.wait_for_task()
    answered.add(answer(ann, shown))

    ann.close()
    again = Person(browser, portal)
    again.sign_in(EMAIL)
    again.start_working()
    assert answered.isdisjoint(answer_all(again, shown))
    assert labels_of(portal) == shown
    again.close()


def test_keys_alone_suffice_and_a_skipped_task_comes_back_at_the_end(open_portal, shown, hire):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    link = ann.page.get_by_role("link", name=WORK)
    for _ in range(20):
        ann.key("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    ann.key("Enter")
    ann.wait_for_task()
    answer(ann, shown)
    ann.page.locator("#counts").click()  # a key that is pressed beside the task counts
    answer(ann, shown)
    skipped, task = ann.photograph, ann.task
    ann.page.get_by_role("button", name="Skip", exact=True).click()
    ann.wait_for_task(other_than=task)
    assert answer_all(ann, shown)[-1] == skipped
    assert labels_of(portal) == shown


def test_a_worker_goes_back_or_says_why_a_task_cannot_be_labelled(open_portal, shown, hire):
    portal = open_portal(settle=30)
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    unclear, task = ann.photograph, ann.task
    ann.page.get_by_role("button", name="This cannot be labelled").click()
    ann.page.get_by_label("No label fits").check()
    ann.page.get_by_label("Comment (optional)").fill("It is a tram")
    ann.page.get_by_role("button", name="Send and go on").click()
    ann.wait_for_task(other_than=task)
    photograph, task = ann.photograph, ann.task
    wrong = next(label for label in LABELS if label != shown[photograph])
    ann.key(str(LABELS.index(wrong) + 1))
    ann.wait_for_task(other_than=task)
    third = ann.task
    ann.page.get_by_role("button", name="Back to my last answer").click()
    ann.wait_for_task(other_than=third)
    assert ann.photograph == photograph
    answer_all(ann, shown)
    owner = portal.let_in(portal.links[0])
    owner.http.post("/owner/api/jobs/photos/finish").raise_for_status()
    assert labels_of(portal) == {**shown, unclear: None}
    number = str(sorted(shown).index(unclear))
    (response,) = portal.worker_responses("photos")[number]
    assert response["answerContent"] == {
        "cannot-be-labeled": {"reason": "no-label-fits", "comment": "It is a tram"}
    }


def test_an_ended_session_a_pause_and_an_end_reach_the_page(open_portal, shown, hire):
    portal = open_portal()
    owner = portal.let_in(portal.links[0])
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    with portal.database.transaction() as connection:
        connection.execute("DELETE FROM sessions WHERE worker_id != ?", (owner.worker_id,))
    first, task = ann.photograph, ann.task
    ann.key(str(LABELS.index(shown[first]) + 1))
    expect(ann.page.locator("#notices")).to_contain_text("signed out")
    other = ann.open_window()
    ann.sign_in(EMAIL, other)
    ann.page.bring_to_front()
    expect(ann.page.locator("#notices")).not_to_contain_text("signed out", timeout=30_000)
    ann.wait_for_task(other_than=task)  # the answer was kept until its worker was back

    owner.http.post("/owner/api/jobs/photos/pause").raise_for_status()
    second = ann.photograph
    ann.key(str(LABELS.index(shown[second]) + 1))  # is taken all the same
    panel(ann, "paused")
    owner.http.post("/owner/api/jobs/photos/resume").raise_for_status()
    ann.page.get_by_role("button", name="Look now").click()
    ann.wait_for_task()
    third = answer(ann, shown)
    owner.http.post("/owner/api/jobs/photos/finish").raise_for_status()
    ann.key("1")
    panel(ann, "finished")
    labels = {name: label for name, label in labels_of(portal).items() if label is not None}
    assert labels == {name: shown[name] for name in (first, second, third)}


def test_a_portal_that_was_killed_is_waited_for(open_portal, shown, hire):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    answer(ann, shown)
    key = str(LABELS.index(shown[ann.photograph]) + 1)
    portal.kill()
    ann.key(key)
    expect(ann.page.locator("#notices")).to_contain_text("does not answer")
    portal.start()
    expect(ann.page.locator("#notices")).not_to_contain_text("does not answer", timeout=60_000)
    # What was to be loaded meanwhile, pages and photographs, comes by itself.
    while ann.has_task:
        expect(ann.frame.get_by_role("alert")).to_have_count(0, timeout=60_000)
        answer(ann, shown)
    assert labels_of(portal) == shown
