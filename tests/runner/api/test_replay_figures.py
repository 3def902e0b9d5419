"""Labels and confidences are those of `labeljob replay` and of the Lambdas, to the last bit."""

import json
import random
from datetime import UTC, datetime

import pandas as pd
import pytest

from groundtruth.annotations import Answers
from groundtruth.auxiliary_inputs import NO_LABELS
from groundtruth.settings import Settings
from groundtruth.tasks.base import ConsolidationContext
from groundtruth.tasks.classification import algorithms as single
from groundtruth.tasks.multilabel import algorithms as several
from labeljob import (
    EBCC,
    AwsBuiltin,
    CalibratedDawidSkene,
    DawidSkene,
    MajorityVote,
    MultiLabelAwsBuiltin,
    MultiLabelCalibrated,
    MultiLabelMajorityVote,
    WeightedVote,
    read_job,
)
from labeljob.commands.replay import replay
from tests.memory_store import MemoryStore
from tests.runner.api.answer_frames import COLUMNS, make_crowd
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

CLASSES = on_disk.CLASSES
N_TASKS = 40
OF_ONE = {
    "majority": MajorityVote,
    "builtin": AwsBuiltin,
    "calibrated": CalibratedDawidSkene,
    "weighted": WeightedVote,
    "ebcc": EBCC,
    "dawid-skene": DawidSkene,
}
OF_SEVERAL = {
    "majority": MultiLabelMajorityVote,
    "builtin": MultiLabelAwsBuiltin,
    "calibrated": MultiLabelCalibrated,
}


@pytest.fixture(scope="module")
def crowd():
    """The labels of workers by task, and the truth."""
    frame, truth = make_crowd(N_TASKS, CLASSES)
    said = {task: {} for task in truth}
    for task, worker, label in frame.itertuples(index=False):
        said[task][worker] = label
    return said, truth


@pytest.fixture(scope="module")
def crowd_of_sets(crowd):
    """The same with a second label now and then, before or after the first."""
    draw = random.Random(7)

    def add(label):
        return [*draw.sample(CLASSES, 1), label] if draw.random() < 0.4 else [label]

    return {
        task: {worker: list(dict.fromkeys(add(label))) for worker, label in own.items()}
        for task, own in crowd[0].items()
    }


@pytest.fixture(scope="module")
def jobs(tmp_path_factory, crowd, crowd_of_sets):
    """Folders of a job of one label and one of several, and of gold labels."""
    folder = tmp_path_factory.mktemp("bucket")
    gold = [{"object-id": task, "label": crowd[1][task]} for task in list(crowd[1])[:10]]
    on_disk.write(folder / "gold.jsonl", "".join(f"{json.dumps(row)}\n" for row in gold))
    on_disk.make_job(folder / "one", crowd[0], ["cat"] * N_TASKS)
    labels = [next(iter(own.values())) for own in crowd_of_sets.values()]
    on_disk.make_multi_label_job(folder / "several", crowd_of_sets, labels)
    return folder


def replay_job(folder, algorithm, *options):
    """The label object of each data object in the manifest that the command writes."""
    outcome = run(replay, folder, "--labels", ",".join(CLASSES), "--algorithm", algorithm, *options)
    assert outcome.exit_code == 0, outcome.output
    text = (folder / "replays" / algorithm / "object.manifest").read_text()
    return {
        str(number): json.loads(line)["animal"] for number, line in enumerate(text.splitlines())
    }


def shown(probas, task, names):
    """Probabilities of some classes as a manifest has them."""
    return {name: round(probas.loc[task, name], 6) for name in names}


@pytest.mark.parametrize("algorithm", OF_ONE)
def test_one_label_as_the_command_has_it(jobs, algorithm):
    told = replay_job(jobs / "one", algorithm)
    model = OF_ONE[algorithm]().fit(read_job(jobs / "one", labels=CLASSES).answers)
    assert len(told) == len(model.labels_) == N_TASKS
    for task, label in told.items():
        assert model.labels_[task] == label["class-name"]
        assert round(model.confidences_[task], 6) == label["confidence"]
        assert shown(model.probas_, task, label["posterior"]) == label["posterior"]


@pytest.mark.parametrize("algorithm", ["calibrated", "weighted", "ebcc", "dawid-skene"])
def test_known_labels_judge_workers_as_the_command_has_it(jobs, crowd, algorithm):
    told = replay_job(jobs / "one", algorithm, "--gold", jobs / "gold.jsonl")
    answers = read_job(jobs / "one", labels=CLASSES).answers
    known = {task: crowd[1][task] for task in list(crowd[1])[:10]}
    model = OF_ONE[algorithm]().fit(answers, known)
    for task in told.keys() - known.keys():
        assert model.labels_[task] == told[task]["class-name"]
        assert shown(model.probas_, task, told[task]["posterior"]) == told[task]["posterior"]


@pytest.mark.parametrize("algorithm", OF_SEVERAL)
def test_several_labels_as_the_command_has_them(jobs, algorithm):
    told = replay_job(jobs / "several", algorithm)
    model = OF_SEVERAL[algorithm](classes=CLASSES)
    model.fit(read_job(jobs / "several", labels=CLASSES).answers)
    for task, label in told.items():
        assert model.labels_[task] == list(label["class-map"].values())
        assert shown(model.probas_, task, label["posterior"]) == label["posterior"]
        assert round(model.confidences_[task], 6) == min(label["confidence-map"].values())


def make_context():
    return ConsolidationContext(
        classes=CLASSES,
        classes_known=True,
        settings=Settings(),
        job_name="labeling-job/zoo",
        made_at=datetime(2026, 3, 2, tzinfo=UTC),
        masks_uri="",
        store=MemoryStore(),
        kms_key=None,
        gold=NO_LABELS,
        model=NO_LABELS,
    )


def make_answers(said, encode):
    return [
        Answers(task, tuple(own), tuple(encode(label) for label in own.values()), ())
        for task, own in said.items()
    ]


def make_frame(said):
    rows = [(task, worker, label) for task, own in said.items() for worker, label in own.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize("algorithm", OF_ONE)
def test_one_label_as_the_lambda_has_it_to_the_last_bit(crowd, algorithm):
    answers = make_answers(crowd[0], CLASSES.index)
    model = OF_ONE[algorithm](classes=CLASSES).fit(make_frame(crowd[0]))
    for item, told in zip(answers, single.predict(answers, make_context(), algorithm), strict=True):
        assert model.labels_[item.object_id] == CLASSES[told.class_id]
        assert model.confidences_[item.object_id] == told.confidence
        shares = model.probas_.loc[item.object_id].to_list()
        assert {index: shares[index] for index in told.posterior} == told.posterior


@pytest.mark.parametrize("algorithm", OF_SEVERAL)
def test_several_labels_as_the_lambda_has_them_to_the_last_bit(crowd_of_sets, algorithm):
    answers = make_answers(crowd_of_sets, lambda labels: tuple(map(CLASSES.index, labels)))
    model = OF_SEVERAL[algorithm](classes=CLASSES).fit(make_frame(crowd_of_sets))
    for item, told in zip(
        answers, several.predict(answers, make_context(), algorithm), strict=True
    ):
        assert model.labels_[item.object_id] == [CLASSES[index] for index in told.chosen]
        shares = model.probas_.loc[item.object_id].to_list()
        assert {index: shares[index] for index in told.posterior} == told.posterior
