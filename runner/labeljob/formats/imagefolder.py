"""ImageFolder: a folder for each class, with the images that have it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.target import Target


def export_imagefolder(images: Iterable[LabeledImage], target: Target) -> None:
    """Copy each image into its class's folder; there is a folder for every class.

    With parts, those folders are in each part's folder.
    """
    names = [folder_name(name) for name in target.classes]
    renamed = [name for name, folder in zip(target.classes, names, strict=True) if name != folder]
    if renamed:
        target.notes.append(f"folders of {', '.join(renamed)} are named otherwise: see classes.txt")
    for name in names:
        for split in target.splits or (".",):
            (target.draft / split / name).mkdir(parents=True, exist_ok=True)
    for image in images:
        if not target.copy_image(image, f"{image.split or '.'}/{names[image.indices[0]]}"):
            target.left_out.add("the image cannot be read", image.object_id)
    target.require_images()
    if renamed:
        target.write_lines(
            "classes.txt",
            [f"{folder}\t{name}" for name, folder in zip(target.classes, names, strict=True)],
        )


def folder_name(name: str) -> str:
    """A class's name as one that a folder can have, the same for the same name.

    Examples
    --------
    >>> folder_name("black bear"), folder_name("cat/dog"), folder_name("..")
    ('black bear', 'cat%2Fdog', '%2E%2E')
    """
    if set(name) <= {"."}:
        return name.replace(".", "%2E")
    return "".join(char if _is_safe(char) else quote(char, safe="") for char in name)


def _is_safe(char: str) -> bool:
    return char.isprintable() and char not in '/\\:*?"<>|%'
