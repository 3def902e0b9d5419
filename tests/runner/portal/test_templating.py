import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from labeljob.portal import templating
from labeljob.portal.templating import PortalFiles, render_page, static_url


@pytest.fixture
def static(tmp_path, monkeypatch):
    monkeypatch.setattr(templating, "STATIC", tmp_path)
    templating._digest.cache_clear()
    (tmp_path / "portal.css").write_text("body {}")
    yield tmp_path
    templating._digest.cache_clear()


@pytest.fixture
def client(static):
    def show(request):
        request.state.customer = "Bird <b>station</b>"
        return render_page(request, "base.html.jinja")

    return TestClient(Starlette(routes=[Route("/", show), Mount("/static", PortalFiles())]))


def test_the_name_of_the_customer_is_text(client):
    assert "Bird &lt;b&gt;station&lt;/b&gt;" in client.get("/").text


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        pytest.param("dark", '<html lang="en" data-theme="dark">', id="dark"),
        pytest.param("", '<html lang="en">', id="the-system's"),
        pytest.param('"><script>', '<html lang="en">', id="no-theme"),
    ],
)
def test_the_theme_is_the_one_of_the_cookie(client, cookie, expected):
    assert expected in client.get("/", headers={"cookie": f"labeljob-theme={cookie}"}).text


def test_a_style_is_kept_by_the_browser_until_it_changes(client, static):
    before = static_url("portal.css")
    assert "immutable" in client.get(before).headers["cache-control"]
    assert client.get("/static/portal.css").headers["cache-control"] == "no-cache"
    templating._digest.cache_clear()
    (static / "portal.css").write_text("body { margin: 0 }")
    assert static_url("portal.css") != before


def test_a_path_out_of_the_folder_finds_nothing(client, static):
    (static.parent / "secret.txt").write_text("secret")
    assert client.get("/static/..%2Fsecret.txt").status_code == 404
