"""A job consolidated shard by shard in memory, step after step."""

import json
import random
from dataclasses import replace

from groundtruth.sharding.arrays import pack, unpack
from groundtruth.sharding.plan import Shard, digest_of
from groundtruth.sharding.steps import STATE_END, begin, finish_step, run_step
from groundtruth.tasks.registry import plan_steps
from tests.memory_store import MemoryStore

WORK = "s3://work/replay"


def consolidate_shards(plan, shards):
    """The arrays that the last step leaves of each shard, and the names of all steps.

    `shards` are those of the files; which one is first in a step is left to chance.
    """
    store = MemoryStore()
    entries = []
    for index, arrays in enumerate(shards):
        body = pack(arrays)
        name = f"{index:05}-{digest_of(body)}"
        uri = f"{WORK}/shards/{name}.safetensors"
        store.objects[uri] = body
        entries.append(
            Shard(
                name=name,
                uri=uri,
                n_objects=int(arrays["n_objects"]),
                n_answers=len(arrays["items"]),
            )
        )
    plan = replace(plan, shards=tuple(entries))
    draw = random.Random(len(entries))
    move, steps = begin(plan, WORK, store, plan_steps), []
    while not move["done"]:
        folder = f"{WORK}/{move['folder']}"
        steps.append(move["step"])
        items = json.loads(store.objects[f"{folder}/items.json"])
        for item in draw.sample(items, len(items)):
            run_step(item, store, plan_steps)
        move = finish_step(move, store, plan_steps)
    states = [unpack(store.objects[f"{folder}/{entry.name}{STATE_END}"]) for entry in entries]
    return states, steps
