"""A worker page that attacks the portal, in a browser: its sandbox holds."""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from labeljob.portal import sign_in
from labeljob.portal.templating import STATIC
from tests.runner.portal.portal_client import open_portal, serve_portal

TEMPLATE = Path(__file__).with_name("hostile_page.liquid.html")
SHOWN = "#stage iframe:not(.waiting)"
LABELS = ("cat", "<img src=x onerror=parent.hacked=1>", "</script><script>top.hacked=1</script>")


@pytest.fixture
def portal(tmp_path):
    if not (STATIC / "worker.js").is_file() and "CI" not in os.environ:
        pytest.skip("needs the portal's pages: run `make build-pages`")
    folder = tmp_path / '<img src=x onerror="hacked=1">'
    with open_portal(folder, n_images=3, template=str(TEMPLATE), labels=LABELS) as opened:
        yield opened


def test_it_reaches_nothing_but_its_own_task(portal, browser):
    with serve_portal(portal) as (address, invite):
        context = browser.new_context()
        context.set_default_timeout(30_000)
        page = context.new_page()
        asked = []
        context.on("request", lambda request: asked.append(request))
        page.goto(invite("ann"))
        page.goto(f"{address}/jobs/zoo")
        told = page.frame_locator(SHOWN).locator("#tried")
        expect(told).to_contain_text("reached", timeout=60_000)
        tried = json.loads(told.text_content())

        assert tried.pop("end") == "reached"
        assert tried.pop("other file") in ("404", "refused")
        assert tried.pop("window") in ("no window", "refused")
        assert set(tried.values()) == {"refused"}, tried

        # The page around is where it was, the member signed in, and nothing was answered.
        assert page.url == f"{address}/jobs/zoo"
        assert page.evaluate("window.hacked") is None
        expect(page.locator("img[src='x']")).to_have_count(0)
        assert page.request.get(f"{address}/api/session").status == 200
        with portal.database.read() as connection:
            submitted, live = connection.execute(
                "SELECT count(submitted), sum(live) FROM assignments"
            ).fetchone()
        assert (submitted, live) == (0, 2)

        # What the page asked for went without the member's cookie.
        of_frame = [one for one in asked if one.method == "POST" and one.frame != page.main_frame]
        paths = {urlsplit(one.url).path for one in of_frame}
        assert {"/sign-out", "/api/jobs/zoo/answers", "/api/jobs/zoo/stop"} <= paths
        assert [one.url for one in of_frame if "cookie" in one.all_headers()] == []
        assert not any(urlsplit(one.url).hostname == "evil.example.org" for one in asked)
        context.close()


def test_pages_of_signing_in_work_without_scripts(portal, browser):
    with serve_portal(portal) as (address, invite):
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{address}/progress")
        assert page.url == f"{address}/sign-in?next=/progress"
        page.get_by_label("E-mail address").fill("nobody@example.org")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text(sign_in._WRONG)
        page.goto(invite("ann"))
        page.goto(f"{address}/progress")
        assert page.url == f"{address}/progress"
        page.get_by_role("button", name="Log out").click()
        page.goto(f"{address}/progress")
        assert page.url == f"{address}/sign-in?next=/progress"
        context.close()
