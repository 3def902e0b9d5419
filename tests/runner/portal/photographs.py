"""Photographs to label: parts of those that scikit-image ships, mirrored, lighter and darker."""

from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageEnhance, ImageOps

SUBJECTS = {
    "cat": ("chelsea.png", (40, 0, 400, 300)),
    "coffee": ("coffee.png", (60, 10, 560, 390)),
    "motorcycle": ("motorcycle_left.png", (40, 60, 700, 480)),
    "rocket": ("rocket.jpg", (180, 20, 460, 400)),
}
_DATA = Path(skimage.__file__).parent / "data"


def take_photographs(
    folder: Path, number: int, *, size: tuple[int, int] = (640, 480), seed: int = 7
) -> dict[str, str]:
    """Write JPEG files as a camera names them; gives what each shows, by file name.

    Subjects take turns by chance, the same for the same seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    subjects = [list(SUBJECTS)[at % len(SUBJECTS)] for at in range(number)]
    shown = {}
    for at, subject in enumerate(rng.permutation(subjects).tolist()):
        photo, box = SUBJECTS[subject]
        with Image.open(_DATA / photo) as opened:
            image = opened.convert("RGB")
        image = image.crop(_move(box, image.size, rng.integers(-30, 31, 2).tolist()))
        if rng.random() < 0.5:
            image = ImageOps.mirror(image)
        image = ImageEnhance.Brightness(image).enhance(float(rng.uniform(0.7, 1.2)))
        name = f"IMG_{at + 1:04}.jpg"
        ImageOps.fit(image, size).save(folder / name, quality=85)
        shown[name] = subject
    return shown


def _move(
    box: tuple[int, int, int, int], size: tuple[int, int], by: list[int]
) -> tuple[int, int, int, int]:
    """A box moved, but not out of the picture."""
    left, top, right, bottom = box
    dx = min(max(by[0], -left), size[0] - right)
    dy = min(max(by[1], -top), size[1] - bottom)
    return left + dx, top + dy, right + dx, bottom + dy
