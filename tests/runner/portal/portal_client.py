"""A portal with one job, and workers who ask it over HTTP without a browser."""

import threading
from contextlib import contextmanager

from starlette.testclient import TestClient

from labeljob.portal.portal import Portal
from labeljob.portal.server import create_app, listen, make_server
from labeljob.portal.team import add_member
from tests.runner.portal import people, team_app


@contextmanager
def open_portal(folder, **changes):
    """A portal whose job is described by `people.describe`, and its access."""
    folder.mkdir(parents=True, exist_ok=True)
    with Portal(folder / "store", settle=changes.pop("settle", 3600)) as portal:
        if changes.pop("job", True):
            portal.begin(people.describe(folder, **changes))
        yield portal


class Worker:
    """A worker with a session of their own."""

    def __init__(self, app, access, name, role="worker"):
        self.browser = TestClient(app, base_url=team_app.ADDRESS, follow_redirects=False)
        member = add_member(access.database, f"{name}@example.org", role=role)
        token = access.make_local_link(member).rsplit("/", 1)[1]
        page = self.browser.get(f"/join/{token}")
        if page.status_code == 200:
            page = self.browser.post(f"/join/{token}")
        assert page.status_code == 303, page.text
        self.worker_id = member.worker_id
        self.csrf = self.browser.get("/api/session").json()["csrf"]

    def post(self, path, body=None, *, job="zoo"):
        return self.browser.post(
            f"/api/jobs/{job}/{path}", json=body or {}, headers={"X-CSRF-Token": self.csrf}
        )

    def next(self, page="page-1"):
        return self.post("next", {"page": page}).json()

    def answer(self, task, answer=None):
        return self.post("answers", {"task": task, "answer": answer or {"label": "cat"}})


def make_app(portal):
    access = team_app.make_access(portal.database)
    return create_app(portal, access), access


@contextmanager
def serve_portal(portal):
    """Serve a portal on 127.0.0.1; gives its address and a function that makes links to join."""
    app, access = make_app(portal)
    listener = listen("127.0.0.1", 0)
    server = make_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def invite(name, role="worker"):
        member = add_member(portal.database, f"{name}@example.org", role=role)
        return f"{address}{access.make_local_link(member)}"

    try:
        yield address, invite
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
