"""PASCAL VOC segmentation: PNGs with VOC's own palette [1]_.

References
----------
.. [1] M. Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective",
   IJCV 111, 2015. doi:10.1007/s11263-014-0733-5
"""

from __future__ import annotations

import io
from collections.abc import Iterable

from PIL import Image

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.target import Target
from labeljob.jobs.description import JobError

VOID = 255
BACKGROUND = "background"


def voc_palette() -> list[int]:
    """Red, green and blue of 256 classes, one after the other.

    The bits of a class's index go to red, green and blue in turn, the highest bit of a colour
    first.

    Examples
    --------
    >>> voc_palette()[3:12]
    [128, 0, 0, 0, 128, 0, 128, 128, 0]
    """
    colors = []
    for index in range(256):
        for channel in range(3):
            bits = ((index >> (3 * place + channel)) & 1 for place in range(3))
            colors.append(sum(bit << (7 - place) for place, bit in enumerate(bits)))
    return colors


def export_voc(images: Iterable[LabeledImage], target: Target) -> None:
    """Write SegmentationClass, copies of the images in JPEGImages, and lists of the images.

    There is a list of each part, and `trainval` with all but those for testing.
    """
    if len(target.classes) >= VOID:
        raise JobError(f"voc has room for {VOID - 1} classes, and the job has more")
    palette = voc_palette()
    lists: dict[str, list[str]] = {"trainval": [], **{split: [] for split in target.splits}}
    for image in images:
        if image.mask is not None:
            picture = Image.fromarray(image.mask)
            picture.putpalette(palette)
            file = io.BytesIO()
            picture.save(file, "PNG")
            target.write(f"SegmentationClass/{image.stem}.png", file.getvalue())
            target.counts["masks"] += 1
            if image.split != "test":
                lists["trainval"].append(image.stem)
            if image.split:
                lists[image.split].append(image.stem)
        target.copy_image(image, "JPEGImages")
    for name, stems in lists.items():
        target.write_lines(f"ImageSets/Segmentation/{name}.txt", stems)
    target.write_lines("classes.txt", [BACKGROUND, *target.classes])
