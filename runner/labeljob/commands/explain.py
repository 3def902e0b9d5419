"""`labeljob explain`: why a data object has its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import JobOptions, takes_options


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(JobOptions):
    """Options of `labeljob explain`."""

    job: shared.Job
    object_name: Annotated[
        str,
        typer.Argument(
            metavar="OBJECT",
            help="The data object: its line number from 0, its image's URI, or its file's name.",
            show_default=False,
        ),
    ]
    algorithm: shared.Algorithm = None
    task: shared.Task = None
    labels: shared.Labels = None
    attribute: shared.Attribute = None
    calls: Annotated[
        bool,
        typer.Option(
            "--calls/--all-at-once",
            help="Consolidate it with its own call's objects as the service did, or with all.",
        ),
    ] = True


@takes_options
def explain(options: ExplainOptions) -> None:
    """Show why a data object has its label: votes, what each weighs, posterior, settings.

    Nothing is written. What the label would be without each answer tells what the answer weighs.

    Example: labeljob explain birds-job 165 --algorithm builtin
    """
    from labeljob.actions import explain as action

    action.explain(options)
