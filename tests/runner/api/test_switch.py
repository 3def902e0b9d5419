"""A program for crowd-kit runs with another import, and says what the command says."""

import json

import pytest

from labeljob.api.jobs import read_job
from labeljob.commands.replay import replay
from tests.real_data import real_data
from tests.runner.command_line import run

pytestmark = pytest.mark.slow

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
