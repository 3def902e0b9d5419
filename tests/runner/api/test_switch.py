"""A program for crowd-kit runs with another import, and says what the command says."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from labeljob.api.jobs import read_job
from labeljob.commands.replay import replay
from tests.masks import answer, encoded
from tests.real_data import real_data
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

COLOR = {"nodule": "#d62728"}
PROGRAM = """
import pandas as pd
from crowdkit.aggregation import {method}

answers = pd.read_csv(file, dtype=str).rename(columns={{"item": "task"}})
model = {method}().fit(answers)
labels, probabilities, skills = model.labels_, model.probas_, model.skills_
"""


@pytest.mark.parametrize(
    ("dataset", "method", "algorithm"),
    [
        ("labelme", "MajorityVote", "majority"),
        ("dog", "DawidSkene", "dawid-skene"),
        ("face", "DawidSkene", "dawid-skene"),
    ],
)
def test_by_one_import_on_public_answers(tmp_path, dataset, method, algorithm):
    file = real_data("classification", dataset, "answers.csv.gz")
    program = PROGRAM.format(method=method).replace("crowdkit.aggregation", "labeljob")
    found = {"file": file}
    exec(program, found)
    assert found["labels"].index.name == "task"
    table = tmp_path / "b" / f"{dataset}.parquet"
    table.parent.mkdir()
    found["answers"].to_parquet(table)
    outcome = run(replay, table, "--algorithm", algorithm, "-o", tmp_path / "out")
    assert outcome.exit_code == 0, outcome.output
    lines = (tmp_path / "out" / "object.manifest").read_text().splitlines()
    told = [json.loads(line)["label"] for line in lines]
    tasks = read_job(table).labels["task"]
    assert len(tasks) == len(told) == len(found["labels"])
    for task, label in zip(tasks, told, strict=True):
        name = found["labels"][task]
        assert label["class-name"] == name
        assert label["confidence"] == round(found["probabilities"].loc[task, name], 6)


PROGRAM_OF_MASKS = """
from crowdkit.aggregation import SegmentationMajorityVote

masks = SegmentationMajorityVote().fit_predict(answers)
"""


def paint(mask):
    pixels = np.zeros((*mask.shape, 4), np.uint8)
    pixels[mask] = (*bytes.fromhex(COLOR["nodule"][1:]), 255)
    return answer(encoded(Image.fromarray(pixels)), colors=COLOR)


def test_by_one_import_on_public_masks(tmp_path):
    folder = tmp_path / "bucket" / "nodules"
    rows = []
    for name in [f"n{number:04}" for number in range(20)]:
        with Image.open(real_data("segmentation", "lidc", "masks", f"{name}.png")) as image:
            planes = np.asarray(image)
        masks = {f"reader-{bit}": planes >> bit & 1 == 1 for bit in range(4)}
        rows += [(name, reader, mask) for reader, mask in masks.items()]
        answers = {reader: paint(mask) for reader, mask in masks.items()}
        on_disk.write(on_disk.response_path(folder, name), on_disk.response(answers))
    out = tmp_path / "out"
    outcome = run(replay, folder, "--labels", "nodule", "-o", out)
    assert outcome.exit_code == 0, outcome.output
    lines = [json.loads(line) for line in (out / "object.manifest").read_text().splitlines()]
    switched = "labeljob import SegmentationFusion as SegmentationMajorityVote"
    program = PROGRAM_OF_MASKS.replace(
        "crowdkit.aggregation import SegmentationMajorityVote", switched
    )
    found = {"answers": pd.DataFrame(rows, columns=["task", "worker", "segmentation"])}
    exec(program, found)
    assert len(lines) == len(found["masks"]) == 20
    for mask, line in zip(found["masks"], lines, strict=True):
        with Image.open(out / line["label"]["mask-ref"]) as image:
            np.testing.assert_array_equal(mask, np.asarray(image) == 1)
