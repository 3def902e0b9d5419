"""`labeljob gold`: known objects drawn, mixed in, workers scored on them, and taken out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.defaults import ConfiguredCommand
from labeljob.commands.options import (
    JobOptions,
    file_option,
    output_option,
    takes_options,
)
from labeljob.rounds import MOST_KNOWN

app = typer.Typer(
    help="Known objects: draw them, mix them in, score workers on them, take them out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


Manifest = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST",
        help="A manifest file.",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]


Gold = Annotated[
    Path,
    file_option(
        "Known objects: JSON Lines with source-ref and label, labels or mask.", show_default=False
    ),
]


Output = Annotated[Path, output_option("The new manifest.", "FILE")]


@dataclass(frozen=True, kw_only=True)
class DrawOptions(JobOptions):
    """Options of `labeljob gold draw`."""

    job: Annotated[
        str,
        typer.Argument(
            metavar="JOB|MANIFEST",
            help="The job's folder, or that folder in S3; or a manifest file.",
            show_default=False,
        ),
    ]
    count: Annotated[int, typer.Option(min=1, help="How many are drawn.")] = MOST_KNOWN
    seed: Annotated[int, typer.Option(min=0, help="Decides which.")] = 0
    output: Annotated[Path, output_option("The file to fill in.", "FILE")] = Path("gold.jsonl")
    task: shared.Task = None
    labels: shared.Labels = None
    attribute: shared.Attribute = None


@dataclass(frozen=True, kw_only=True)
class MixOptions:
    """Options of `labeljob gold mix`."""

    manifest: Manifest
    gold: Gold
    rate: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of the new manifest that is gold.")
    ] = 0.1
    seed: Annotated[int, typer.Option(min=0, help="Decides which objects and where.")] = 0
    output: Output = Path("gold.manifest")
    remember: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Which lines are gold, for score, strip and the functions. "
            "[default: OUTPUT with .gold.jsonl]",
        ),
    ] = None
    as_json: shared.AsJson = False


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(JobOptions):
    """Options of `labeljob gold score`."""

    gold: Gold
    task: shared.Task = None
    labels: shared.Labels = None
    attribute: shared.Attribute = None
    skill_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Skill file of jobs on this machine that learns from the gold answers.",
        ),
    ] = None
    as_csv: shared.AsCsv = False


@dataclass(frozen=True, kw_only=True)
class StripOptions:
    """Options of `labeljob gold strip`."""

    manifest: Manifest
    gold: Gold
    output: Output = Path("stripped.manifest")
    as_json: shared.AsJson = False


@app.command("draw", cls=ConfiguredCommand)
@takes_options
def gold_draw(options: DrawOptions) -> None:
    """Draw data objects at random, for somebody who knows to label them.

    Write each one's true label into the file. Then labeljob replay --gold learns from it how good
    workers and how frequent classes are; so do the functions, if the job's tag
    consolidation:gold-labels-s3-uri has the file's URI. Draw them with this command and do not
    choose them: chosen ones tell nothing of how frequent classes are.

    Example: labeljob gold draw birds-job --count 50 -o gold.jsonl
    """
    from labeljob.actions import gold as action

    action.gold_draw(options)


@app.command("mix", cls=ConfiguredCommand)
@takes_options
def gold_mix(options: MixOptions) -> None:
    """Mix known objects into a manifest, and remember which they are.

    The manifest's own lines stay letter for letter. Upload the file that remembers the gold, and
    give its URI in the job's tag consolidation:gold-labels-s3-uri (for all jobs of a stack: the
    parameter GoldLabelsS3Uri), so that consolidation learns from the gold answers.

    Example: labeljob gold mix input.manifest --gold known.jsonl --rate 0.05 -o mixed.manifest
    """
    from labeljob.actions import gold as action

    action.gold_mix(options)


@app.command("score", cls=ConfiguredCommand)
@takes_options
def gold_score(options: ScoreOptions) -> None:
    """Score a job's workers on known objects, each with an interval.

    With --skill-file, jobs that run on this machine learn from it. On AWS the functions learn by
    themselves from gold whose file the tag consolidation:gold-labels-s3-uri names.

    Example: labeljob gold score birds-job --gold mixed.gold.jsonl
    """
    from labeljob.actions import gold as action

    action.gold_score(options)


@app.command("strip", cls=ConfiguredCommand)
@takes_options
def gold_strip(options: StripOptions) -> None:
    """Take the known objects out of a manifest; all else stays as it is.

    Known objects that the manifest had before they were mixed in stay too.

    Example: labeljob gold strip output.manifest --gold mixed.gold.jsonl -o final.manifest
    """
    from labeljob.actions import gold as action

    action.gold_strip(options)
