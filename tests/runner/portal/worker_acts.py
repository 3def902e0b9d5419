"""What a worker does on a page in the browser, by name: the `acts` of the pages' JSON files.

Fields are found by their name, as the answer has them (``#id`` where they have none), buttons and
choices by what is written on them. Playwright looks into the elements' insides by itself.
"""

import re

from playwright.sync_api import FrameLocator, Locator, Page, expect


class Worker:
    """Somebody in front of a page: `frame` is the task, `page` the window around it."""

    def __init__(self, page: Page, frame: FrameLocator) -> None:
        self.page = page
        self.frame = frame

    def act(self, name: str, *arguments: object) -> None:
        """Do one act by its name."""
        getattr(self, name)(*arguments)

    def choose(self, label: str) -> None:
        """Choose a label of a classifier with the mouse."""
        self.option(label).click()

    def option(self, label: str) -> Locator:
        """The choice of a classifier that has exactly this label."""
        return self.frame.locator("[role=radio], [role=checkbox], label").filter(
            has=self.frame.get_by_text(label, exact=True)
        )

    def key(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        self.page.keyboard.press(key)

    def press(self, text: str) -> None:
        """Press a button or a link that does something."""
        self.frame.get_by_text(text, exact=True).first.click()

    def submit(self) -> None:
        """Press the button that sends the answer."""
        self.frame.get_by_role("button", name="Submit").click()

    def comment(self, link: str, text: str) -> None:
        """Leave a comment behind its link."""
        self.press(link)
        self.frame.get_by_role("textbox").last.fill(text)

    def fill(self, name: str, text: str) -> None:
        """Replace the text of a field."""
        self._text_box(name).fill(text)

    def type(self, name: str, text: str) -> None:
        """Type into a field key by key."""
        self._text_box(name).press_sequentially(text)

    def check(self, name: str, value: str | None = None) -> None:
        """Click a box or a radio button, of a value where the name has several."""
        selector = f"[name='{name}']" + (f"[value='{value}']" if value else "")
        found = self.frame.locator(selector)
        boxes = found.locator("input").or_(found.and_(self.frame.locator("input")))
        boxes.locator("visible=true").first.click()

    def select(self, name: str, value: str) -> None:
        """Choose from a list."""
        self.frame.locator(f"select[name='{name}']").select_option(value)

    def slide(self, name: str, value: float) -> None:
        """Move a slider."""
        self.frame.locator(f"crowd-slider[name='{name}']").get_by_role("slider").fill(str(value))

    def see(self, text: str) -> None:
        """Something is written on the page."""
        shown = self.frame.get_by_text(text, exact=True).locator("visible=true")
        expect(shown.first).to_be_visible()

    def absent(self, text: str) -> None:
        """No button has this text."""
        expect(self.frame.get_by_role("button", name=re.compile(re.escape(text)))).to_have_count(0)

    def _text_box(self, name: str) -> Locator:
        found = self.frame.locator(name if name.startswith("#") else f"[name='{name}']")
        return (
            found.locator("input, textarea")
            .or_(found.and_(self.frame.locator("input, textarea")))
            .first
        )
