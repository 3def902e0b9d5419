"""Masks shard by shard are those of the whole job at once."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from groundtruth.annotations import AnswerReader, merge_entries
from groundtruth.compat import batched
from groundtruth.contract.acs import parse_payload
from groundtruth.errors import StorageError
from groundtruth.settings import Settings
from groundtruth.sharding.arrays import unpack
from groundtruth.sharding.plan import Plan, Shard, digest_of
from groundtruth.sharding.steps import STATE_END, ShardsFailedError, begin, finish_step, run_step
from groundtruth.tasks.base import ConsolidationContext, format_label
from groundtruth.tasks.registry import plan_steps
from groundtruth.tasks.segmentation.steps import LABELS
from groundtruth.tasks.segmentation.task import SemanticSegmentation
from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.store import BatchSkills, SkillKey
from tests.masks import answer, drawn, indices
from tests.memory_store import MemoryStore

pytestmark = pytest.mark.fast

TASK = SemanticSegmentation()
CLASSES = ("water", "boat", "quay")
MADE_AT = datetime(2026, 3, 2, 10, 15, 28, tzinfo=UTC)
EASY, HARD = 12, 3
FOLDER, ELSEWHERE, WORK = "s3://results/masks", "s3://answers", "s3://work/replay"
STYLES = {"object-style": "object", "builtin": "builtin"}


def make_objects():
    """Images by careful workers and two who flood all; and what spoils answers."""
    random = np.random.default_rng(5)
    objects = []
    for index in range(EASY + HARD):
        truth = random.choice(list(".wb"), 24)
        answers = {}
        careful = ("ann", "ben", "cem") if index < EASY else (("ann", "ben", "cem")[index % 3],)
        for worker in careful:
            slip = truth.copy()
            slip[random.integers(24)] = random.choice(list(".wb"))
            answers[worker] = answer(drawn("".join(slip)))
        answers |= {worker: answer(drawn("q" * 24)) for worker in ("xan", "yul")}
        objects.append(
            {
                "datasetObjectId": str(index),
                "dataObject": {"s3Uri": f"s3://images/{index}.jpg"},
                "annotations": [
                    {"workerId": worker, "annotationData": {"content": json.dumps(content)}}
                    for worker, content in answers.items()
                ],
            }
        )
    objects[2]["annotations"][0]["annotationData"] = {"s3Uri": f"{ELSEWHERE}/2.json"}
    objects[3]["annotations"][0]["annotationData"] = {"s3Uri": f"{ELSEWHERE}/lost.json"}
    objects[4]["annotations"] = [{"workerId": "ann", "annotationData": {"content": "{}"}}]
    objects[5]["annotations"] = []
    objects[6]["annotations"] += objects[6]["annotations"][:1]
    return objects


def make_store():
    content = json.dumps(answer(drawn("w" * 24)))
    return MemoryStore({f"{ELSEWHERE}/2.json": content.encode()})


def consolidate_at_once(objects, settings, store):
    """Every label in both styles, of two passes over the whole job."""
    skills = BatchSkills(
        store=MemorySkills(),
        key=SkillKey(TASK.schema_name, CLASSES, settings.skill_half_life_days),
        batch_id="batch",
        job="labeling-job/harbour",
        made_at=MADE_AT,
    )
    skills.holds_batch = True
    context = ConsolidationContext(
        classes=CLASSES,
        classes_known=True,
        settings=settings,
        job_name="labeling-job/harbour",
        made_at=MADE_AT,
        masks_uri=FOLDER,
        store=store,
        kms_key=None,
        skills=skills,
    )

    def read():
        entries = merge_entries(parse_payload(objects))
        return AnswerReader(store).read(entries, lambda it: TASK.decode(it, CLASSES, settings))

    workers = TASK.judge_workers(read(), context)
    if workers is None:
        context = replace(context, skills=BatchSkills.none())
    else:
        context = replace(context, workers=tuple(sorted(workers)))
    for item, label in zip(objects, TASK.consolidate(read(), context), strict=True):
        contents = {
            key: format_label(
                label,
                "surface",
                TASK,
                replace(context, settings=replace(settings, output_style=style)),
            )
            for key, style in STYLES.items()
        }
        yield {"object": item["datasetObjectId"], **contents}


def consolidate_by_shards(objects, settings, store, size):
    shards = []
    for number, group in enumerate(batched(objects, size)):
        body = json.dumps(group).encode()
        name = f"{number:05}-{digest_of(body)}"
        store.objects[f"{WORK}/{name}.json"] = body
        shards.append(
            Shard(name=name, uri=f"{WORK}/{name}.json", n_objects=len(group), n_answers=0)
        )
    plan = Plan(
        task=TASK.name,
        settings=settings,
        classes=CLASSES,
        n_workers=5,
        job_name="labeling-job/harbour",
        made_at=MADE_AT.isoformat(),
        masks_uri=f"{WORK}/masks",
        options={
            "workers": ["ann", "ben", "cem", "xan", "yul"],
            "attribute": "surface",
            "shown": FOLDER,
        },
        shards=tuple(shards),
    )
    move = begin(plan, f"{WORK}/run", store, plan_steps)
    while not move["done"]:
        folder = f"{WORK}/run/{move['folder']}"
        for item in json.loads(store.objects[f"{folder}/items.json"])[::-1]:
            with suppress(StorageError):
                run_step(item, store, plan_steps)
        move = finish_step(move, store, plan_steps)
    for shard in shards:
        state = unpack(store.objects[f"{folder}/{shard.name}{STATE_END}"])
        yield from map(json.loads, state[LABELS].tobytes().decode().splitlines())


@pytest.mark.parametrize("algorithm", TASK.algorithms)
@pytest.mark.parametrize("size", [1, 4, EASY + HARD])
def test_labels_and_masks_are_those_of_the_whole_job(algorithm, size):
    settings = replace(
        Settings(), consolidation_algorithm=algorithm, disagreement_map=algorithm == "majority"
    )
    objects, whole, sharded = make_objects(), make_store(), make_store()
    expected = list(consolidate_at_once(objects, settings, whole))
    assert list(consolidate_by_shards(objects, settings, sharded, size)) == expected
    place = f"{WORK}/masks"
    masks = {
        uri.replace(place, FOLDER): body
        for uri, body in sharded.objects.items()
        if uri.startswith(f"{place}/")
    }
    assert masks == {uri: written.body for uri, written in whole.written.items()}
    assert len(masks) == (26 if algorithm == "majority" else 13)


def test_what_other_shards_tell_of_careless_workers_changes_a_mask():
    masks = []
    for objects in (make_objects(), make_objects()[-1:]):
        store = make_store()
        list(consolidate_by_shards(objects, Settings(), store, 1))
        (uri,) = (
            uri for uri in store.written if uri.startswith(f"{WORK}/masks/{EASY + HARD - 1}_")
        )
        masks.append(indices(store.written[uri].body))
    assert masks[1] == [[3] * 24], "alone, the two outvote the third"
    assert 3 not in masks[0][0]


def test_an_answer_that_s3_denies_to_who_may_not_list_is_missing():
    settings, objects = Settings(), make_objects()
    expected = list(consolidate_at_once(objects, settings, make_store()))
    denying = make_store()
    denying.faults = {f"{ELSEWHERE}/lost.json": "access-denied"}
    assert list(consolidate_by_shards(objects, settings, denying, 4)) == expected


def test_a_shard_whose_answers_are_all_denied_fails():
    objects = make_objects()[:1]
    for annotation in objects[0]["annotations"]:
        annotation["annotationData"] = {"s3Uri": f"{ELSEWHERE}/denied.json"}
    store = MemoryStore(faults={f"{ELSEWHERE}/denied.json": "access-denied"})
    with pytest.raises(ShardsFailedError, match=r"s3://answers/denied\.json: this answer and all"):
        list(consolidate_by_shards(objects, Settings(), store, 1))
