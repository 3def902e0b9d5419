"""DescribeLabelingJob, answered from given descriptions on 127.0.0.1."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_DESCRIBE = "SageMaker.DescribeLabelingJob"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/")

type Permitted = Callable[[str, str], bool]
"""Whether an access key may describe a labeling job, of which the name is given."""


def everybody(access_key: str, job: str) -> bool:
    """Let every access key describe every job."""
    return True


@contextmanager
def labeling_jobs(
    jobs: Mapping[str, Mapping[str, Any]], permitted: Permitted = everybody
) -> Iterator[str]:
    """Answer DescribeLabelingJob within a ``with`` block.

    Parameters
    ----------
    jobs : mapping of str to mapping
        Answers by the job's name in lower case. Any other job is one that does not exist.
    permitted : callable, optional
        Who may ask: takes the access key of the request and the job's name as it was asked for.

    Yields
    ------
    str
        The endpoint's URL.
    """

    class Handler(_SageMaker):
        descriptions = jobs
        may = staticmethod(permitted)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _SageMaker(BaseHTTPRequestHandler):
    descriptions: Mapping[str, Mapping[str, Any]]
    may: Permitted

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Amz-Target"] != _DESCRIBE:
            self._refuse("UnknownOperationException", "only DescribeLabelingJob is answered here")
            return
        name = str(request["LabelingJobName"])
        found = _CREDENTIAL.search(self.headers.get("Authorization", ""))
        if not self.may(found[1] if found else "", name):
            self._refuse("AccessDeniedException", f"you may not describe {name}")
            return
        description = self.descriptions.get(name.lower())
        if description is None:
            self._refuse("ResourceNotFound", f"There is no labeling job {name}")
        else:
            self._answer(HTTPStatus.OK, {"LabelingJobName": name, **description})

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the requests are the function's own business."""

    def _refuse(self, code: str, message: str) -> None:
        self._answer(HTTPStatus.BAD_REQUEST, {"__type": code, "message": message})

    def _answer(self, status: HTTPStatus, answer: Mapping[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
