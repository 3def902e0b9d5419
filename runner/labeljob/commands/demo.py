"""`labeljob demo`: the main job of all three types, on photographs that are here already."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.contract.fields import parse_label_categories
from labeljob import messages
from labeljob.commands.options import takes_options
from labeljob.commands.run import report_run
from labeljob.demo.figures import draw
from labeljob.demo.material import DemoJob, lay_out
from labeljob.jobs.description import JobDescription, now
from labeljob.jobs.job_location import Place, open_place
from labeljob.jobs.local import run_locally
from labeljob.jobs.manifest_lines import read_lines
from labeljob.simulation.workers import create_workers
from labeljob.tasks.registry import find_job_type

SEED = 1


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Options of `labeljob demo`."""

    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for everything it writes.")
    ] = Path("demo-output")


@takes_options
def demo(options: DemoOptions) -> None:
    """Run a job of each type on real photographs, with simulated workers, and draw the results.

    The photographs come with scikit-image; nothing is downloaded. An earlier demonstration in
    the folder is replaced.

    Example: labeljob demo --output demo-output
    """
    with messages.exit_on_error():
        location = open_place(str(options.output), endpoint_url=None)
        pictures = [_run(job, location, options.output) for job in lay_out(options.output)]
    messages.done("")
    messages.done("Open these pictures to see what came out:")
    for picture in pictures:
        messages.done(f"  {picture}")


def _run(job: DemoJob, location: Place, output: Path) -> Path:
    messages.done("")
    messages.done(
        f"{job.task}: {len(create_workers(job.crew, seed=SEED))} simulated workers ({job.crew})"
    )
    result = run_locally(
        _description(job, location), read_lines(job.manifest), location, fresh=True
    )
    report_run(result, location)
    return draw(
        job,
        Path(location.shown(result.description.layout.root)),
        store=output,
        out=output / f"{job.name}.png",
        crew=create_workers(job.crew, seed=SEED),
    )


def _description(job: DemoJob, location: Place) -> JobDescription:
    return JobDescription(
        name=job.name,
        task=find_job_type(job.task),
        labels=parse_label_categories(job.labels.read_bytes(), path=str(job.labels)),
        attribute=job.label_attribute_name,
        output=location.output,
        manifest=str(job.manifest.resolve()),
        manifest_digest=hashlib.sha256(job.manifest.read_bytes()).hexdigest(),
        crew=job.crew,
        per_object=len(create_workers(job.crew, seed=SEED)),
        seed=SEED,
        truth=str(job.truth.resolve()),
        batch_size=50,
        tags={},
        started=now(),
    )
