"""Parts of photographs for the help tools: stored pixels in RGB, shrunk before anything else."""

from __future__ import annotations

from PIL import Image

from labeljob.portal.thumbnails import reduce_depth

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in whole pixels; right and bottom are the first beside it."""


def shrink_part(image: Image.Image, box: Box, size: tuple[int, int]) -> Image.Image:
    """A part of an image in RGB, on white where it is transparent, as large as `size` says.

    Each pixel is the mean of those that it stands for; a JPEG is not decoded finer than that.
    """
    left, top, right, bottom = box
    width, height = image.size
    scale = max(size[0] / (right - left), size[1] / (bottom - top))
    image.draft("RGB", (round(width * scale), round(height * scale)))
    x, y = image.width / width, image.height / height
    pixels = reduce_depth(image)
    if pixels.mode == "RGBA":
        layer, pixels = pixels, Image.new("RGB", pixels.size, "white")
        pixels.paste(layer, mask=layer.getchannel("A"))
    part = pixels.resize(size, Image.Resampling.BOX, box=(left * x, top * y, right * x, bottom * y))
    return part.convert("RGB")
