import io

import numpy as np
import pytest
from PIL import Image

from groundtruth.aggregation.segmentation.one_coin_em import fuse_by_one_coin
from groundtruth.masks.runs import RunMask
from groundtruth.settings import Settings
from groundtruth.tasks.segmentation.algorithms import count_updates, fuse_masks, known_weights
from groundtruth.tasks.segmentation.task import SemanticSegmentation
from groundtruth.worker_history.counts import MemorySkills
from tests.batches import MASKS, RecordingSkills
from tests.examples import consolidate, labels_of, payload_of
from tests.masks import answer, consolidated, drawn, indices
from tests.memory_store import MemoryStore

SETTINGS = Settings()


def masks_of(**rows):
    return {
        worker: RunMask.from_array(np.array([[int(digit) for digit in row]]))
        for worker, row in rows.items()
    }


def history(n, mean, spread=0.1):
    return {"n": float(n), "sum": n * mean, "squares": n * (mean**2 + spread**2)}


def test_without_history_all_weigh_the_same():
    assert known_weights({"ann": {}, "ben": {}}) == {"ann": 1.0, "ben": 1.0}
    assert known_weights({}) == {}


def test_a_careless_worker_weighs_less_and_a_new_one_as_all():
    known = {"ann": history(20, 0.8), "ben": history(20, 0.8), "xan": history(20, 0.2), "new": {}}
    weights = known_weights(known)
    assert weights["xan"] < 0.5 < weights["new"] == 1.0 == weights["ann"] == weights["ben"]


def test_two_careless_workers_are_outvoted_only_with_history():
    masks = masks_of(ann="1100", xan="2200", yul="2200")
    known = {"ann": history(30, 0.9), "xan": history(30, 0.2), "yul": history(30, 0.2)}
    for weights, winner in (({}, [2, 2, 0, 0]), (known_weights(known), [1, 1, 0, 0])):
        made = fuse_masks(masks, 3, algorithm="weighted", weights=weights, settings=SETTINGS)
        assert made.fusion.mask.to_array().tolist() == [winner]
    made = fuse_masks(
        masks, 3, algorithm="majority", weights=known_weights(known), settings=SETTINGS
    )
    assert (made.fusion.mask.to_array().tolist(), made.weights) == ([[2, 2, 0, 0]], None)


def test_what_an_image_teaches_by_hand():
    # Disputed are the last three pixels. The others of ann vote 1 (ben) and 2 (cem), a tie that
    # she is half of, then 0 twice, then 2 and 1; and so on.
    masks = masks_of(ann="1112", ben="1102", cem="1201")
    lessons = count_updates(masks, 3, None)
    expected = {"ann": (0.5 + 0 + 0.5) / 3, "ben": (0.5 + 0.5 + 0.5) / 3, "cem": (0 + 0.5 + 0) / 3}
    assert {worker: cells["sum"] for worker, cells in lessons.items()} == pytest.approx(expected)
    for cells in lessons.values():
        assert cells["n"] == 1.0
        assert cells["squares"] == cells["sum"] ** 2


@pytest.mark.parametrize(
    "masks",
    [
        pytest.param(masks_of(ann="1100", ben="2200"), id="two-workers"),
        pytest.param(masks_of(ann="1100"), id="one-worker"),
        pytest.param(masks_of(ann="1100", ben="1100", cem="1100"), id="nothing-disputed"),
    ],
)
def test_an_image_that_tells_nobody_apart_teaches_nothing(masks):
    assert count_updates(masks, 3, None) == {}


@pytest.mark.parametrize("algorithm", SemanticSegmentation.algorithms)
def test_the_order_of_workers_changes_nothing(algorithm):
    draw = np.random.default_rng(4)
    grids = [answer(drawn("".join(draw.choice(list(".wbq"), 24)))) for _ in range(5)]
    entry = {
        "datasetObjectId": "0",
        "annotations": [
            {"workerId": f"w{at}", "annotationData": {"content": content}}
            for at, content in enumerate(grids)
        ],
    }
    seen = []
    for turn in range(5):
        annotations = entry["annotations"][turn:] + entry["annotations"][:turn]
        store, skills = MemoryStore(), RecordingSkills()
        made = consolidate(
            MASKS,
            [entry | {"annotations": annotations}],
            store=store,
            skills=skills,
            consolidation_algorithm=algorithm,
        )
        masks = [written.body for written in store.written.values()]
        seen.append((labels_of(made, "surface"), masks, skills.taught))
    assert all(one == seen[0] for one in seen)
    assert bool(seen[0][2]) is (algorithm == "weighted")


