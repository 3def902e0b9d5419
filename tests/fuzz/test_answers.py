import json

import pytest

from groundtruth.contract.fields import encodable
from groundtruth.errors import ContractError
from groundtruth.pre_annotation import prepare_task
from tests.examples import ACS_FUNCTIONS, consolidate, example, labels_of, payload_of, rejected
from tests.fuzz.answers import check, fuzz, fuzz_manifest_lines
from tests.masks import answer, drawn
from tests.memory_store import MemoryStore

pytestmark = pytest.mark.slow

CRAB = json.dumps({"crowd-image-classifier": {"label": "Crab"}})


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_hostile_answers_stop_no_batch_and_lose_no_object(function):
    assert fuzz(function, 1500, seed=0) >= 1500


def test_hostile_manifest_lines_are_answered_or_refused_by_name():
    assert fuzz_manifest_lines(500, seed=0) == 500


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_half_of_a_surrogate_pair_leaves_as_the_replacement_character(function):
    payload = [
        {
            "datasetObjectId": "7\ud800",
            "annotations": [
                {"workerId": "ann\udfff", "annotationData": {"content": '{"a":"\\ud83d"}'}}
            ],
        }
    ]
    outcome = consolidate(function, payload)
    check(outcome.response, ["7\ufffd"])
    assert [item.worker_id for item in outcome.labels[0].rejected] == ["ann\ufffd"]


def test_a_whole_surrogate_pair_is_one_letter_and_stays():
    assert encodable({"\U0001f980": ["\U0001f980"]}) == {"\U0001f980": ["\U0001f980"]}


@pytest.mark.parametrize("size", [(10**400, 10**400), (40_000, 40_000), (1, 10**9)])
def test_an_answer_that_claims_a_huge_image_is_set_aside(size):
    good = answer(drawn("ww.. ww.. .... ...."))
    huge = answer(drawn("ww.. ww.. .... ...."), size=size)
    outcome = consolidate("acs_semantic_segmentation", payload_of({"0": [good, huge, good]}))
    assert rejected(labels_of(outcome, "surface")["0"]) == [("w2", "too-large")]


def test_masks_of_objects_with_long_ids_have_names_of_their_own():
    good = answer(drawn("ww.. ww.. .... ...."))
    store = MemoryStore()
    ids = ["\N{CRAB}" * 400 + end for end in "ab"]
    outcome = consolidate(
        "acs_semantic_segmentation", payload_of({key: [good] for key in ids}), store=store
    )
    assert [item["datasetObjectId"] for item in outcome.response] == ids
    masks = [uri.rpartition("/")[2] for uri in store.objects if uri.endswith(".png")]
    assert len(masks) == 2
    assert max(map(len, masks)) < 200


@pytest.mark.parametrize("value", [1e999, -1e999, {"deep": [1.0, float("nan")]}])
def test_a_number_that_json_cannot_write_is_refused_with_its_place(value):
    event = example("pre_image_multi_class", "event")
    event["dataObject"]["weight"] = value
    with pytest.raises(ContractError, match="a number that JSON cannot write") as caught:
        prepare_task(event, jobs=None)
    assert caught.value.path.startswith("dataObject.weight")
