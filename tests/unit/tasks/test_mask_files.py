from datetime import UTC, datetime

import pytest

from groundtruth.annotations import Answers, RejectedAnswer
from groundtruth.settings import Settings
from groundtruth.tasks.base import ConsolidationContext
from groundtruth.tasks.segmentation.answers import mask_answer, read_masks, write_png
from tests.masks import COLORS, answer, drawn
from tests.memory_store import MemoryStore

LABELS = tuple(COLORS)


def answers_of(**contents):
    earlier = (RejectedAnswer("zed", "malformed-json", "the answer is not JSON"),)
    decoded = tuple(mask_answer(content) for content in contents.values())
    return Answers("0", tuple(contents), decoded, earlier)


def test_masks_are_read_by_worker_in_the_order_of_names():
    read = read_masks(answers_of(xan=answer(drawn("wb")), ann=answer(drawn("w."))), LABELS)
    assert list(read.masks) == ["ann", "xan"]
    assert [mask.to_array().tolist() for mask in read.masks.values()] == [[[1, 0]], [[1, 2]]]
    assert read.colors == (COLORS, COLORS)
    assert read.repaired == ()


def test_what_cannot_be_read_is_rejected_after_what_was_before():
    bad = answer(drawn("wb")[:40], size=(1, 2))
    read = read_masks(answers_of(ann=answer(drawn("wb")), ben=bad), LABELS)
    assert list(read.masks) == ["ann"]
    assert [item.worker_id for item in read.rejected] == ["zed", "ben"]
    assert len(read.colors) == 1


@pytest.mark.parametrize(
    ("sizes", "used"),
    [
        pytest.param([(1, 2), (1, 2), (1, 4)], ["ann", "ben"], id="the-majority"),
        pytest.param([(1, 4), (1, 4), (1, 2)], ["cem"], id="borne-out-by-the-mask"),
    ],
)
def test_the_image_has_the_size_that_most_masks_bear_out(sizes, used):
    grids = ("wb", "wb", "wwbb" if sizes[0] == (1, 2) else "wb")
    contents = dict(
        zip(
            ("ann", "ben", "cem"),
            (answer(drawn(grid), size=size) for grid, size in zip(grids, sizes, strict=True)),
            strict=True,
        )
    )
    read = read_masks(answers_of(**contents), LABELS)
    assert set(used) <= set(read.masks)
    assert {mask.shape for mask in read.masks.values()} == {(1, 2)}


def test_a_label_that_the_job_does_not_have_makes_its_mask_unusable():
    read = read_masks(answers_of(ann=answer(drawn("wb")), ben=answer(drawn("wq"))), LABELS[:2])
    assert list(read.masks) == ["ann"]
    assert read.rejected[-1].reason == "unknown-label"


def test_a_mask_that_was_read_leniently_says_how():
    near = {**COLORS, "water": "#2da02c"}
    read = read_masks(
        answers_of(ann=answer(drawn("wb")), ben=answer(drawn("wb", colors=near))), LABELS
    )
    ((worker, notes),) = read.repaired
    assert (worker, notes.near_pixels, notes.snapped_pixels) == ("ben", 1, 0)


def test_a_png_is_written_under_the_object_s_name_and_the_batch_s_time():
    store = MemoryStore()
    batch = ConsolidationContext(
        classes=LABELS,
        classes_known=True,
        settings=Settings(),
        job_name="labeling-job/harbour",
        made_at=datetime(2026, 5, 6, 11, 47, 3, tzinfo=UTC),
        masks_uri="s3://bucket/out",
        store=store,
        kms_key="key-1",
    )
    uri = write_png(b"png", "a b/c", batch, kind=".disagreement")
    assert uri == "s3://bucket/out/a%20b%2Fc_2026-05-06T11:47:03.000000.disagreement.png"
    (written,) = store.written.values()
    assert (written.body, written.content_type, written.kms_key) == (b"png", "image/png", "key-1")
