"""`labeljob verified`: what a verification found, as known objects and as the next round."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import takes_options


@dataclass(frozen=True, kw_only=True)
class VerifiedOptions:
    """Options of `labeljob verified`."""

    job: shared.Job
    below: Annotated[
        float, typer.Option(min=0, max=1, help="Verdicts with less confidence count as unsure.")
    ] = 0.5
    gold: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Known objects: what is right, or was corrected. [default: JOB-gold.jsonl]",
        ),
    ] = None
    again: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Manifest of what is wrong or unsure. [default: JOB-again.manifest]",
        ),
    ] = None
    earlier: Annotated[
        str | None,
        typer.Option(
            metavar="ATTRIBUTE", help="Label attribute that was verified. [default: the job's]"
        ),
    ] = None
    attribute: shared.Attribute = None
    endpoint_url: shared.Endpoint = None
    as_json: shared.AsJson = False


@takes_options
def show_verified(options: VerifiedOptions) -> None:
    """Write what a verification found: known objects, and the manifest of the next round.

    A label that is right is a known object; so is the label that workers say is right in its
    place. What is wrong or unsure goes into the manifest, masks with what was painted, so that
    `labeljob portal --adjust` shows it. Nothing is written into the job.

    Example: labeljob verified birds-verify
    """
    from labeljob.actions import verified as action

    action.show_verified(options)
