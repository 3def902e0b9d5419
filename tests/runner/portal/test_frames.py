"""Worker pages and their images: who gets what, and how it is sent."""

import re
import time
from base64 import urlsafe_b64decode

import pytest

from labeljob.portal import grants
from labeljob.portal.frames import find_image_type, insert_elements
from labeljob.portal.grants import GrantError, GrantSigner
from tests.runner.image_files import image_bytes
from tests.runner.portal.portal_client import Worker, make_app, open_portal

pytestmark = pytest.mark.slow

ELEMENTS = re.compile(r'<script src="/static/elements\.js\?v=\w+"></script>')


@pytest.fixture(autouse=True)
def bundles(portal_style):
    (portal_style / "elements.js").write_text("")
    (portal_style / "worker.js").write_text("")


@pytest.fixture
def portal(tmp_path):
    with open_portal(tmp_path / "photos", n_images=2, per_object=1) as opened:
        yield opened


@pytest.fixture
def ann(portal):
    return Worker(*make_app(portal), "ann")


@pytest.mark.parametrize(
    ("page", "start"),
    [
        pytest.param("<crowd-form></crowd-form>", "<script", id="fragment"),
        pytest.param("<!doctype html><p>x", "<!doctype html><script", id="doctype"),
        pytest.param("<html lang=en><p>x", "<html lang=en><script", id="html"),
        pytest.param(
            "<!doctype html><html><head><title>x</title></head>",
            "<!doctype html><html><head><script",
            id="head",
        ),
        pytest.param("<header>x</header><p>", "<script", id="header-is-no-head"),
    ],
)
def test_a_page_without_the_script_gets_it_at_its_head(page, start):
    made = insert_elements(page)
    assert made.startswith(start)
    assert ELEMENTS.sub("", made) == page


@pytest.mark.parametrize(
    "script",
    [
        '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>',
        "<SCRIPT async src='https://assets.crowd.aws/crowd-html-elements.js' ></SCRIPT >",
        "<script src=https://assets.crowd.aws/crowd-html-elements.js></script>",
        '<script defer\n src="//assets.crowd.aws/crowd-html-elements.js">\n</script>',
    ],
)
def test_the_script_of_aws_is_replaced_where_it_stands(script):
    made = insert_elements(f"<p>before</p>{script}<p>after</p>{script}")
    assert len(ELEMENTS.findall(made)) == 1
    assert "crowd-html-elements" not in made
    assert made.index("before") < made.index("elements.js") < made.index("after")


def test_the_style_sheet_of_aws_is_not_asked_for():
    style = (
        '<link rel="stylesheet" href="https://assets.crowd.aws/css/crowd-html-elements-v2.css" />'
    )
    other = '<link rel="stylesheet" href="https://example.org/own.css">'
    made = insert_elements(f"<head>{style}{other}</head>")
    assert "crowd-html-elements" not in made
    assert other in made


def test_another_script_stays():
    page = '<script src="https://example.org/crowd.js"></script>'
    assert page in insert_elements(page)


def test_a_worker_page_is_in_a_sandbox(ann):
    frame = ann.browser.get(ann.next()["task"]["page"])
    assert frame.status_code == 200
    policy = frame.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "form-action 'none'" in policy
    assert ELEMENTS.search(frame.text)


def test_the_image_of_a_page_needs_no_session(portal, ann):
    task = ann.next()["task"]
    assert task["images"][0] in ann.browser.get(task["page"]).text
    ann.browser.cookies.clear()
    image = ann.browser.get(task["images"][0])
    assert image.headers["content-type"] == "image/png"
    assert image.headers["x-content-type-options"] == "nosniff"
    assert image.headers["access-control-allow-origin"] == "*"
    assert image.headers["cache-control"].startswith("private")
    assert image.content == image_bytes(seed=int(task["id"]), size=(24, 16))


