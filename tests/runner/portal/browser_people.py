"""People in front of the portal, each with a browser of their own."""

import hashlib
import re
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.runner.portal.live_portal import PASSWORD, LivePortal
from tests.runner.portal.worker_acts import Worker

WORK = re.compile("(Start|Go on) working")
SHOWN = "#stage iframe:not(.waiting)"


class Person(Worker):
    """A member of the team at a browser; tell them what each photograph is by its file name."""

    def __init__(self, browser: Browser, portal: LivePortal, **options: object) -> None:
        self.portal = portal
        self.context: BrowserContext = browser.new_context(
            viewport={"width": 1280, "height": 860}, **options
        )
        self.context.set_default_timeout(60_000)
        self.alerts: list[str] = []
        self.names = {
            hashlib.sha256(path.read_bytes()).hexdigest(): path.name
            for path in (portal.folder / "photos").iterdir()
        }
        super().__init__(self.open_window(), None)

    @property
    def frame(self) -> FrameLocator:
        """The task that is shown."""
        return self.page.frame_locator(SHOWN)

    @frame.setter
    def frame(self, _frame: None) -> None:
        """The task follows from the page."""

    def open_window(self) -> Page:
        """Another window of the same browser."""
        page = self.context.new_page()

        def note(dialog) -> None:
            if dialog.type == "beforeunload":  # the page asks; this person leaves all the same
                dialog.accept()
                return
            self.alerts.append(dialog.message)
            dialog.dismiss()

        page.on("dialog", note)
        return page

    def join(self, link: str) -> "Person":
        """Come in by a link, and choose a password where it asks for one."""
        self.page.goto(link)
        if self.page.get_by_label("New password", exact=True).count():
            self.page.get_by_label("New password", exact=True).fill(PASSWORD)
            self.page.get_by_label("New password, once more").fill(PASSWORD)
            self.page.get_by_role("button", name="Save and sign in").click()
        self.page.wait_for_url(f"{self.portal.url}/")
        return self

    def sign_in(self, email: str, page: Page | None = None) -> None:
        """Come in by the page of signing in."""
        page = page or self.page
        page.goto(f"{self.portal.url}/sign-in")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

    def start_working(self) -> "Person":
        """Open the job, and wait for its first task."""
        self.page.get_by_role("link", name=WORK).click()
        return self.wait_for_task()

    def wait_for_task(self, *, other_than: str | None = None) -> "Person":
        """Wait until a task is shown, another one than that with the page `other_than`."""
        self.page.wait_for_function(
            "([shown, before]) => { const frame = document.querySelector(shown);"
            " return frame && frame.getAttribute('src') !== before }",
            arg=[SHOWN, other_than],
        )
        expect(self.frame.get_by_role("button", name="Submit")).to_be_visible()
        return self

    @property
    def task(self) -> str:
        """The page of the task that is shown."""
        found = self.page.locator(SHOWN).get_attribute("src")
        assert found
        return found

    @property
    def photograph(self) -> str:
        """File name of the photograph that is shown, by its bytes."""
        source = self.frame.locator("img[src*='/files/']").first.get_attribute("src")
        assert source
        body = self.page.request.get(urljoin(self.portal.url, source)).body()
        return self.names[hashlib.sha256(body).hexdigest()]

    @property
    def has_task(self) -> bool:
        """Whether there is a task now; waits until the page knows."""
        done = self.page.locator("#panel-title", has_text="finished").or_(
            self.page.locator("#panel-title", has_text="no task")
        )
        shown = self.page.locator(SHOWN)
        expect(done.or_(shown).first).to_be_visible()
        return shown.count() > 0

    def close(self) -> None:
        """Close the browser."""
        self.context.close()


def seen_by(people: list[Person], folder: Path) -> None:
    """Keep a picture of each person's window, for a look at a test that failed."""
    for at, person in enumerate(people):
        person.page.screenshot(path=folder / f"person-{at}.png")
