"""`labeljob demo`: the main job of all three types, on photographs that are here already."""

from __future__ import annotations

import shlex
from pathlib import Path

from labeljob import messages
from labeljob.actions.run import report_run, run_job
from labeljob.commands.demo import DemoOptions
from labeljob.commands.run import RunOptions
from labeljob.demo.material import DemoJob, lay_out
from labeljob.jobs.job_location import Place, open_place
from labeljob.simulation.workers import create_workers
from labeljob.tasks.registry import find_job_type

SEED = 1


def demo(options: DemoOptions) -> None:
    """Do what `labeljob demo` does."""
    location = open_place(str(options.output), endpoint_url=None)
    finished = [_run(job, location, options.output) for job in lay_out(options.output)]
    messages.done("")
    messages.done("Open these pictures to see what came out:")
    for _, picture in finished:
        messages.done(f"  {picture}")
    messages.done("These write each job's report, a page with its verdict and what to do next:")
    for folder, picture in finished:
        command = ["labeljob", "report", str(folder), "-o", str(picture.with_suffix(".html"))]
        messages.done(f"  {shlex.join(command)}")


def _run(job: DemoJob, location: Place, output: Path) -> tuple[Path, Path]:
    """Run a job and draw it; the job's folder, and the picture."""
    from labeljob.demo.figures import draw

    messages.done("")
    messages.done(
        f"{job.task}: {len(create_workers(job.crew, seed=SEED))} simulated workers ({job.crew})"
    )
    result = run_job(
        RunOptions(
            manifest=job.manifest,
            task=find_job_type(job.task),
            labels=str(job.labels),
            workers=job.crew,
            truth=job.truth,
            job_name=job.name,
            attribute=job.label_attribute_name,
            seed=SEED,
            fresh=True,
        ),
        location,
    )
    report_run(result, location)
    folder = Path(location.shown(result.description.layout.root))
    picture = draw(
        job,
        folder,
        store=output,
        out=output / f"{job.name}.png",
        crew=create_workers(job.crew, seed=SEED),
    )
    return folder, picture