def test_an_image_that_the_browser_has_is_not_sent_again(ann):
    address = ann.next()["task"]["images"][0]
    tag = ann.browser.get(address).headers["etag"]
    again = ann.browser.get(address, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", b"secret", b""]
)
def test_a_file_that_is_no_image_is_not_sent(tmp_path, portal, ann, content):
    task = ann.next()["task"]
    path = next((tmp_path / "photos").rglob(f"{int(task['id']):03}.png"))
    path.write_bytes(content)
    refused = ann.browser.get(task["images"][0])
    assert refused.status_code == 415
    assert refused.headers["access-control-allow-origin"] == "*"  # the page reads the status
    assert b"svg" not in refused.content


def test_a_missing_image_is_said_in_words(tmp_path, portal, ann):
    task = ann.next()["task"]
    next((tmp_path / "photos").rglob(f"{int(task['id']):03}.png")).unlink()
    refused = ann.browser.get(task["images"][0])
    assert refused.status_code == 404
    assert "cannot be read" in refused.text
    assert refused.headers["access-control-allow-origin"] == "*"


def test_the_page_is_granted_nothing_but_its_task_input(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(image_bytes())
    template = tmp_path / "page.liquid.html"
    template.write_text(
        f'<img src="{{{{ "file://{secret}" | grant_read_access }}}}">'
        f'<img src="{{{{ "s3://labeljob/.portal/portal.sqlite" | grant_read_access }}}}">'
        '<img id="own" src="{{ task.input.taskObject | grant_read_access }}">'
    )
    folder = tmp_path / "photos"
    with open_portal(folder, n_images=1, per_object=1, template=str(template)) as portal:
        ann = Worker(*make_app(portal), "ann")
        page = ann.browser.get(ann.next()["task"]["page"]).text
    assert page.count('src="about:blank"') == 2
    assert page.count("/files/") == 1


@pytest.mark.parametrize(
    "token", ["", "x", "..%2F..%2Fetc%2Fpasswd", "WyJ6b28iLCIwIl0.aaaaaa.bbbbbbbbbbbb"]
)
@pytest.mark.parametrize("kind", ["frames", "files"])
def test_an_address_that_was_not_signed_gives_nothing(ann, kind, token):
    assert ann.browser.get(f"/{kind}/{token}").status_code == 404


def test_a_page_is_no_image_and_an_address_of_another_portal_is_none():
    signer = GrantSigner("secret")
    frame = signer.sign_frame("zoo", "1").removeprefix("/frames/")
    file = signer.sign_file("zoo", "1", "s3://zoo/1.png").removeprefix("/files/")
    assert signer.read_file(file).image == signer.name_image("s3://zoo/1.png")
    assert b"s3://" not in urlsafe_b64decode(file.partition(".")[0] + "==")
    for read, token in (
        (signer.read_file, frame),
        (signer.read_frame, file),
        (GrantSigner("other").read_file, file),
        (signer.read_file, file[:-1]),
    ):
        with pytest.raises(GrantError):
            read(token)


def test_an_address_stays_the_same_for_an_hour_and_runs_out(monkeypatch):
    signer = GrantSigner("secret")
    now = 1_800_000_000 // 3600 * 3600
    monkeypatch.setattr(time, "time", lambda: now + 1)
    first = signer.sign_file("zoo", "1", "s3://zoo/1.png")
    monkeypatch.setattr(time, "time", lambda: now + 3599)
    assert signer.sign_file("zoo", "1", "s3://zoo/1.png") == first
    token = first.removeprefix("/files/")
    monkeypatch.setattr(time, "time", lambda: now + 3599 + grants.GRANT_LIFETIME)
    assert signer.read_file(token)
    monkeypatch.setattr(time, "time", lambda: now + 3600 + grants.GRANT_LIFETIME)
    with pytest.raises(GrantError):
        signer.read_file(token)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", None),
    ],
)
def test_images_are_known_by_their_bytes(kind, expected):
    assert find_image_type(image_bytes(kind)) == expected
