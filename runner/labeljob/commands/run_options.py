"""The options of `labeljob run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands.job_type import job_type_option
from labeljob.tasks.base import JobType

Manifest = Annotated[
    Path,
    typer.Argument(metavar="MANIFEST", exists=True, dir_okay=False, help="Input manifest."),
]
Task = Annotated[JobType, job_type_option("What workers are asked to do.", show_default=False)]
Labels = Annotated[
    str,
    typer.Option(
        metavar="FILE|A,B,...", help="Label category file, or the labels.", show_default=False
    ),
]
Workers = Annotated[
    str,
    typer.Option(
        metavar="CREW",
        help="Simulated workers: how many of each kind (careful, average, careless, confuser, "
        "spammer), as in careful:3,careless:1; or just a number for a mixed crew.",
    ),
]
PerObject = Annotated[
    int | None,
    typer.Option(min=1, max=9, help="Workers per data object. [default: all, 9 at most]"),
]
TruthFile = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="What a perfect worker would answer (JSON Lines). Left out, it is invented, and the "
        "answers have nothing to do with what the images show.",
    ),
]
JobName = Annotated[
    str | None, typer.Option(help="Name of the job. [default: the manifest's name]")
]
Attribute = Annotated[
    str | None,
    typer.Option(help="Label attribute name. [default: label, labels or mask-ref]"),
]
Output = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="FOLDER|s3://BUCKET/PREFIX", help="Where jobs are kept."
    ),
]
Endpoint = Annotated[str | None, typer.Option(help="S3 server, if it is not AWS's.")]
Algorithm = Annotated[str | None, typer.Option(help="Consolidation algorithm.")]
Style = Annotated[str | None, typer.Option(help="object or builtin.")]
Quorum = Annotated[
    float | None, typer.Option(min=0, max=1, help="Share of votes a label of several needs.")
]
MinConfidence = Annotated[
    float | None, typer.Option(min=0, max=1, help="Labels below it are low-confidence.")
]
SkipLabeled = Annotated[
    bool, typer.Option("--skip-labeled", help="Ask no one about objects that have the label.")
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="KEY=VALUE",
        help="A tag of the job: a setting of its own, such as consolidation:posterior-mix=0.6. "
        "May be given several times.",
    ),
]
BatchSize = Annotated[
    int, typer.Option(min=1, max=50, help="Data objects per call of the ACS function.")
]
SkillFile = Annotated[
    Path | None,
    typer.Option(
        dir_okay=False,
        help="File that worker skill is kept in, to share it between jobs. [default: one of the "
        "job's own]",
    ),
]
Seed = Annotated[int, typer.Option(help="Decides every random choice.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin the job anew; its files are removed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
