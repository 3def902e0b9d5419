"""`labeljob portal`: a private team labels in a browser, served by this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.defaults import ConfiguredCommand
from labeljob.commands.options import (
    JobType,
    file_option,
    job_type_option,
    output_option,
    takes_options,
)
from labeljob.commands.portal_access import (
    AccessOptions,
)
from labeljob.jobs import request

if TYPE_CHECKING:
    from typer._click import Context


SEVERAL_WORDS = "--labels"
"""The option that takes all words up to the next option."""


TIME_LIMIT = 300
AVAILABILITY = 864_000


def repeat_option(words: Sequence[str], option: str) -> list[str]:
    """Words of a command line in which the option stands before each of its values.

    Examples
    --------
    >>> repeat_option(["photos", "--labels", "hot dog", "cat", "--port", "1"], "--labels")
    ['photos', '--labels', 'hot dog', '--labels', 'cat', '--port', '1']
    """
    repeated: list[str] = []
    is_value = False
    for word in words:
        if is_value and not word.startswith("-") and repeated[-1] != option:
            repeated.append(option)
        is_value = word == option or (is_value and not word.startswith("-"))
        repeated.append(word)
    return repeated


class PortalCommand(ConfiguredCommand):
    """A command one of whose options takes several words, as in ``--labels cat dog``."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read the command line."""
        return super().parse_args(ctx, repeat_option(args, SEVERAL_WORDS))


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True, kw_only=True)
class PortalOptions(AccessOptions):
    """Options of `labeljob portal`."""

    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="SOURCE",
            help="Folder of photographs for a new job or one that goes on, folder of a job, or "
            "folder of jobs. [default: the folder that --output names]",
            show_default=False,
        ),
    ] = None
    task: Annotated[JobType | None, job_type_option("What workers are asked to do.")] = None
    labels: Annotated[
        list[str] | None,
        typer.Option(
            SEVERAL_WORDS,
            metavar="NAME... | A,B,... | FILE",
            help="The labels, or a label category file.",
            show_default=False,
        ),
    ] = None
    manifest: Annotated[
        Path | None, file_option("Input manifest, in place of a folder of photographs.")
    ] = None
    adjust: Annotated[
        str | None,
        typer.Option(
            metavar="ATTRIBUTE",
            help="With --manifest: correct the masks that it has under this label attribute.",
        ),
    ] = None
    verify: Annotated[
        str | None,
        typer.Option(
            metavar="ATTRIBUTE",
            help="With --manifest: say of the labels that it has under this label attribute "
            "whether they are right.",
        ),
    ] = None
    images: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder with copies of the images that the manifest names, if they are in S3.",
        ),
    ] = None
    template: Annotated[
        Path | None,
        file_option("Worker page, a Liquid template. [default: that of the job type]"),
    ] = None
    workers_per_object: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=request.MAX_WORKERS,
            help="Different workers for each data object. [default: 1]",
        ),
    ] = None
    min_confidence: Annotated[
        float | None, typer.Option(min=0, max=1, help="Labels below it are low-confidence.")
    ] = None
    max_workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=request.MAX_WORKERS,
            help="With --min-confidence: ask one worker more while a label is below it, up to so "
            "many. [default: ask no more]",
        ),
    ] = None
    task_time_limit: Annotated[
        int | None,
        typer.Option(
            min=request.MIN_TIME_LIMIT,
            max=request.MAX_TIME_LIMIT,
            help=f"Seconds that a worker has for a task. [default: {TIME_LIMIT}]",
        ),
    ] = None
    availability: Annotated[
        int | None,
        typer.Option(
            min=request.MIN_AVAILABILITY,
            max=request.MAX_AVAILABILITY_PRIVATE,
            help="Seconds after which the job ends with the answers it has. "
            f"[default: {AVAILABILITY}, ten days]",
        ),
    ] = None
    job_name: Annotated[
        str | None, typer.Option(help="Name of the job. [default: the source's name]")
    ] = None
    title: Annotated[
        str | None,
        typer.Option(
            help="What workers read of the job. [default: the job type's, with the job's name]"
        ),
    ] = None
    description: Annotated[
        str | None, typer.Option(help="The same in a sentence. [default: the job type's]")
    ] = None
    attribute: Annotated[
        str | None,
        typer.Option(help="Label attribute name. [default: label, labels or mask-ref]"),
    ] = None
    algorithm: shared.NewAlgorithm = None
    quorum: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of votes a label of several needs.")
    ] = None
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A tag of the job: a setting of its own, such as consolidation:posterior-mix=0.6. "
            "May be given several times.",
        ),
    ] = None
    output: Annotated[Path, output_option("Where jobs are kept.", "FOLDER", file_okay=False)] = (
        Path("labeljob-store")
    )
    assist_model: Annotated[
        Path | None,
        file_option(
            "An ONNX model like U2-Net that helps workers to outline objects by four points; needs "
            "the extra assist. [default: models of their colors]"
        ),
    ] = None
    settle: Annotated[
        float, typer.Option(hidden=True, help="Seconds in which an answer may be changed.")
    ] = 20.0


@app.command("portal", cls=PortalCommand)
@takes_options
def portal(options: PortalOptions) -> None:
    """Let a private team label in a browser, and make labels of their answers.

    Photographs stay where they are. The same command goes on with a job after an interruption,
    and all jobs of one folder are served together.

    Example: labeljob portal photos/ --task image-multi-class --labels cat dog
    """
    from labeljob.actions import portal as action

    action.portal(options)
