"""One worker's PNG to classes: the only way into `groundtruth.masks` for an answer's bytes."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.blank_pictures import check_blank
from groundtruth.masks.color_classes import classify, color_table
from groundtruth.masks.colors import color_bytes, normalize_color
from groundtruth.masks.fast_reader import read_fast
from groundtruth.masks.pillow_reader import read_with_pillow
from groundtruth.masks.png import GREY, GREY_ALPHA, read_chunks, read_header
from groundtruth.masks.runs import RunMask, offset_type

_MAX_ASPECT_ERROR = 0.01
_MAX_SCALE = 16  # a mask may have at most this many times more or fewer pixels than its image
_STRIP_PIXELS = 1 << 18


@dataclass(frozen=True, kw_only=True)
class MaskNotes:
    """What was needed to read a mask.

    Attributes
    ----------
    near_pixels : int
        Pixels whose colour was only near that of a label.
    snapped_pixels : int
        Pixels whose colour was unknown; they took the class of a pixel beside or above them.
    rescaled : bool
        Whether the mask had another size than the image, in the same proportions.
    """

    near_pixels: int = 0
    snapped_pixels: int = 0
    rescaled: bool = False


def read_mask(
    png: bytes,
    *,
    colors: Mapping[int, str],
    shape: tuple[int, int] | None,
    name_of: Callable[[int], str] | Sequence[str],
) -> tuple[RunMask, MaskNotes]:
    """Class of every pixel of one worker's mask.

    The size is compared before anything is inflated, and no more is inflated than the size
    allows. A mask in the proportions of its image (within 1 %) is rescaled to it by nearest
    neighbour; other sizes are refused.

    Parameters
    ----------
    png : bytes
        The file.
    colors : mapping of int to str
        ``#rrggbb`` of each class that this worker's answer lists.
    shape : tuple of int, optional
        (rows, columns) of the image. Any size is taken when it is None.
    name_of : callable or sequence of str
        Name of a class, for messages.

    Returns
    -------
    mask : RunMask
        In the image's size, with no two equal runs side by side; only in noise each pixel
        may be a run.
    notes : MaskNotes
        What leniency it took.

    Raises
    ------
    UnusableAnswer
        ``not-png``, ``truncated-png``, ``bad-png``, ``unsupported-png``, ``too-large``,
        ``too-complex``, ``wrong-size``, ``bad-color``, ``ambiguous-color`` or
        ``unreadable-colors``, which a picture also is that shows something but no label.
    """
    table = color_table(colors, name_of if callable(name_of) else name_of.__getitem__)
    header = read_header(png)
    if shape is not None:
        _check_size(header.shape, shape)
    file = read_chunks(png)
    runs = read_fast(file) or read_with_pillow(file)
    # In a grey file the greys are likely numbers of classes, which no tolerance may touch.
    grey = header.color_type in (GREY, GREY_ALPHA)
    result = classify(runs, table, exact=grey and not table.has_grey_label)
    if not result.mask.classes.any():
        own = color_bytes(normalize_color(colors[0], label="BACKGROUND")) if 0 in colors else None
        check_blank(runs, table.colors, own=own, grey=grey)
    rescaled = shape is not None and shape != header.shape
    notes = MaskNotes(
        near_pixels=result.near_pixels, snapped_pixels=result.snapped_pixels, rescaled=rescaled
    )
    return _rescaled(result.mask, shape) if shape and rescaled else result.mask, notes


def mask_size(png: bytes) -> tuple[int, int]:
    """Size that a PNG's header tells, as (rows, columns).

    Raises
    ------
    UnusableAnswer
        As `groundtruth.masks.png.read_header`.
    """
    return read_header(png).shape


def majority_size(sizes: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    """The most frequent size, for answers that do not tell their image's size.

    Of sizes met equally often the one with the most pixels is taken, then the tallest.

    Examples
    --------
    >>> majority_size([(6, 8), (3, 4), (6, 8)])
    (6, 8)
    """
    counts = Counter(sizes)
    if not counts:
        return None
    return max(counts, key=lambda size: (counts[size], size[0] * size[1], size[0]))


def _check_size(actual: tuple[int, int], expected: tuple[int, int]) -> None:
    """Refuse a size that is not the expected one, nor in its proportions."""
    rows, columns = actual
    across, down = rows * expected[1], columns * expected[0]
    scale = rows * columns / (expected[0] * expected[1])
    alike = abs(across - down) <= _MAX_ASPECT_ERROR * max(across, down)
    if not alike or not 1 / _MAX_SCALE <= scale <= _MAX_SCALE:
        raise UnusableAnswer(
            "wrong-size",
            f"The mask has {columns} x {rows} pixels, its image {expected[1]} x {expected[0]}.",
        )


def _rescaled(mask: RunMask, shape: tuple[int, int]) -> RunMask:
    """The mask in another size: each pixel takes the class under its centre."""
    rows, columns = (
        (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)
        for new, old in zip(shape, mask.shape, strict=True)
    )
    starts, classes, first = [], [], 0
    strip_rows = max(1, _STRIP_PIXELS // shape[1])
    for top in range(0, shape[0], strip_rows):
        at = rows[top : top + strip_rows, None] * mask.shape[1] + columns
        run = np.searchsorted(mask.starts, at.ravel(), side="right") - 1
        strip = RunMask.from_array(mask.classes[run].reshape(at.shape))
        starts.append((strip.starts + first).astype(offset_type(shape[0] * shape[1])))
        classes.append(strip.classes)
        first += at.size
    offsets = np.concatenate(starts)
    return RunMask(offsets, np.concatenate(classes), shape).merged()
