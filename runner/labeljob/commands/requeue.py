"""`labeljob requeue`: the manifest and the request of a job's next round."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import file_option, output_option, takes_options


@dataclass(frozen=True, kw_only=True)
class RequeueOptions:
    """Options of `labeljob requeue`."""

    job: shared.Job
    below: Annotated[
        float, typer.Option(min=0, max=1, help="Ask again for labels with less confidence.")
    ] = 0.8
    manifest: shared.LabelManifest = None
    output: Annotated[
        Path | None, output_option("The new manifest. [default: JOB-requeue.manifest]", "FILE")
    ] = None
    request: Annotated[
        Path | None,
        file_option(
            "The old job's CreateLabelingJob request, or what DescribeLabelingJob tells of it."
        ),
    ] = None
    manifest_uri: Annotated[
        str | None,
        typer.Option(
            metavar="S3URI",
            help="With --request: where the new manifest will be. "
            "[default: manifests/output/requeue.manifest of the old job]",
        ),
    ] = None
    job_name: Annotated[
        str | None,
        typer.Option(
            help="With --request: the new job's name. [default: the old one's and a number]"
        ),
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=9, help="With --request: answers for each image. [default: as before]"
        ),
    ] = None
    task: shared.Task = None
    attribute: shared.Attribute = None
    endpoint_url: shared.Endpoint = None
    as_json: shared.AsJson = False


@takes_options
def requeue_objects(options: RequeueOptions) -> None:
    """Write the manifest of what should be labeled again, and the request of the next round.

    These are the data objects without a label, and those whose label has too little confidence.
    Their lines come without the old label, so the next job may use the same attribute. Nothing
    is written into the job. With --request, the new request is written beside the manifest.

    Example: labeljob requeue birds-job --below 0.8 --request job.json
    """
    from labeljob.actions import requeue as action

    action.requeue_objects(options)