def test_history_of_earlier_batches_changes_the_winner():
    good, bad = answer(drawn("wwwwbbqq")), answer(drawn("qqbbwwww"))
    other_bad = answer(drawn("bbqqqqbb"))
    skills = MemorySkills()
    for minute in range(12):
        crew = [good, good, good, bad, other_bad]
        consolidate_masks({f"{minute}": crew}, skills=skills, minute=minute)
    mask, label = consolidate_masks({"last": [good, "{", "{", bad, bad]}, skills=skills, minute=40)
    assert mask == [[1, 1, 1, 1, 2, 2, 3, 3]]
    plain, _ = consolidate_masks({"last": [good, "{", "{", bad, bad]}, skills=None, minute=40)
    assert plain != mask
    assert label["answers"]["used"] == 3


def consolidate_masks(objects, *, skills, minute):
    """Mask and label of the only object; the workers are w1, w2, …"""
    store = MemoryStore()
    event = {"payload": {"s3Uri": f"s3://bucket/requests/2026-05-04_09:{minute:02}:00.json"}}
    made = consolidate(
        MASKS,
        payload_of(objects),
        store=store,
        skills=skills,
        event=event,
        consolidation_algorithm="",
    )
    (label,) = labels_of(made, "surface").values()
    (written,) = store.written.values()
    return indices(written.body), label


@pytest.mark.parametrize("algorithm", SemanticSegmentation.algorithms)
def test_the_rounds_of_em_are_told_with_the_algorithm(algorithm):
    answers = [answer(drawn(grid)) for grid in ("wwbbqqqq", "wwwbqqqq", "wbbbqwqq")]
    label, _ = consolidated(answers, consolidation_algorithm=algorithm)
    told = label["algorithm"]
    assert told["name"] == algorithm
    if algorithm == "one-coin-em":
        masks = masks_of(ann="11223333", ben="11123333", cem="12223133")
        _, model = fuse_by_one_coin(list(masks.values()), 4)
        assert (told["iterations"], told["converged"]) == (model.iterations, model.converged)
        assert told["iterations"] > 1
        assert told["converged"] is True
    else:
        assert set(told) == {"name", "settings"}


def test_the_builtin_style_does_not_tell_of_em():
    answers = [answer(drawn(grid)) for grid in ("wwbbqqqq", "wwwbqqqq")]
    payload = payload_of({"0": answers})
    made = {
        algorithm: consolidate(
            MASKS, payload, consolidation_algorithm=algorithm, output_style="builtin"
        ).response
        for algorithm in ("one-coin-em", "majority")
    }
    assert "iterations" not in str(made["one-coin-em"])
    assert str(made["one-coin-em"]).count("'") == str(made["majority"]).count("'")


SPECK = "wwwwwwww wwwwwwww wwbwwwww wwwwwwww wwwwwwww"


def test_specks_are_cleaned_up_only_when_asked():
    answers = [answer(drawn(SPECK))] * 2
    _, plain = consolidated(answers)
    _, cleaned = consolidated(answers, clean_up_pixels=2)
    assert plain[2][2] == 2
    assert {pixel for row in cleaned for pixel in row} == {1}


def test_confidences_are_those_of_the_mask_after_clean_up():
    # Both workers drew the speck; the mask without it has one pixel of 40 that nobody voted for.
    label, _ = consolidated([answer(drawn(SPECK))] * 2, clean_up_pixels=2)
    found = {
        entry["class-name"]: entry["confidence"] for entry in label["internal-color-map"].values()
    }
    assert label["confidence"] == pytest.approx(39 / 40, abs=1e-4)
    assert found["water"] == pytest.approx(39 / 40, abs=1e-4)


def test_a_tie_may_go_to_the_class_of_its_neighbours():
    answers = [answer(drawn(grid)) for grid in ("bbbbbbbb bbbbwbbb bbbbbbbb", "bbbbbbbb " * 3)]
    _, first = consolidated(answers)
    label, neighbours = consolidated(answers, tie_break="neighbours")
    assert (first[1][4], neighbours[1][4]) == (1, 2)
    assert label["tied-share"] == pytest.approx(1 / 24, abs=1e-4)


def test_smoothing_changes_disputed_pixels_alone():
    grids = ("bbbbbbbb bbbbwbbb bbbbbbbb", "bbbbbbbb bbbbwbbb bbbbbbbb", "bbbbbbbb " * 3)
    answers = [answer(drawn(grid)) for grid in grids]
    _, plain = consolidated(answers)
    _, smooth = consolidated(answers, smoothing_sigma=1.0)
    assert (plain[1][4], smooth[1][4]) == (1, 2)
    _, agreed = consolidated([answers[0]] * 3, smoothing_sigma=3.0)
    assert agreed == plain


def test_the_map_of_disagreement_is_black_where_all_agree():
    store = MemoryStore()
    answers = [answer(drawn(grid)) for grid in ("wwbb", "wwwb")]
    made = consolidate(MASKS, payload_of({"0": answers}), store=store, disagreement_map=True)
    label = labels_of(made, "surface")["0"]
    with Image.open(io.BytesIO(store.written[label["disagreement-ref"]].body)) as image:
        assert np.asarray(image.convert("L")).tolist() == [[0, 0, 255, 0]]
    assert label["disagreement-ref"].endswith(".disagreement.png")
