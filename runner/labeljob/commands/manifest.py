"""`labeljob manifest`: images to an input manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from groundtruth.storage.s3 import S3Store
from labeljob import messages
from labeljob.commands.options import output_option, takes_options
from labeljob.jobs import images as image_sources
from labeljob.jobs import input_manifest
from labeljob.jobs.images import Find
from labeljob.jobs.input_manifest import InputManifest, ManifestError
from labeljob.output_files import STANDARD_OUTPUT, write_text


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
    output = options.output
    folder = Path.cwd() if output == STANDARD_OUTPUT else output.parent
    try:
        attributes = input_manifest.parse_attributes(options.attribute or ())
        source_ref = (
            input_manifest.below_prefix(options.s3_prefix)
            if options.s3_prefix is not None
            else input_manifest.relative_to(folder)
        )
    except ManifestError as error:
        raise typer.BadParameter(str(error)) from error
    images = [image for source in options.images for image in _find_images(source)]
    made = input_manifest.make_manifest(
        messages.progress(images, "Reading images"),
        source_ref=source_ref,
        attributes=attributes,
        read_images=options.read,
    )
    report_left_out(made)
    if made.lines:
        write_text(output, made.text)
    if not made.lines:
        messages.problem("no image is left, so no manifest was written")
        raise typer.Exit(1)
    if output != STANDARD_OUTPUT:
        messages.done(f"{messages.format_count(len(made.lines), 'data object')} in {output}")


def _find_images(source: str) -> Iterator[Find]:
    if not image_sources.is_s3(source):
        return image_sources.local_images(source)
    return image_sources.s3_images(source, client=image_sources.s3_client(), store=S3Store())


def report_left_out(made: InputManifest) -> None:
    """Show what surprises, and a table of what got no line, with the reasons."""
    for sentence in made.warnings:
        messages.warning(sentence)
    if made.left_out:
        rows = ((item.place, item.reason) for item in made.left_out)
        messages.table(f"Left out: {len(made.left_out)}", ("file", "why"), rows)
