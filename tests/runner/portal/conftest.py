"""What tests of the portal share."""

import pytest

from labeljob.portal import templating
from labeljob.portal.database import Database
from tests.runner.portal.live_portal import LivePortal
from tests.runner.portal.photographs import SUBJECTS


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / ".portal" / "portal.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def portal_style(tmp_path, monkeypatch):
    """Pages can name their style, whether or not the portal's pages were built."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "portal.css").write_text("body {}")
    monkeypatch.setattr(templating, "STATIC", folder)
    templating._digest.cache_clear()
    yield folder
    templating._digest.cache_clear()


@pytest.fixture
def open_portal(tmp_path):
    """Start a portal on `tmp_path`/photos; options as keywords, with underscores."""
    opened: list[LivePortal] = []

    def start(*, task="image-multi-class", source="photos", labels=SUBJECTS, **options):
        arguments = [source, "--task", task]
        for label in labels:
            arguments += ["--labels", label]
        for name, value in ({"settle": 0.5} | options).items():
            arguments += [f"--{name.replace('_', '-')}", str(value)]
        portal = LivePortal(tmp_path, *arguments)
        opened.append(portal)
        portal.start()
        return portal

    yield start
    for portal in opened:
        portal.stop()
