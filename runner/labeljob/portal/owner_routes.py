"""The owner's side of the portal: how jobs stand, what is labeled, the team, a try of the page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from anyio import CapacityLimiter, to_thread
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from groundtruth.errors import GroundTruthError
from labeljob.jobs.worker_pages import PageError, read_template
from labeljob.portal import assignments, owner_live, progress, team
from labeljob.portal.access import AccessSettings
from labeljob.portal.answer_reading import CANNOT_LABEL_REASONS, JobAnswerReader
from labeljob.portal.database import PORTAL_FOLDER, Database
from labeljob.portal.database_thread import DatabaseThread
from labeljob.portal.frames import make_frame_response
from labeljob.portal.grants import GrantSigner, find_uris
from labeljob.portal.json_bodies import read_object
from labeljob.portal.mask_pictures import MaskPictures, list_colors
from labeljob.portal.member_names import find_names
from labeljob.portal.owner_gallery import (
    FilterError,
    GalleryFilter,
    GalleryObject,
    GalleryPage,
    StoredAnswer,
    read_gallery,
)
from labeljob.portal.owner_live import LiveValue, LiveValues
from labeljob.portal.owner_report import POLICY, ReportError, ReportMaker, list_commands
from labeljob.portal.owner_status import (
    LabelCounter,
    count_unsure,
    describe_status,
)
from labeljob.portal.portal import Portal
from labeljob.portal.portal_job import PortalJob
from labeljob.portal.team import TeamError
from labeljob.portal.templating import render_page
from labeljob.portal.thumbnails import LARGE, THUMBNAIL, PictureError, ThumbnailCache, shrink
from labeljob.rounds.earlier_labels import plan_adjustment
from labeljob.rounds.verification import plan_verification

_PICTURE_SECONDS = 3600  # that a browser keeps a picture
_LINES_AROUND = 3  # of a template, above and below one that is wrong
_MOST_PICTURES = 2  # that are made at once
_MASKS_ON_PAGE = 12  # data objects with masks, which take long to read


class OwnerPages:
    """Answers what the owner asks for; nobody else must reach its routes.

    It reads in a thread of its own, so that workers never wait for an owner's page.
    """

    def __init__(self, portal: Portal, signer: GrantSigner) -> None:
        self._portal = portal
        self._signer = signer
        self._database: Database = portal.database
        self._reader = DatabaseThread()
        self._live = LiveValues(portal.database, self._reader)
        own = portal.folder / PORTAL_FOLDER
        self._thumbnails = ThumbnailCache(own / "thumbnails")
        self._masks = MaskPictures(own / "masks")
        self._reports = ReportMaker(own / "reports")
        self._answer_readers: dict[str, JobAnswerReader] = {}
        self._drawing = CapacityLimiter(_MOST_PICTURES)

    def routes(self) -> list[Route]:
        """All of them."""
        job, api = "/owner/jobs/{job}", "/owner/api/jobs/{job}"
        get = {
            "/owner": self.show_jobs,
            "/owner/team": self.show_team,
            job: self.show_job,
            f"{job}/gallery": self.show_gallery,
            f"{job}/preview": self.show_preview,
            f"{job}/preview/frame": self.show_frame,
            f"{job}/report": self.show_report,
            f"{job}/pictures/{{object_id}}": self.send_picture,
            f"{job}/masks/{{object_id}}": self.send_mask,
            "/owner/api/events": self.send_events,
            f"{api}/status": self.send_status,
            f"{api}/objects": self.send_objects,
            f"{api}/unsure": self.send_unsure,
        }
        post = {
            f"{api}/pause": self.change_state,
            f"{api}/resume": self.change_state,
            f"{api}/finish": self.change_state,
            f"{api}/requeue": self.requeue,
            f"{api}/verify": self.ask_about_labels,
            f"{api}/adjust": self.ask_about_labels,
            f"{api}/members": self.set_members,
            f"{api}/judge": self.judge,
            "/owner/api/team/add": self.add_member,
            "/owner/api/team/reset": self.reset_member,
            "/owner/api/team/remove": self.remove_member,
        }
        return [
            *(Route(path, handler, methods=["GET"]) for path, handler in get.items()),
            *(Route(path, handler, methods=["POST"]) for path, handler in post.items()),
        ]

    def close(self) -> None:
        """End the thread that reads."""
        self._reader.close()

    # Pages.

    async def show_jobs(self, request: Request) -> Response:
        """All jobs of the portal."""
        text = await self._find_live_jobs().get()
        return render_page(request, "owner.html.jinja", boot=json.loads(text))

    async def show_job(self, request: Request) -> Response:
        """How a job stands, and what to do about it."""
        job = self._find_job(request)
        status = json.loads(await self._find_live_status(job).get())
        people, chosen = await self._reader.run(self._read_people, job.name)
        commands = await to_thread.run_sync(list_commands, job)
        return render_page(
            request,
            "owner_job.html.jinja",
            job=job,
            page="status",
            boot={"job": job.name, "status": status, "colors": list_colors(job)},
            people=people,
            chosen=chosen,
            commands=commands,
            rounds=_list_rounds(job),
        )

    async def show_gallery(self, request: Request) -> Response:
        """The pictures of a job with their labels and votes."""
        job = self._find_job(request)
        classes = JobAnswerReader(job.description, self._portal.place.store).choices
        names, statuses = await self._reader.run(self._read_choices, job.name)
        return render_page(
            request,
            "owner_gallery.html.jinja",
            job=job,
            page="gallery",
            boot={
                "job": job.name,
                "classes": classes,
                "colors": list_colors(job),
                "reasons": CANNOT_LABEL_REASONS,
            },
            classes=classes,
            workers=names,
            statuses=statuses,
        )

    async def show_preview(self, request: Request) -> Response:
        """A worker page, to try it."""
        job = self._find_job(request)
        object_id = request.query_params.get("object", "0")
        if job.find_line(object_id) is None:
            raise HTTPException(404, f"The job has no data object {object_id}.")
        number, count = int(object_id), len(job.lines)
        return render_page(
            request,
            "owner_preview.html.jinja",
            job=job,
            page="preview",
            boot={"job": job.name},
            object_id=object_id,
            before=number - 1 if number > 0 else None,
            after=number + 1 if number + 1 < count else None,
            count=count,
            template_path=str(job.template),
        )

    async def show_frame(self, request: Request) -> Response:
        """The worker page of a data object as its template is now, for the sandboxed frame."""
        job = self._find_job(request)
        object_id = request.query_params.get("object", "0")
        thread = _find_writer(request)
        try:
            task_input = await thread.run(job.task_input, object_id)
            if task_input is None:
                return _explain_in_frame("Nobody is asked about this data object.", ())
            allowed = set(find_uris(task_input))

            def grant(uri: str) -> str:
                if uri not in allowed:
                    return "about:blank"
                return self._signer.sign_file(job.name, object_id, uri)

            page = await to_thread.run_sync(
                lambda: read_template(job.template).render(task_input, grant_read_access=grant)
            )
        except PageError as error:
            return _explain_in_frame(str(error), _quote_lines(job.template, error.line))
        except GroundTruthError as error:
            return _explain_in_frame(str(error), ())
        return make_frame_response(page)

    async def show_report(self, request: Request) -> Response:
        """The report on a job."""
        job = self._find_job(request)
        counts = await self._reader.run(progress.count_objects, self._database, job.name)
        version = f"{counts.consolidated} {job.output_manifest}"
        try:
            body = await self._reports.make(job, version=version)
        except ReportError as error:
            return render_page(
                request,
                "owner_problem.html.jinja",
                status=503,
                job=job,
                page="report",
                boot=None,
                text=str(error),
            )
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return Response(body, media_type="text/html", headers=headers)

    async def show_team(self, request: Request) -> Response:
        """Who is in the team."""
        members = await self._reader.run(self._read_team)
        return render_page(request, "owner_team.html.jinja", members=members, boot=None)

    # What pages ask for.

    async def send_events(self, request: Request) -> Response:
        """How one job stands, or all jobs, as it changes."""
        name = request.query_params.get("job")
        if name is None:
            value = self._find_live_jobs()
        else:
            value = self._find_live_status(self._find_job_named(name))
        events: AsyncIterator[str] = owner_live.stream(value)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def send_status(self, request: Request) -> Response:
        """How a job stands."""
        return await self._answer_with_status(self._find_job(request))

    async def send_objects(self, request: Request) -> Response:
        """One page of the gallery."""
        job = self._find_job(request)
        try:
            chosen = GalleryFilter.from_query(request.query_params)
        except FilterError as error:
            raise HTTPException(400, str(error)) from error
        if list_colors(job):
            chosen = replace(chosen, limit=min(chosen.limit, _MASKS_ON_PAGE))
        page, names = await self._reader.run(self._read_page, job, chosen)
        objects = await to_thread.run_sync(self._describe_objects, job, page, names)
        return JSONResponse({"objects": objects, "next": page.next, "count": page.count})

    async def send_unsure(self, request: Request) -> Response:
        """How many data objects another round would have."""
        job = self._find_job(request)
        below = _read_fraction(request.query_params.get("below"))

        def count() -> int:
            with self._database.read() as connection:
                return count_unsure(connection, job.name, below)

        return JSONResponse({"objects": await self._reader.run(count)})

    async def send_picture(self, request: Request) -> Response:
        """The picture of a data object, made small."""
        job = self._find_job(request)
        line = job.find_line(request.path_params["object_id"])
        if line is None or line.source_key != "source-ref":
            raise HTTPException(404, "There is no such picture.")
        is_large = request.query_params.get("size") == "large"

        def make() -> bytes:
            body = job.read_file(line.source_ref)
            return shrink(body, LARGE) if is_large else self._thumbnails.get(body)

        try:
            body = await to_thread.run_sync(make, limiter=self._drawing)
        except (PictureError, GroundTruthError) as error:
            raise HTTPException(404, f"The picture cannot be shown: {error}.") from error
        headers = {"Cache-Control": f"private, max-age={_PICTURE_SECONDS}"}
        return Response(body, media_type="image/jpeg", headers=headers)

    async def send_mask(self, request: Request) -> Response:
        """The mask of a data object, or what a worker painted, to lie over the picture."""
        job = self._find_job(request)
        object_id = request.path_params["object_id"]
        worker = request.query_params.get("worker")
        longest = LARGE if request.query_params.get("size") == "large" else THUMBNAIL
        row = await self._reader.run(self._find_mask, job, object_id, worker)
        if row is None:
            raise HTTPException(404, "There is no such mask.")

        def make() -> bytes:
            if worker is None:
                return self._masks.draw_label(job, object_id, row, longest)
            return self._masks.draw_answer(job, row, longest)

        try:
            body = await to_thread.run_sync(make, limiter=self._drawing)
        except GroundTruthError as error:
            raise HTTPException(404, f"The mask cannot be shown: {error}.") from error
        headers = {"Cache-Control": f"private, max-age={_PICTURE_SECONDS}"}
        return Response(body, media_type="image/png", headers=headers)

    # What the owner does.

    async def change_state(self, request: Request) -> Response:
        """Pause a job, go on with it, or finish it."""
        job = self._find_job(request)
        actions: dict[str, Callable[[], None]] = {
            "pause": job.pause,
            "resume": job.resume,
            "finish": job.finish,
        }
        action = request.url.path.rpartition("/")[2]
        await _find_writer(request).run(actions[action])
        self._find_live_status(job).expire()
        return await self._answer_with_status(job)

    async def requeue(self, request: Request) -> Response:
        """Begin the next round with the data objects that are unsure."""
        job = self._find_job(request)
        below = _read_fraction((await read_object(request)).get("below"))
        try:
            made = await to_thread.run_sync(partial(job.requeue, below))
        except GroundTruthError as error:
            raise HTTPException(409, str(error)) from error
        return JSONResponse({"job": made.name, "objects": len(made.lines)})

    async def ask_about_labels(self, request: Request) -> Response:
        """Begin a job in which people verify the labels of a finished one, or adjust its masks."""
        job = self._find_job(request)
        action = request.url.path.rpartition("/")[2]
        plan = {"verify": plan_verification, "adjust": plan_adjustment}[action]
        try:
            made = await to_thread.run_sync(job.ask_about_labels, plan)
        except GroundTruthError as error:
            raise HTTPException(409, str(error)) from error
        return JSONResponse({"job": made.name, "objects": len(made.lines)})

    async def set_members(self, request: Request) -> Response:
        """Say who may work on a job; nobody named is everybody."""
        job = self._find_job(request)
        wanted = (await read_object(request)).get("members")
        if not isinstance(wanted, list) or not all(isinstance(item, str) for item in wanted):
            raise HTTPException(400, "members is no list of worker IDs.")
        if not await _find_writer(request).run(self._write_members, job.name, wanted):
            raise HTTPException(
                409, "Somebody of these is not in the team any more: load the page again."
            )
        return JSONResponse({"members": wanted})

    async def judge(self, request: Request) -> Response:
        """What would become of an answer; nothing is stored."""
        job = self._find_job(request)
        answer = (await read_object(request)).get("answer")
        reader = JobAnswerReader(job.description, self._portal.place.store)
        said = await to_thread.run_sync(reader.read_one, answer)
        rejected = said.rejected
        return JSONResponse(
            {
                "usable": rejected is None,
                "text": said.text,
                "reason": rejected.reason if rejected else "",
                "detail": rejected.detail if rejected else "",
                "comment": said.comment,
            }
        )

    async def add_member(self, request: Request) -> Response:
        """Invite somebody."""
        values = await read_object(request)
        email, name = str(values.get("email") or ""), str(values.get("name") or "")

        def add() -> str:
            member = team.add_member(self._database, email, name=name.strip())
            return team.make_link(self._database, member)

        return await self._answer_with_link(request, email, add)

    async def reset_member(self, request: Request) -> Response:
        """Give somebody a new link."""
        email = str((await read_object(request)).get("email") or "")

        def reset() -> str:
            member = team.get_member(self._database, email)
            team.reset_member(self._database, member)
            return team.make_link(self._database, member)

        return await self._answer_with_link(request, email, reset)

    async def remove_member(self, request: Request) -> Response:
        """Let somebody in no more."""
        email = str((await read_object(request)).get("email") or "")
        own: team.Member = request.state.member
        if email.casefold() == own.email.casefold():
            raise HTTPException(409, "This is yourself: somebody has to own the portal.")

        def remove() -> None:
            team.remove_member(self._database, team.get_member(self._database, email))

        try:
            await _find_writer(request).run(remove)
        except TeamError as error:
            raise HTTPException(409, str(error)) from error
        return JSONResponse({"email": email})

    # Helpers.

    def _find_job(self, request: Request) -> PortalJob:
        return self._find_job_named(request.path_params["job"])

    def _find_job_named(self, name: str) -> PortalJob:
        job = self._portal.jobs.get(name)
        if job is None:
            raise HTTPException(404, f"The portal has no job {name}.")
        return job

    def _find_live_status(self, job: PortalJob) -> LiveValue:
        reader = JobAnswerReader(job.description, self._portal.place.store)
        counter = LabelCounter(job.name, job.description.task, reader)

        def make() -> tuple[Any, bool]:
            has_ended = job.output_manifest is not None  # asked first: then all labels are read
            with self._database.read() as connection:
                complete = counter.advance(connection)
                status = describe_status(
                    self._database, counter, classes=reader.choices, problem=job.problem
                )
            status["canRequeue"] = has_ended
            return status, complete

        return self._live.find(job.name, make)

    def _find_live_jobs(self) -> LiveValue:
        return self._live.find(None, lambda: (self._describe_jobs(), True))

    def _describe_jobs(self) -> list[dict[str, Any]]:
        jobs = []
        with self._database.read() as connection:
            at_work = dict(
                connection.execute(
                    "SELECT job, count(DISTINCT worker_id) FROM assignments"
                    " WHERE live AND shown AND expires > ? GROUP BY job",
                    (self._database.now(),),
                ).fetchall()
            )
            for job in reversed(list(self._portal.jobs.values())):
                counts = progress.count_objects(self._database, job.name)
                jobs.append(
                    {
                        "name": job.name,
                        "title": job.description.title,
                        "state": assignments.get_job_state(self._database, job.name),
                        "total": counts.total - counts.excluded,
                        "done": counts.consolidated,
                        "atWork": at_work.get(job.name, 0),
                        "thumbnail": _picture_url(job, "0", "thumbnail"),
                    }
                )
        return jobs

    async def _answer_with_status(self, job: PortalJob) -> Response:
        text = await self._find_live_status(job).get()
        return Response(text, media_type="application/json")

    async def _answer_with_link(
        self, request: Request, email: str, make: Callable[[], str]
    ) -> Response:
        try:
            path = await _find_writer(request).run(make)
        except TeamError as error:
            raise HTTPException(409, str(error)) from error
        settings: AccessSettings = request.app.state.access_settings
        return JSONResponse({"email": email, "link": f"{settings.origin_of(request)}{path}"})

    def _read_people(self, job: str) -> tuple[list[team.Member], set[str]]:
        """Who may be asked, and who may work on the job; nobody is everybody."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT worker_id FROM job_members WHERE job = ?", (job,))
            chosen = {worker for (worker,) in rows}
        people = [
            item.member for item in team.list_members(self._database) if item.state != "removed"
        ]
        return people, chosen

    def _write_members(self, job: str, workers: Sequence[str]) -> bool:
        """Let these alone work on a job; False, and nothing, unless all are in the team."""
        with self._database.transaction() as connection:
            in_team = {
                listed.member.worker_id
                for listed in team.list_members(self._database)
                if listed.state != "removed"
            }
            if not in_team.issuperset(workers):
                return False
            connection.execute("DELETE FROM job_members WHERE job = ?", (job,))
            connection.executemany(
                "INSERT INTO job_members VALUES (?, ?)",
                [(job, worker) for worker in dict.fromkeys(workers)],
            )
        return True

    def _read_choices(self, job: str) -> tuple[dict[str, str], list[str]]:
        """Workers who answered, by ID, and the statuses of the labels."""
        with self._database.read() as connection:
            names = find_names(connection)
            workers = progress.count_by_worker(self._database, job)
            statuses = connection.execute(
                "SELECT DISTINCT status FROM objects WHERE job = ? AND status IS NOT NULL", (job,)
            ).fetchall()
        return (
            {item.worker_id: names.get(item.worker_id, item.worker_id) for item in workers},
            sorted(status for (status,) in statuses),
        )

    def _find_mask(self, job: PortalJob, object_id: str, worker: str | None) -> str | None:
        """When a data object's label was made, or the answer of a worker; None without it."""
        if not list_colors(job):
            return None
        if worker is None:
            row = self._database.find_row(
                "SELECT called FROM objects WHERE job = ? AND object_id = ? AND label IS NOT NULL",
                (job.name, object_id),
            )
        else:
            row = self._database.find_row(
                "SELECT answer FROM assignments WHERE job = ? AND object_id = ? AND worker_id = ?"
                " AND submitted IS NOT NULL",
                (job.name, object_id, worker),
            )
        found: str | None = None if row is None else row[0]
        return found

    def _read_team(self) -> list[dict[str, Any]]:
        with self._database.read() as connection:
            seen = dict(
                connection.execute(
                    "SELECT worker_id, max(used) FROM sessions GROUP BY worker_id"
                ).fetchall()
            )
            return [
                {"seen": seen.get(item.member.worker_id), "state": item.state}
                | {"answers": item.answers, "member": item.member}
                for item in team.list_members(self._database)
            ]

    def _read_page(
        self, job: PortalJob, chosen: GalleryFilter
    ) -> tuple[GalleryPage, dict[str, str]]:
        with self._database.read() as connection:
            return read_gallery(connection, job.name, chosen), find_names(connection)

    def _describe_objects(
        self, job: PortalJob, page: GalleryPage, names: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        reader = self._find_answer_reader(job)
        texts = [
            (item.object_id, {answer.worker_id: answer.text for answer in item.answers})
            for item in page.objects
        ]
        said = {
            object_id: {answer.worker_id: answer.as_json() for answer in answers}
            for object_id, answers in reader.read(texts)
        }
        return [_describe_object(job, item, said[item.object_id], names) for item in page.objects]

    def _find_answer_reader(self, job: PortalJob) -> JobAnswerReader:
        """The reader of a job's answers, which keeps what takes long to read."""
        return self._answer_readers.setdefault(
            job.name, JobAnswerReader(job.description, self._portal.place.store)
        )


def _describe_object(
    job: PortalJob,
    item: GalleryObject,
    said: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
) -> dict[str, Any]:
    line = job.find_line(item.object_id)
    source = line.source_ref if line else ""
    is_text = line is not None and line.source_key != "source-ref"
    return {
        "id": item.object_id,
        "name": f"Text {item.object_id}" if is_text else source.rpartition("/")[2],
        "text": source if is_text else None,
        "state": item.state,
        "status": item.status,
        "confidence": item.confidence,
        "label": item.label,
        "wanted": item.wanted,
        "thumbnail": _picture_url(job, item.object_id, "thumbnail"),
        "picture": _picture_url(job, item.object_id, "large"),
        "mask": _mask_url(job, item) if item.label else None,
        "answers": [
            {
                "worker": names.get(answer.worker_id, answer.worker_id),
                "seconds": answer.seconds,
                "submitted": answer.submitted,
                "mask": _mask_url(job, item, answer),
                **said[answer.worker_id],
            }
            for answer in item.answers
        ],
    }


def _picture_url(job: PortalJob, object_id: str, size: str) -> str:
    return f"/owner/jobs/{job.name}/pictures/{object_id}?size={size}"


def _mask_url(
    job: PortalJob, item: GalleryObject, answer: StoredAnswer | None = None
) -> str | None:
    """Address of a label's mask, or an answer's, which changes with it; None without masks."""
    if not list_colors(job):
        return None
    query = {"worker": answer.worker_id, "v": answer.submitted} if answer else {"v": item.called}
    return f"/owner/jobs/{job.name}/masks/{item.object_id}?{urlencode(query)}"


def _list_rounds(job: PortalJob) -> dict[str, str]:
    """What people may be asked next about a job's labels: the action, and its button's text."""
    if job.settings.earlier_attribute:
        return {}
    masks = {"adjust": "Have the masks corrected"} if list_colors(job) else {}
    return {"verify": "Have the labels checked", **masks}


def _find_writer(request: Request) -> DatabaseThread:
    """The thread that writes."""
    thread: DatabaseThread = request.app.state.database_thread
    return thread


def _read_fraction(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise HTTPException(400, "The confidence is no number from 0 to 1.")
    return number


def _quote_lines(template: Path, line: int | None) -> list[tuple[int, str]]:
    """The lines of a template around one that is wrong, with their numbers."""
    if line is None:
        return []
    try:
        lines = template.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    first = max(1, line - _LINES_AROUND)
    return [
        (number, lines[number - 1])
        for number in range(first, min(len(lines), line + _LINES_AROUND) + 1)
    ]


def _explain_in_frame(problem: str, lines: Sequence[tuple[int, str]]) -> Response:
    """What is wrong with a page, in its place."""
    quoted = "\n".join(f"{number:4}  {text}" for number, text in lines)
    page = Markup(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark"><title>Problem</title>'
        '<body style="font: 1rem/1.5 system-ui, sans-serif; margin: 1.5rem">'
        "<p><strong>This page cannot be shown.</strong></p><p>{}</p><pre>{}</pre>"
    ).format(problem, quoted)
    return make_frame_response(str(page))
