"""The worker's side of the portal: the list of jobs, the work page and what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from groundtruth.annotations import CANNOT_BE_LABELED
from groundtruth.errors import GroundTruthError
from labeljob.jobs.description import answer_time
from labeljob.portal import assignments
from labeljob.portal.answer_reading import CANNOT_LABEL_REASONS
from labeljob.portal.assignments import Lease
from labeljob.portal.database_thread import DatabaseThread
from labeljob.portal.departures import Departures
from labeljob.portal.drafts import find_draft, save_draft
from labeljob.portal.grants import GrantSigner, find_uris
from labeljob.portal.json_bodies import read_object
from labeljob.portal.portal import Portal
from labeljob.portal.portal_job import PortalJob
from labeljob.portal.progress import count_objects, count_of_worker, find_median_seconds
from labeljob.portal.team import Member
from labeljob.portal.templating import render_page
from labeljob.portal.worker_progress import count_answers_by_day, count_tasks_left, may_work

_MOST_COMMENT_CHARACTERS = 2000
_MOST_BYTES_BESIDE_ANSWER = 2000  # in the request with it
_MOST_EXCLUDED = 100  # data objects that need nobody, passed over in one request
_ANSWERED_BEFORE = (
    "You had answered this task before, in another window: that answer counts. "
    "To change it, go back to it."
)
_SORRY = {
    "closed": "This task is closed: its label was made without your answer.",
    "expired": "The time for this task was over, and others have answered it since.",
    "not-reopened": "Your last answer cannot be changed any more: its label has been made.",
    "not-yours": "This task is not open for you any more: what you do here is not kept.",
}


class WorkerPages:
    """Answers what workers ask for.

    All that touches the database is done by one function in the database's thread: what a worker
    did, and what they are to do next, are one transaction.
    """

    def __init__(
        self, portal: Portal, thread: DatabaseThread, signer: GrantSigner, departures: Departures
    ) -> None:
        self._portal = portal
        self._database = portal.database
        self._thread = thread
        self._signer = signer
        self._departures = departures

    def routes(self) -> list[Route]:
        """The routes of the worker's side."""
        api = "/api/jobs/{job}"
        return [
            Route("/", self.list_jobs, methods=["GET"]),
            Route("/jobs/{job}", self.show_work_page, methods=["GET"]),
            Route("/progress", self.show_progress, methods=["GET"]),
            Route("/api/session", self.show_session, methods=["GET"]),
            Route(f"{api}/next", self.find_next, methods=["POST"]),
            Route(f"{api}/answers", self.save_answer, methods=["POST"]),
            Route(f"{api}/drafts", self.save_draft, methods=["POST"]),
            Route(f"{api}/cannot-label", self.save_cannot_label, methods=["POST"]),
            Route(f"{api}/skip", self.skip, methods=["POST"]),
            Route(f"{api}/back", self.go_back, methods=["POST"]),
            Route(f"{api}/stop", self.stop, methods=["POST"]),
            Route(f"{api}/leave", self.leave, methods=["POST"]),
        ]

    # --- pages ---------------------------------------------------------------------------------

    async def list_jobs(self, request: Request) -> Response:
        """The jobs that the worker may work on."""
        member: Member = request.state.member
        if member.role == "owner" and "as" not in request.query_params:
            return RedirectResponse("/owner", 303)
        jobs = await self._thread.run(self._describe_jobs, member)
        return render_page(request, "jobs.html.jinja", jobs=jobs)

    async def show_work_page(self, request: Request) -> Response:
        """The page that shows one task after the other."""
        member: Member = request.state.member
        job = await self._thread.run(self._find_job, request)
        boot = {
            "job": job.name,
            "worker": member.worker_id,
            "longestAnswer": job.description.task.max_answer_bytes - _MOST_BYTES_BESIDE_ANSWER,
        }
        return render_page(
            request, "work.html.jinja", job=job.description, boot=boot, reasons=CANNOT_LABEL_REASONS
        )

    async def show_progress(self, request: Request) -> Response:
        """What the worker did so far."""
        member: Member = request.state.member
        progress = await self._thread.run(self._describe_progress, member)
        return render_page(request, "progress.html.jinja", **progress)

    # --- what the work page asks for -------------------------------------------------------------

    async def show_session(self, request: Request) -> Response:
        """Who is signed in: what an open page needs to go on after signing in again."""
        return JSONResponse(
            {"worker": request.state.member.worker_id, "csrf": request.state.csrf},
            headers={"Cache-Control": "no-store"},
        )

    async def find_next(self, request: Request) -> Response:
        """The task that the worker is to do now, and the one after it."""
        body = await read_object(request)
        page = _read_text(body, "page")
        self._departures.arrive(request.path_params["job"], _worker(request), page)
        return await self._step(request, body, lambda job: {})

    async def save_answer(self, request: Request) -> Response:
        """Keep an answer; it is kept for good when the browser hears of it."""
        body = await read_object(request)
        return await self._submit(request, body, _read_answer(body))

    async def save_draft(self, request: Request) -> Response:
        """Keep what the worker has begun: the page gets it back with the task."""
        body = await read_object(request)
        task, answer = _read_text(body, "task"), _read_answer(body)

        def save() -> bool:
            job = self._find_job(request)
            return save_draft(self._database, job.name, task, _worker(request), answer)

        page = _read_text(body, "page")
        self._departures.work(request.path_params["job"], _worker(request), page)
        if await self._thread.run(save):
            return JSONResponse({"saved": "draft"})
        return JSONResponse(_apologize("not-yours"), 409)

    async def save_cannot_label(self, request: Request) -> Response:
        """Keep that a task cannot be labelled, and why."""
        body = await read_object(request)
        reason = _read_text(body, "reason")
        if reason not in CANNOT_LABEL_REASONS:
            raise HTTPException(400, f"{reason!r} is no reason that the page offers.")
        comment = body.get("comment") or ""
        if not isinstance(comment, str) or len(comment) > _MOST_COMMENT_CHARACTERS:
            raise HTTPException(
                400, f"A comment is a text of at most {_MOST_COMMENT_CHARACTERS} characters."
            )
        why = {"reason": reason} | ({"comment": comment} if comment.strip() else {})
        return await self._submit(request, body, {CANNOT_BE_LABELED: why})

    async def skip(self, request: Request) -> Response:
        """Leave a task to others."""
        body = await read_object(request)
        task = _read_text(body, "task")

        def work(job: PortalJob) -> dict[str, Any]:
            assignments.skip(self._database, job.name, task, _worker(request))
            return {}

        return await self._step(request, body, work)

    async def go_back(self, request: Request) -> Response:
        """Open the worker's last answer again."""
        body = await read_object(request)

        def work(job: PortalJob) -> dict[str, Any]:
            lease = assignments.reopen_last(
                self._database, job.name, _worker(request), job.description.time_limit
            )
            return {} if lease else _apologize("not-reopened")

        return await self._step(request, body, work)

    async def stop(self, request: Request) -> Response:
        """Give all tasks back now."""

        def release() -> None:
            job = self._find_job(request)
            assignments.release(self._database, job.name, _worker(request))

        await self._thread.run(release)
        return JSONResponse({"stopped": True})

    async def leave(self, request: Request) -> Response:
        """The work page was closed or is loaded again: see `Departures`."""
        async with request.form() as form:
            page = str(form.get("page", ""))
        self._departures.leave(request.path_params["job"], _worker(request), page)
        return Response(status_code=204)

    async def _step(
        self,
        request: Request,
        body: dict[str, Any],
        work: Callable[[PortalJob], dict[str, Any]],
    ) -> Response:
        """Do what the worker asks for, and answer with what they are to do next."""
        self._departures.stay(request.path_params["job"], _worker(request))
        loaded = body.get("loaded")
        known = frozenset(map(str, loaded if isinstance(loaded, list) else ()))
        return await self._thread.run(self._do_and_continue, request, work, known)

    async def _submit(
        self, request: Request, body: dict[str, Any], answer: dict[str, Any]
    ) -> Response:
        task = _read_text(body, "task")

        def work(job: PortalJob) -> dict[str, Any]:
            result = assignments.submit(self._database, job.name, task, _worker(request), answer)
            if result == "saved":
                return {"saved": result}
            if result != "repeated":
                return _apologize(result)
            kept = assignments.find_answer(self._database, job.name, task, _worker(request))
            return {"saved": result} | ({} if kept == answer else {"notice": _ANSWERED_BEFORE})

        return await self._step(request, body, work)

    # --- in the database's thread --------------------------------------------------------------

    def _do_and_continue(
        self,
        request: Request,
        work: Callable[[PortalJob], dict[str, Any]],
        loaded: frozenset[str],
    ) -> Response:
        """The answer to `_step`; of the tasks `loaded` the page has the draft, or a newer one."""
        job = self._find_job(request)
        worker_id = _worker(request)
        limit = job.description.time_limit
        for attempt in range(_MOST_EXCLUDED):
            with self._database.transaction():
                if attempt == 0:
                    outcome = work(job)
                lease = assignments.take(self._database, job.name, worker_id, limit)
                reserved = lease and assignments.reserve(self._database, job.name, worker_id, limit)
            task, is_needed = self._describe_task(job, lease, shown=True)
            coming, is_needed_too = self._describe_task(job, reserved, shown=False)
            if is_needed and is_needed_too:
                break
        for described in (task, coming):
            if described and described["id"] not in loaded:
                draft = find_draft(self._database, job.name, described["id"], worker_id)
                if draft is not None:
                    described["draft"] = draft
        with self._database.read():
            objects = count_objects(self._database, job.name)
            answer = outcome | {
                "state": assignments.get_job_state(self._database, job.name),
                "task": task,
                "next": coming,
                "progress": {
                    "mine": count_of_worker(self._database, job.name, worker_id).answers,
                    "complete": objects.done - objects.excluded,
                    "total": objects.total - objects.excluded,
                },
                "canGoBack": (lease is None or lease.answer is None)
                and assignments.can_go_back(self._database, job.name, worker_id),
            }
        return JSONResponse(
            answer, 409 if "error" in outcome else 200, {"Cache-Control": "no-store"}
        )

    def _describe_task(
        self, job: PortalJob, lease: Lease | None, *, shown: bool
    ) -> tuple[dict[str, Any] | None, bool]:
        """A task for the page, and False if its data object turns out to need nobody."""
        if lease is None:
            return None, True
        limit = job.description.time_limit
        left = min(limit, lease.expires - self._database.now()) if shown else limit
        task: dict[str, Any] = {
            "id": lease.object_id,
            "page": self._signer.sign_frame(job.name, lease.object_id),
            "images": [],
            "accepted": answer_time(datetime.fromtimestamp(lease.accepted, UTC)),
            "secondsLeft": max(0.0, round(left, 3)),
            "timeLimit": limit,
        }
        if lease.answer is not None:
            task["answer"] = lease.answer
        try:
            task_input = job.task_input(lease.object_id)
        except GroundTruthError as error:
            return task | {"problem": str(error)}, True
        task["images"] = [
            self._signer.sign_file(job.name, lease.object_id, uri)
            for uri in dict.fromkeys(find_uris(task_input))
        ]
        return task, task_input is not None

    def _find_job(self, request: Request) -> PortalJob:
        job = self._portal.jobs.get(request.path_params["job"])
        if job is None or not may_work(self._database, job.name, _worker(request)):
            raise HTTPException(404, "There is no such job, or it is not for you.")
        return job

    def _describe_jobs(self, member: Member) -> list[dict[str, Any]]:
        with self._database.read():
            return [
                {
                    "name": job.name,
                    "title": job.description.title or job.name,
                    "description": job.description.task_description,
                    "created": job.description.started.timestamp(),
                    "state": assignments.get_job_state(self._database, job.name),
                    "left": count_tasks_left(self._database, job.name, member.worker_id),
                    "mine": count_of_worker(self._database, job.name, member.worker_id).answers,
                }
                for job in reversed(list(self._portal.jobs.values()))
                if may_work(self._database, job.name, member.worker_id)
            ]

    def _describe_progress(self, member: Member) -> dict[str, Any]:
        with self._database.read():
            jobs = [
                (job, count_of_worker(self._database, job.name, member.worker_id))
                for job in reversed(list(self._portal.jobs.values()))
            ]
            return {
                "jobs": [
                    {
                        "title": job.description.title or job.name,
                        "counts": counts,
                        "median": find_median_seconds(
                            self._database, job.name, worker_id=member.worker_id
                        ),
                    }
                    for job, counts in jobs
                    if counts.answers or counts.skipped
                ],
                "answers": sum(counts.answers for _, counts in jobs),
                "seconds": sum(counts.seconds for _, counts in jobs),
                "days": count_answers_by_day(self._database, self._portal.jobs, member.worker_id),
            }


def _worker(request: Request) -> str:
    member: Member = request.state.member
    return member.worker_id


def _apologize(code: str) -> dict[str, Any]:
    return {"error": _SORRY[code], "code": code}


def _read_answer(body: dict[str, Any]) -> dict[str, Any]:
    answer = body.get("answer")
    if not isinstance(answer, dict):
        raise HTTPException(400, "An answer is a JSON object.")
    return answer


def _read_text(body: dict[str, Any], key: str) -> str:
    text = body.get(key)
    if not isinstance(text, str) or len(text) > 200:
        raise HTTPException(400, f"{key!r} is to be a short text.")
    return text
