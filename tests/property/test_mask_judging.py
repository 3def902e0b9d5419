"""Laws of judging workers by a whole job's masks before they are consolidated."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundtruth.annotations import Answers
from groundtruth.settings import Settings
from groundtruth.tasks.base import ConsolidationContext
from groundtruth.tasks.segmentation.answers import mask_answer
from groundtruth.tasks.segmentation.task import SemanticSegmentation
from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.store import BatchSkills, SkillKey
from tests.masks import COLORS, answer, drawn, indices
from tests.memory_store import MemoryStore

pytestmark = pytest.mark.slow

TASK = SemanticSegmentation()
WORKERS = ("ann", "ben", "cem", "dee", "eli", "fay")
MADE_AT = datetime(2026, 5, 4, 9, tzinfo=UTC)


@st.composite
def jobs(draw):
    """Data objects, each with the masks of some of the workers, one of whom is careless."""
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    careless = draw(st.sets(st.sampled_from(WORKERS), max_size=3))
    objects = []
    for index in range(draw(st.integers(1, 9))):
        truth = random.integers(0, 4, 12)
        crew = random.permutation(WORKERS)[: draw(st.integers(1, 6))]
        masks = []
        for worker in crew:
            noisy = random.random(12) < (0.9 if worker in careless else 0.1)
            grid = "".join(np.array(list(".wbq"))[np.where(noisy, random.integers(0, 4), truth)])
            masks.append(mask_answer(answer(drawn(grid))))
        objects.append(Answers(str(index), tuple(crew.tolist()), tuple(masks), ()))
    return objects


def context(batch_id, store=None):
    return ConsolidationContext(
        classes=tuple(COLORS),
        classes_known=True,
        settings=Settings(),
        job_name="labeling-job/harbour",
        made_at=MADE_AT,
        masks_uri="s3://bucket/masks",
        store=MemoryStore(),
        kms_key=None,
        workers=WORKERS,
        skills=BatchSkills(
            store=store,
            key=SkillKey("semantic-segmentation", tuple(COLORS)),
            batch_id=batch_id,
            job="harbour",
            made_at=MADE_AT,
            holds_batch=store is not None,
        ),
    )


def consolidated(objects, batch):
    """Pixels and label of each data object."""
    found = {}
    for item, label in zip(objects, TASK.consolidate(iter(objects), batch), strict=True):
        assert item.object_id not in found
        found[item.object_id] = (indices(batch.store.written[label.mask_uri].body), label)
    return found


def in_two_passes(objects):
    """What becomes of a whole job."""
    batch = context("job", MemorySkills())
    judged = TASK.judge_workers(iter(objects), batch)
    return consolidated(objects, replace(batch, workers=tuple(sorted(judged))))


@settings(max_examples=40)
@given(jobs())
def test_each_image_is_consolidated_with_what_all_others_taught(objects):
    found = in_two_passes(objects)
    assert sorted(found) == sorted(item.object_id for item in objects)
    for item in objects:
        store, others = MemorySkills(), [one for one in objects if one is not item]
        TASK.judge_workers(iter(others), context("others", store))
        alone = context("alone", store)
        alone = replace(alone, skills=replace(alone.skills, holds_batch=False))
        assert consolidated([item], alone)[item.object_id] == found[item.object_id]


@settings(max_examples=40)
@given(jobs(), st.randoms())
def test_neither_the_order_of_images_nor_that_of_workers_matters(objects, random):
    shuffled = [_shuffle_workers(item, random) for item in random.sample(objects, len(objects))]
    assert in_two_passes(shuffled) == in_two_passes(objects)


def _shuffle_workers(item, random):
    pairs = random.sample(list(zip(item.workers, item.answers, strict=True)), len(item.workers))
    workers, answers = zip(*pairs, strict=True)
    return replace(item, workers=workers, answers=answers)


@given(jobs())
def test_of_one_image_alone_two_passes_are_the_majority(objects):
    majority = context("plain")
    majority = replace(majority, settings=Settings(consolidation_algorithm="majority"))
    for item in objects:
        found, plain = in_two_passes([item]), consolidated([item], majority)
        assert found == plain
