"""`labeljob replay`: a finished job's answers, consolidated again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import (
    EngineName,
    ReadingOptions,
    file_option,
    output_option,
    takes_options,
)


class Style(StrEnum):
    """Which manifests are written."""

    OBJECT = "object"
    BUILTIN = "builtin"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True)
class ReplayOptions(ReadingOptions):
    """Options of `labeljob replay`."""

    jobs: Annotated[
        list[str],
        typer.Argument(
            metavar="JOB",
            help="The job's folder, with its manifests/ and annotations/, or that folder in S3. "
            "Several jobs of the same type and classes are consolidated together.",
            show_default=False,
        ),
    ]
    algorithm: shared.Algorithm = None
    task: shared.Task = None
    labels: shared.Labels = None
    attribute: shared.Attribute = None
    output_style: Annotated[Style, typer.Option(help="Style of the new manifest.")] = Style.BOTH
    calls: Annotated[
        bool,
        typer.Option(
            "--calls/--all-at-once",
            help="Consolidate call by call as the service did, or all answers together (masks by "
            "`weighted` then take two passes: the first judges the workers).",
        ),
    ] = False
    keep_skill: Annotated[
        bool,
        typer.Option(
            "--keep-skill",
            help="With --calls: what a call teaches about its workers counts in the calls after "
            "it, as in a stack that keeps worker skill.",
        ),
    ] = False
    quorum: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share of the votes that a label must exceed (multi-label)."
        ),
    ] = None
    min_confidence: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Confidence under which a label is low-confidence."),
    ] = None
    truth: shared.Truth = None
    gold: Annotated[
        Path | None,
        file_option(
            "Gold labels that workers are judged by. [default: the job's, if it can be read]"
        ),
    ] = None
    model_answers: Annotated[
        Path | None,
        file_option("A model's answers, which count as one more worker's. [default: the job's]"),
    ] = None
    confidence_map: Annotated[
        Path | None,
        file_option("The map that `labeljob calibrate` wrote. [default: the job's]"),
    ] = None
    output: Annotated[
        str | None,
        output_option(
            "Where the new manifests go, of several jobs in a folder each. "
            "[default: JOB/replays/ALGORITHM]",
            "FOLDER|S3URI",
        ),
    ] = None
    on: shared.On = EngineName.PROCESSES
    address: shared.Address = None
    workers: shared.Workers = None
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only tell how much there is to do, and by a model how many minutes it takes and "
            "what it costs on AWS. Reads the job; starts nothing.",
        ),
    ] = False


@takes_options
def replay(options: ReplayOptions) -> None:
    """Consolidate a finished job again, and show what would change.

    The job's own files stay as they are. A file that is damaged is named, and all that can be
    read is used.

    Example: labeljob replay birds-job --algorithm builtin --calls --truth true_labels.json
    """
    from labeljob.actions import replay as action

    action.replay(options)
