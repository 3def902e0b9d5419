"""What tests of the portal share."""

import pytest

from labeljob.portal import templating
from labeljob.portal.database import Database


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
