"""`labeljob manifest`: images to an input manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from groundtruth.storage.s3 import S3Store
from labeljob import messages
from labeljob.commands.manifest import ManifestOptions
from labeljob.jobs import images as image_sources
from labeljob.jobs import input_manifest
from labeljob.jobs.images import Find
from labeljob.jobs.input_manifest import InputManifest, ManifestError
from labeljob.output_files import STANDARD_OUTPUT, write_text


def manifest(options: ManifestOptions) -> None:
    """Do what `labeljob manifest` does."""
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
