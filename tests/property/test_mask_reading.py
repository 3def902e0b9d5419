import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.errors import UnusableAnswer
from groundtruth.masks import reader
from groundtruth.masks.png import read_chunks
from groundtruth.masks.reader import read_fast, read_with_pillow
from groundtruth.masks.runs import ColorRuns, RunMask
from groundtruth.masks.writer import write_mask
from tests.property.strategies_masks import crews, damaged, pngs

pytestmark = pytest.mark.slow


def pixels(runs: ColorRuns):
    lengths = np.diff(runs.starts, append=runs.shape[0] * runs.shape[1])
    return np.repeat(runs.colors, lengths, axis=0)


def outcome(reader, png):
    """Pixels, the reason of a refusal, or None from a reader that passes the file on."""
    try:
        runs = reader(read_chunks(png))
    except UnusableAnswer as error:
        return error.reason
    if runs is None:
        return None
    rows = np.arange(runs.shape[0]) * runs.shape[1]
    assert np.isin(rows, runs.starts).all()
    assert (np.diff(runs.starts) > 0).all()
    return pixels(runs).tolist()


@given(pngs(), st.sampled_from([1, 40, 1 << 18]))
def test_the_fast_reader_sees_what_pillow_sees(png, strip_bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_STRIP_BYTES", strip_bytes)
        fast = outcome(read_fast, png)
    assert fast is None or fast == outcome(read_with_pillow, png)


@given(pngs(filters=[0, 1, 2], depths=[8], interlace=False, transparency=False))
def test_the_fast_reader_takes_what_browsers_write(png):
    assert outcome(read_fast, png) is not None


@given(damaged(pngs()))
def test_the_fast_reader_refuses_what_pillow_refuses(png):
    fast = outcome(read_fast, png)
    assert fast is None or fast == outcome(read_with_pillow, png)


@given(crews(max_workers=1))
def test_a_written_mask_is_read_back(grids):
    palette = ["#ffffff", "#2ca02c", "#1f77b4", "#ff7f0e", "#d62728"]
    runs = read_fast(read_chunks(write_mask(RunMask.from_array(grids[0]), palette)))
    colors = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] + [255] for c in palette])
    np.testing.assert_array_equal(pixels(runs), colors[grids[0].ravel()])
