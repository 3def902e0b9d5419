"""`labeljob run`: a whole labeling job on one machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import output_option, takes_options


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of `labeljob run`."""

    manifest: Annotated[
        Path,
        typer.Argument(metavar="MANIFEST", exists=True, dir_okay=False, help="Input manifest."),
    ]
    task: shared.NewTask
    labels: Annotated[
        str,
        typer.Option(
            metavar="FILE|A,B,...", help="Label category file, or the labels.", show_default=False
        ),
    ]
    workers: Annotated[
        str,
        typer.Option(
            metavar="CREW",
            help="Simulated workers: how many of each kind (careful, average, careless, confuser, "
            "spammer), as in careful:3,careless:1; or just a number for a mixed crew.",
        ),
    ] = "3"
    per_object: Annotated[
        int | None,
        typer.Option(min=1, max=9, help="Workers per data object. [default: all, 9 at most]"),
    ] = None
    truth: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="What a perfect worker would answer (JSON Lines). Left out, it is invented, and "
            "the answers have nothing to do with what the images show.",
        ),
    ] = None
    job_name: Annotated[
        str | None, typer.Option(help="Name of the job. [default: the manifest's name]")
    ] = None
    attribute: Annotated[
        str | None,
        typer.Option(help="Label attribute name. [default: label, labels or mask-ref]"),
    ] = None
    output: Annotated[str, output_option("Where jobs are kept.", "FOLDER|s3://BUCKET/PREFIX")] = (
        "labeljob-store"
    )
    endpoint_url: shared.Endpoint = None
    algorithm: shared.NewAlgorithm = None
    output_style: Annotated[
        Literal["object", "builtin"] | None,
        typer.Option(help="How labels are written. [default: object]"),
    ] = None
    quorum: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of votes a label of several needs.")
    ] = None
    min_confidence: Annotated[
        float | None, typer.Option(min=0, max=1, help="Labels below it are low-confidence.")
    ] = None
    skip_labeled: Annotated[
        bool, typer.Option("--skip-labeled", help="Ask no one about objects that have the label.")
    ] = False
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A tag of the job: a setting of its own, such as consolidation:posterior-mix=0.6. "
            "May be given several times.",
        ),
    ] = None
    batch_size: shared.BatchSize = 50
    skill_file: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File that worker skill is kept in, to share it between jobs. [default: one of "
            "the job's own]",
        ),
    ] = None
    seed: shared.Seed = 0
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin the job anew; its files are removed.")
    ] = False
    as_json: shared.AsJson = False


@takes_options
def run(options: RunOptions) -> None:
    """Run a labeling job on this machine: PRE, simulated workers, ACS, output manifest.

    Every event, file and folder is as Ground Truth makes it. Run the same command again after
    an interruption: it does what is left. With labeljob portal people label instead.

    Example: labeljob run input.manifest --task image-multi-class --labels cat,dog --workers 5
    """
    from labeljob.actions import run as action

    action.run(options)
