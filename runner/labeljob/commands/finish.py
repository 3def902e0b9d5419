"""`labeljob finish`: what is done when a job is over, on this machine or in S3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import JobType, job_type_option, takes_options


@dataclass(frozen=True, kw_only=True)
class FinishOptions:
    """Options of `labeljob finish`."""

    job: shared.Job
    attribute: shared.Attribute = None
    task: Annotated[
        JobType | None, job_type_option("Refuse labels of another job type. [default: any]")
    ] = None
    below: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Queue objects again whose label has less confidence. [default: the job's "
            "min-confidence, else 0]",
        ),
    ] = None
    labels: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Label category file: the order of the classes. [default: the job's, else that "
            "of the labels]",
        ),
    ] = None
    manifest: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|S3URI",
            help="Input manifest, for a job that has no output manifest. [default: the job's]",
        ),
    ] = None
    job_name: Annotated[
        str | None,
        typer.Option(help="Name of the job, if its folder was renamed. [default: the folder's]"),
    ] = None
    endpoint_url: shared.Endpoint = None
    worker_id_key: Annotated[
        str,
        typer.Option(
            envvar="WORKER_ID_KEY",
            help="Secret from which the summary makes pseudonyms of workers. "
            "[default: the job's name]",
            show_default=False,
        ),
    ] = ""
    plain_worker_ids: Annotated[
        bool, typer.Option("--plain-worker-ids", help="Write workers' ids into the summary.")
    ] = False
    as_json: shared.AsJson = False


@takes_options
def finish(options: FinishOptions) -> None:
    """Write a finished job's manifest in the built-in shape, its summary and what to label again.

    The files finished.manifest, summary.json and requeue.manifest come beside output.manifest,
    which stays as it is. Finishing again writes the same.

    Example: labeljob finish labeljob-store/labeljob/jobs/photos --below 0.8
    """
    from labeljob.actions import finish as action

    action.finish(options)
