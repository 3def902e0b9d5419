"""`labeljob manifest`: images to an input manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from labeljob.commands.options import output_option, takes_options


@dataclass(frozen=True, kw_only=True)
class ManifestOptions:
    """Options of `labeljob manifest`."""

    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES",
            help="Files, folders (with all that is below them) or s3://bucket/prefix.",
            show_default=False,
        ),
    ]
    output: Annotated[Path, output_option("File to write; - for standard output.")] = Path(
        "input.manifest"
    )
    s3_prefix: Annotated[
        str | None,
        typer.Option(
            metavar="s3://BUCKET/PREFIX",
            help="Where the local images will be in S3. A folder's images are named from the "
            "folder on, as `aws s3 sync FOLDER PREFIX` does. Left out: paths, for `labeljob run`.",
        ),
    ] = None
    attribute: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Add to every line; can be repeated."),
    ] = None
    read: Annotated[
        bool,
        typer.Option(
            "--read/--no-read",
            help="Read every image, to leave out those that cannot be decoded.",
        ),
    ] = True


@takes_options
def manifest(options: ManifestOptions) -> None:
    """Make the input manifest of a labeling job from images.

    What Ground Truth cannot use is left out and listed with the reason.

    Example: labeljob manifest photos/ --s3-prefix s3://my-bucket/photos
    """
    from labeljob.actions import manifest as action

    action.manifest(options)
