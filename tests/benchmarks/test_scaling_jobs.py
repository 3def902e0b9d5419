"""The jobs that are made for measuring are jobs as the service leaves them."""

import json
from collections import Counter

import pyarrow.parquet as pq
import pytest

from benchmarks.scaling.jobs import MANIFEST, REQUESTS, JobSize, write_job, write_parquet

pytestmark = pytest.mark.slow

SIZES = [
    pytest.param(JobSize(answers=1_000, classes=7, workers=9), id="classes"),
    pytest.param(JobSize(answers=1_000, classes=4, several=True), id="labels"),
]


def answers_of(folder, several):
    for path in sorted((folder / REQUESTS).iterdir()):
        for item in json.loads(path.read_text()):
            for annotation in item["annotations"]:
                (value,) = json.loads(annotation["annotationData"]["content"]).values()
                label = value["labels"] if several else value["label"]
                yield item["datasetObjectId"], annotation["workerId"], label


@pytest.mark.parametrize("size", SIZES)
def test_requests_and_table_hold_the_same_answers(size, tmp_path):
    write_job(size, tmp_path / "job")
    write_parquet(size, tmp_path / "answers.parquet")
    table = pq.read_table(tmp_path / "answers.parquet").to_pydict()
    answers = list(answers_of(tmp_path / "job", size.several))
    assert answers == list(zip(table["task"], table["worker"], table["label"], strict=True))
    assert len(answers) == size.answers
    assert len({answer[:2] for answer in answers}) == size.answers, "somebody answered twice"


def test_labels_are_those_of_most_workers(tmp_path):
    size = JobSize(answers=1_000)
    write_job(size, tmp_path)
    votes = {}
    for number, _, label in answers_of(tmp_path, several=False):
        votes.setdefault(number, Counter())[label] += 1
    lines = [json.loads(line) for line in (tmp_path / MANIFEST).read_text().splitlines()]
    assert len(lines) == size.n_objects
    for number, line in enumerate(lines):
        name = line["label-metadata"]["class-name"]
        assert name == size.names[line["label"]]
        assert votes[str(number)][name] == max(votes[str(number)].values())


@pytest.mark.parametrize("size", SIZES)
def test_a_smaller_job_is_the_beginning_of_a_larger_one(size, tmp_path):
    write_job(size, tmp_path / "job")
    larger = {**vars(size), "answers": 2 * size.answers}
    write_job(JobSize(**larger), tmp_path / "larger")
    for path in (tmp_path / "job" / REQUESTS).iterdir():
        assert path.read_bytes() == (tmp_path / "larger" / REQUESTS / path.name).read_bytes()
