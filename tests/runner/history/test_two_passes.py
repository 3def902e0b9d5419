"""A whole job of masks is read twice: to judge the workers, then to consolidate."""

import json

import numpy as np
import pytest
from PIL import Image

from labeljob.commands.explain import explain
from labeljob.commands.replay import replay
from tests.masks import answer, drawn, indices
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

LABELS = "water,boat,quay"
EASY, HARD = 10, 4
FLOOD = "q" * 24


def make_harbour(folder, *, names=str):
    """Images that three careful workers and two careless ones painted, then some with one careful.

    Where a careful worker is alone with both careless ones, the vote goes to what these painted:
    one class all over.
    """
    random = np.random.default_rng(5)
    truths = []
    for index in range(EASY + HARD):
        truth = random.choice(list(".wb"), 24)
        truths.append("".join(truth))
        careful = ["ann", "ben", "cem"] if index < EASY else [("ann", "ben", "cem")[index % 3]]
        answers = {}
        for worker in careful:
            slip = truth.copy()
            slip[random.integers(24)] = random.choice(list(".wb"))
            answers[worker] = answer(drawn("".join(slip)))
        answers |= {worker: answer(drawn(FLOOD)) for worker in ("xan", "yul")}
        on_disk.write(on_disk.response_path(folder, names(index)), on_disk.response(answers))
    on_disk.write_manifest(
        folder, [{"source-ref": f"s3://images/{index}.jpg"} for index in range(EASY + HARD)]
    )
    return truths


def write_truth(folder, truths):
    """A truth file and its masks."""
    lines = []
    for index, truth in enumerate(truths):
        pixels = np.array([[".wbq".index(letter) for letter in truth]], np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
        lines.append({"source-ref": f"s3://images/{index}.jpg", "mask": f"{index}.png"})
    return on_disk.write(folder / "truth.jsonl", "".join(f"{json.dumps(one)}\n" for one in lines))


@pytest.fixture
def harbour(tmp_path):
    """The job's folder, and a truth file."""
    folder = tmp_path / "bucket" / "harbour"
    truths = make_harbour(folder)
    return folder, write_truth(tmp_path, truths)


def replayed(folder, *arguments):
    """The outcome, and the pixels of each mask."""
    out = folder.parent / f"out{len(list(folder.parent.iterdir()))}"
    outcome = run(replay, folder, "--labels", LABELS, "-o", out, "--json", *arguments)
    assert outcome.exit_code == 0, outcome.output
    lines = [json.loads(line) for line in (out / "object.manifest").read_text().splitlines()]
    masks = [indices((out / line["label"]["mask-ref"]).read_bytes()) for line in lines]
    return json.loads(outcome.stdout), masks


def test_a_whole_job_tells_careless_workers_and_they_weigh_less(harbour):
    folder, truth = harbour
    result, masks = replayed(folder, "--truth", truth)
    plain, flooded = replayed(folder, "--algorithm", "majority", "--truth", truth)
    assert (result["passes"], plain["passes"]) == (2, 1)
    assert flooded[-HARD:] == [[[3] * 24]] * HARD
    assert all(3 not in mask[0] for mask in masks)
    before, after = (one["against-truth"]["after"]["mean-iou"] for one in (plain, result))
    assert after > before + 0.2


def test_call_by_call_masks_are_read_once_and_nobody_is_known(harbour):
    folder, _ = harbour
    result, masks = replayed(folder, "--calls")
    assert result["passes"] == 1
    assert masks[-HARD:] == [[[3] * 24]] * HARD


def test_with_kept_skill_earlier_calls_tell_careless_workers(harbour):
    folder, _ = harbour
    for index in range(EASY + HARD):
        answers = json.loads(on_disk.response_path(folder, str(index)).read_text())["answers"]
        payload = on_disk.request(
            {str(index): {one["workerId"]: one["answerContent"] for one in answers}}
        )
        on_disk.write(on_disk.request_path(folder, f"2026-03-02_10:{index + 10}:00"), payload)
    result, masks = replayed(folder, "--calls", "--keep-skill")
    assert result["calls"] == [1] * (EASY + HARD)
    assert result["passes"] == 1
    assert all(3 not in mask[0] for mask in masks[-HARD:])


def test_the_names_of_files_and_so_their_order_change_no_pixel(harbour, tmp_path):
    folder, _ = harbour
    _, masks = replayed(folder)
    renamed = tmp_path / "other" / "harbour"
    make_harbour(renamed)
    for index in range(EASY + HARD):
        path = on_disk.response_path(renamed, str(index))
        later = f"2026-03-02_11:{59 - index}:00"
        path.rename(path.with_name(f"{later}.json"))
    assert replayed(renamed)[1] == masks


def test_the_summary_says_that_answers_were_read_twice(harbour, tmp_path):
    folder, _ = harbour
    outcome = run(replay, folder, "--labels", LABELS, "-o", tmp_path / "out")
    assert "the answers were read twice" in " ".join(outcome.output.split())
    outcome = run(replay, folder, "--labels", LABELS, "-o", tmp_path / "out", "--calls")
    assert "read twice" not in " ".join(outcome.output.split())


def test_an_explanation_has_the_confidences_of_the_replay(harbour):
    folder, _ = harbour
    out = folder.parent / "out"
    run(replay, folder, "--labels", LABELS, "-o", out)
    line = json.loads((out / "object.manifest").read_text().splitlines()[-1])["label"]
    arguments = ("--labels", LABELS, "--all-at-once", "--json")
    outcome = run(explain, folder, str(EASY + HARD - 1), *arguments)
    assert outcome.exit_code == 0, outcome.output
    explanation = json.loads(outcome.stdout)
    assert explanation["call"]["objects"] == EASY + HARD
    result = explanation["result"]
    assert result["internal-color-map"] == line["internal-color-map"]
    assert "quay" not in {
        entry["class-name"]
        for entry in result["internal-color-map"].values()
        if entry["confidence"] == 1.0
    }


def test_a_job_of_one_label_is_read_once(zoo, tmp_path):
    outcome = run(replay, zoo, "-o", tmp_path / "out", "--json")
    assert json.loads(outcome.stdout)["passes"] == 1
