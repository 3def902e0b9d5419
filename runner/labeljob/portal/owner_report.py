"""The report on a job, made when its owner asks for it, as `labeljob report` makes it."""

from __future__ import annotations

import asyncio
import hashlib
import shlex
import sys
from pathlib import Path

from groundtruth.errors import GroundTruthError
from labeljob.portal.portal_job import PortalJob
from labeljob.report.page_files import make_policy

POLICY = f"sandbox allow-scripts; {make_policy()}; frame-ancestors 'none'"
"""The report holds what workers wrote: it runs its own script alone, and its origin is nobody's."""

_SECONDS = 600.0
_COMMAND = "from labeljob.cli import main; main()"


class ReportError(GroundTruthError):
    """The report cannot be made; the text says why."""


def list_commands(job: PortalJob) -> list[tuple[str, str]]:
    """What to do with a job next: in words, and as a command for a shell."""
    folder = shlex.quote(job.folder)
    commands = [("The report on workers and disputed objects", f"labeljob report {folder}")]
    if job.output_manifest is not None:
        exports = job.description.task.export_problems
        name = next(name for name in ("imagefolder", "coco") if name not in exports)
        output = shlex.quote(f"{job.name}-{name}")
        commands += [
            (
                "The labels for training",
                f"labeljob export {folder} --format {name} --output {output}",
            ),
            ("The same answers, consolidated in another way", f"labeljob replay {folder}"),
        ]
        if job.settings.earlier_attribute and job.description.task.single_choice:
            commands.append(("What was found right and wrong", f"labeljob verified {folder}"))
    return commands


class ReportMaker:
    """Makes reports in processes of their own, one at a time, and keeps the last of each job."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = asyncio.Lock()
        self._made: dict[str, str] = {}

    async def make(self, job: PortalJob, *, version: str) -> bytes:
        """The report as HTML; one of the same version is not made again. Raises `ReportError`."""
        name = hashlib.sha256(job.name.encode()).hexdigest()[:16]
        path = self._folder / f"{name}.html"
        async with self._lock:
            if self._made.get(job.name) != version or not path.is_file():
                await self._run(job, path)
                self._made[job.name] = version
            return await asyncio.to_thread(path.read_bytes)

    async def _run(self, job: PortalJob, path: Path) -> None:
        arguments = ["report", job.folder, "--one-file", "--output", str(path)]
        arguments += ["--portal-page", f"/owner/jobs/{job.name}"]
        if job.output_manifest is None:  # labels of a job that goes on are not written yet
            arguments += ["--algorithm", job.description.task.algorithms[0]]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _COMMAND,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, told = await asyncio.wait_for(process.communicate(), _SECONDS)
        except (TimeoutError, asyncio.CancelledError) as error:
            process.kill()
            await process.wait()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise ReportError(f"the report took longer than {_SECONDS:.0f} seconds") from error
        if process.returncode:
            raise ReportError(" ".join(told.decode(errors="replace").split()))
