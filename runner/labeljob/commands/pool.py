"""`labeljob pool`: the answers of several rounds, consolidated together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import ReadingOptions, output_option, takes_options


@dataclass(frozen=True, kw_only=True)
class PoolOptions(ReadingOptions):
    """Options of `labeljob pool`."""

    jobs: Annotated[
        list[str],
        typer.Argument(
            metavar="JOB",
            help="The rounds' folders, or those folders in S3; the first round first.",
            show_default=False,
        ),
    ]
    output: Annotated[
        str, output_option("Where the manifests go.", "FOLDER|S3URI", show_default=False)
    ]
    algorithm: shared.Algorithm = None
    task: shared.Task = None
    labels: shared.Labels = None
    attribute: shared.Attribute = None
    truth: shared.Truth = None


@takes_options
def pool_rounds(options: PoolOptions) -> None:
    """Consolidate the answers of several rounds together, and show what that changes.

    What has the same source-ref is the same data object. A worker who answered it in two rounds
    counts with the later answer. Manifests in both styles are written; the jobs' own files stay
    as they are. Changes are told against the last label that each data object has.

    Example: labeljob pool birds-job birds-job-2 -o pooled --algorithm calibrated
    """
    from labeljob.actions import pool as action

    action.pool_rounds(options)
