"""The worker's page in a browser: windows, reloads, ended sessions, and what an owner does."""

import pytest
from playwright.sync_api import expect

from tests.runner.portal.browser_people import WORK, Person
from tests.runner.portal.photographs import SUBJECTS, take_photographs

LABELS = list(SUBJECTS)
EMAIL = "ann@example.org"


@pytest.fixture
def shown(tmp_path):
    return take_photographs(tmp_path / "photos", 6, size=(160, 120))


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


def labels_of(portal) -> dict[str, str]:
    return {
        line["source-ref"].rsplit("/", 1)[-1]: line["label"]["class-name"]
        for line in portal.output_manifest("photos")
    }


def panel(person, text):
    expect(person.page.locator("#panel-title", has_text=text)).to_be_visible()


def test_a_reload_and_a_second_window_show_the_same_task(open_portal, shown, hire):
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
    answer(ann, shown)
    ann.page = first
    ann.key("1")  # the same task once more: the first answer counts
    answer_all(ann, shown)
    assert labels_of(portal) == shown


def test_a_key_that_is_pressed_beside_the_task_counts(open_portal, shown, hire):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    while ann.has_task:
        ann.page.locator("#counts").click()
        answer(ann, shown)
    assert labels_of(portal) == shown


def test_a_browser_that_was_closed_goes_on_where_it_was(open_portal, shown, hire, browser):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    answered = answer(ann, shown)
    ann.close()
    again = Person(browser, portal)
    again.sign_in(EMAIL)
    again.start_working()
    assert answered not in answer_all(again, shown)
    assert labels_of(portal) == shown
    again.close()


def test_the_back_button_loses_nothing(open_portal, shown, hire):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    answer(ann, shown)
    ann.page.go_back()
    expect(ann.page.get_by_role("link", name=WORK)).to_be_visible()
    ann.page.go_forward()
    ann.wait_for_task()
    answer_all(ann, shown)
    assert labels_of(portal) == shown


def test_a_worker_goes_back_to_their_last_answer(open_portal, shown, hire):
    portal = open_portal(settle=30)
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    photograph, task = ann.photograph, ann.task
    wrong = next(label for label in LABELS if label != shown[photograph])
    ann.key(str(LABELS.index(wrong) + 1))
    ann.wait_for_task(other_than=task)
    second = ann.task
    ann.page.get_by_role("button", name="Back to my last answer").click()
    ann.wait_for_task(other_than=second)
    assert ann.photograph == photograph
    answer_all(ann, shown)
    owner = portal.let_in(portal.links[0])
    owner.http.post("/owner/api/jobs/photos/finish").raise_for_status()
    assert labels_of(portal) == shown


def test_a_session_that_ended_keeps_the_answer_until_its_worker_is_back(open_portal, shown, hire):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    with portal.database.transaction() as connection:
        connection.execute("DELETE FROM sessions")
    ann.key(str(LABELS.index(shown[ann.photograph]) + 1))
    expect(ann.page.locator("#notices")).to_contain_text("signed out")
    other = ann.open_window()
    ann.sign_in(EMAIL, other)
    ann.page.bring_to_front()
    expect(ann.page.locator("#notices")).not_to_contain_text("signed out", timeout=30_000)
    ann.wait_for_task()
    answer_all(ann, shown)
    assert labels_of(portal) == shown


def test_what_cannot_be_labelled_gets_a_reason(open_portal, shown, hire):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    photograph, task = ann.photograph, ann.task
    ann.page.get_by_role("button", name="This cannot be labelled").click()
    ann.page.get_by_label("No label fits").check()
    ann.page.get_by_label("Comment (optional)").fill("It is a tram")
    ann.page.get_by_role("button", name="Send and go on").click()
    ann.wait_for_task(other_than=task)
    answer_all(ann, shown)
    portal.output_manifest("photos")
    number = str(sorted(shown).index(photograph))
    (response,) = portal.worker_responses("photos")[number]
    assert response["answerContent"] == {
        "cannot-be-labeled": {"reason": "no-label-fits", "comment": "It is a tram"}
    }


def test_a_skipped_task_comes_back_at_the_end(open_portal, shown, hire):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    skipped, task = ann.photograph, ann.task
    ann.page.get_by_role("button", name="Skip", exact=True).click()
    ann.wait_for_task(other_than=task)
    assert answer_all(ann, shown)[-1] == skipped
    assert labels_of(portal) == shown


def test_a_pause_and_an_end_reach_the_page(open_portal, shown, hire):
    portal = open_portal()
    owner = portal.let_in(portal.links[0])
    (ann,) = hire(portal, EMAIL)
    ann.start_working()
    owner.http.post("/owner/api/jobs/photos/pause").raise_for_status()
    photograph = ann.photograph
    ann.key(str(LABELS.index(shown[photograph]) + 1))  # is taken all the same
    panel(ann, "paused")
    owner.http.post("/owner/api/jobs/photos/resume").raise_for_status()
    ann.page.get_by_role("button", name="Look now").click()
    ann.wait_for_task()
    answer(ann, shown)
    owner.http.post("/owner/api/jobs/photos/finish").raise_for_status()
    ann.key("1")
    panel(ann, "finished")
    lines = portal.output_manifest("photos")
    assert sum(line.get("label", {}).get("class-name") is not None for line in lines) == 2


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
    answer_all(ann, shown)
    assert labels_of(portal) == shown


def test_the_keyboard_alone_suffices(open_portal, shown, hire):
    portal = open_portal()
    (ann,) = hire(portal, EMAIL)
    link = ann.page.get_by_role("link", name=WORK)
    for _ in range(20):
        ann.key("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    ann.key("Enter")
    ann.wait_for_task()
    answer_all(ann, shown)
    assert labels_of(portal) == shown
