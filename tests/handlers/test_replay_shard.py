"""The replay's function makes one step on one shard, and adds steps up."""

import json

import pytest

from groundtruth.errors import ContractError
from tests.examples import EVENTS, example

ITEM = example("replay_shard", "event")["item"]


@pytest.fixture
def handler(load_handler, put):
    plan = example("replay_shard", "plan")
    put(f"{ITEM['work']}/plan.json", plan)
    put(ITEM["uri"], (EVENTS / "replay_shard/shard.json").read_bytes())
    put(f"{ITEM['work']}/{ITEM['folder']}/items.json", [ITEM])
    return load_handler("replay_shard")


def test_a_step_of_all_shards_leads_to_the_next(handler):
    assert handler({"item": ITEM}) == example("replay_shard", "response")
    move = {key: ITEM[key] for key in ("work", "folder", "step")}
    following = handler(
        {"move": move | {"number": 0, "failed": 0, "tolerated": 0, "shards": 1, "failures": []}}
    )
    assert (following["step"], following["shards"], following["done"]) == ("conclude", 1, False)
    json.dumps(following)
    handler(
        {
            "item": ITEM
            | {"step": "conclude", "folder": following["folder"], "before": ITEM["folder"]}
        }
    )
    assert handler({"move": following}) == following | {"done": True}


@pytest.mark.parametrize(
    ("event", "path"),
    [
        pytest.param({}, "move", id="nothing"),
        pytest.param({"item": "x"}, "item", id="text"),
        pytest.param({"item": {"work": "s3://b/w"}}, "item.folder", id="part-of-an-item"),
        pytest.param({"move": {"work": "s3://b/w"}}, "move.folder", id="part-of-a-move"),
    ],
)
def test_an_event_that_is_neither_is_refused_by_name(handler, event, path):
    with pytest.raises(ContractError) as caught:
        handler(event)
    assert caught.value.path == path
