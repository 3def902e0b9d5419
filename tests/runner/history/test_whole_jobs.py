"""Whole jobs go shard by shard, and what comes out is what one call with all answers gives."""

import json
import random
from dataclasses import replace

import pyarrow as pa
import pytest
from pyarrow import parquet

from labeljob.actions.reading import read_truth
from labeljob.commands.replay import replay
from labeljob.engines.driver import run_plan
from labeljob.engines.executors import Engine, ThisProcess
from labeljob.history import shards as shards_module
from labeljob.history.auxiliary_inputs import AuxiliaryInputs, add_auxiliary_inputs
from labeljob.history.job import Given, read_job
from labeljob.history.replay import choose_outcome_folder, make_single_call, replay_job
from labeljob.history.whole_job import WholeJob, replay_whole
from labeljob.history.work_folder import choose_work_folder
from labeljob.jobs.job_location import find_job
from labeljob.messages import show_progress
from labeljob.tasks.registry import find_job_type
from tests.real_data import real_data
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

MANIFESTS = ("object.manifest", "builtin.manifest")
ALGORITHMS = ("calibrated", "dawid-skene", "majority")


def replay_in_memory(folder, out, algorithm, paths=None, truth=None, **given):
    """What one call with all answers gives: the path before shards."""
    job = read_job(find_job(str(folder)), Given(**given))
    job, auxiliary = add_auxiliary_inputs(
        job.with_settings(consolidation_algorithm=algorithm), paths or {}
    )
    replay_job(
        job,
        make_single_call(job),
        choose_outcome_folder(job.place, str(out), ""),
        truths=read_truth(job, truth),
        auxiliary=auxiliary,
    )


def replay_by_shards(folder, out, algorithm, *options):
    outcome = run(replay, folder, "--algorithm", algorithm, "-o", out, *options)
    assert outcome.exit_code == 0, outcome.output
    assert not out.with_name(f"{out.name}.work").exists()


def check_same(expected, found):
    for name in MANIFESTS:
        assert (found / name).read_text() == (expected / name).read_text()
    values = [json.loads((folder / "replay.json").read_text()) for folder in (expected, found)]
    for value in values:
        value.pop("manifests")
        round_numbers(value)
    assert values[0] == values[1]


def round_numbers(value):
    """Sums over shards end otherwise in the last digit."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, float):
            value[key] = round(inner, 9)
        elif isinstance(inner, dict | list):
            round_numbers(inner)


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(shards_module, "SMALL", 10)
    monkeypatch.setattr(shards_module, "SMALLEST", 10)


def noisy_job(folder):
    """A job with all that can be odd about answers and lines."""
    rng = random.Random(7)
    lines = []
    for number in range(60):
        truth = rng.choice(on_disk.CLASSES)
        answers = {
            worker: on_disk.chosen(truth if rng.random() < 0.8 else rng.choice(on_disk.CLASSES))
            for worker in rng.sample(["ann", "bob", "cy", "di", "eve"], rng.randint(1, 4))
        }
        line = on_disk.builtin_line(number, rng.choice(on_disk.CLASSES), round(rng.random(), 2))
        if number % 10 == 3:
            answers["ann"] = {"cannot-be-labeled": {"reason": "dark", "comment": "too “dark”"}}
        if number % 10 == 4:
            answers = {"bob": on_disk.chosen("unicorn") if number == 4 else {}}
        if number % 10 == 5:
            answers["eve"] = {**on_disk.chosen(truth), "workerComment": "blurred"}
            line["note"] = "Käfer"
        if number == 15:
            answers["zoë"] = {}
            line["note"] = "half a \ud83d"
        if number == 36:
            line = "{damaged"
        if number % 10 == 7:
            line = {"source-ref": f"s3://images/{number}.jpg"}
        if number % 10 != 8:
            response = on_disk.response(answers)
            if number % 10 == 9:
                response["answers"].append(response["answers"][0])
            on_disk.write(on_disk.response_path(folder, str(number)), response)
        lines.append(line)
    on_disk.write(
        on_disk.response_path(folder, "77"), on_disk.response({"ann": on_disk.chosen("cat")})
    )
    on_disk.write_manifest(folder, lines)
    return folder


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_single_labels(tmp_path, algorithm):
    folder = noisy_job(tmp_path / "bucket/zoo")
    labels = ("--labels", ",".join(on_disk.CLASSES))
    replay_in_memory(folder, tmp_path / "memory", algorithm, classes=on_disk.CLASSES)
    replay_by_shards(folder, tmp_path / "shards", algorithm, *labels)
    check_same(tmp_path / "memory", tmp_path / "shards")


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("algorithm", ["calibrated", "builtin"])
def test_several_labels(tmp_path, algorithm):
    rng = random.Random(3)
    votes = {
        str(at): {
            worker: rng.sample(on_disk.CLASSES, rng.randint(1, 2))
            for worker in rng.sample(["ann", "bob", "cy"], rng.randint(1, 3))
        }
        for at in range(40)
    }
    old = [rng.sample(on_disk.CLASSES, rng.randint(1, 2)) for _ in votes]
    folder = on_disk.make_multi_label_job(tmp_path / "bucket/zoo", votes, old)
    on_disk.write(on_disk.response_path(folder, "9"), on_disk.response({"ann": {}}))
    truth = on_disk.write(
        tmp_path / "truth.csv", "item,label\n" + "".join(f"{at},cat\n" for at in votes)
    )
    replay_in_memory(folder, tmp_path / "memory", algorithm, truth=truth)
    replay_by_shards(folder, tmp_path / "shards", algorithm, "--truth", truth)
    check_same(tmp_path / "memory", tmp_path / "shards")


@pytest.mark.usefixtures("small_shards")
def test_gold_a_model_and_a_confidence_map(tmp_path):
    folder = noisy_job(tmp_path / "bucket/zoo")
    sides = {
        "gold": [{"object-id": str(at), "label": "cat"} for at in range(0, 60, 7)],
        "model-answers": [
            {"source-ref": f"s3://images/{at}.jpg", "label": "dog"} for at in range(0, 60, 2)
        ],
        "confidence-map": [{"kind": "logistic", "offset": 0.3, "slope": 0.7}],
    }
    settings = ("gold_labels_s3_uri", "model_answers_s3_uri", "confidence_map_s3_uri")
    paths, options = {}, []
    for setting, (name, lines) in zip(settings, sides.items(), strict=True):
        text = "\n".join(json.dumps(line) for line in lines)
        paths[setting] = on_disk.write(tmp_path / f"{name}.jsonl", text)
        options += [f"--{name}", paths[setting]]
    replay_in_memory(folder, tmp_path / "memory", "calibrated", paths, classes=on_disk.CLASSES)
    labels = ("--labels", ",".join(on_disk.CLASSES))
    replay_by_shards(folder, tmp_path / "shards", "calibrated", *labels, *options)
    check_same(tmp_path / "memory", tmp_path / "shards")


def test_a_real_job(tmp_path):
    birds = real_data("birds-job")
    replay_in_memory(birds, tmp_path / "memory", "calibrated")
    replay_by_shards(birds, tmp_path / "shards", "calibrated")
    check_same(tmp_path / "memory", tmp_path / "shards")


def test_the_labels_are_a_table_too(zoo, tmp_path):
    replay_by_shards(zoo, tmp_path / "out", "majority")
    table = parquet.read_table(tmp_path / "out/labels.parquet")
    assert table.column_names == ["id", "source", "class", "confidence", "status", "answers-used"]
    assert table["id"].to_pylist() == ["0", "1", "2", "3"]
    assert table["class"].cast(pa.string()).to_pylist() == ["cat", "dog", "eel", "dog"]
    assert table["source"][0].as_py() == "s3://images/0.jpg"


def test_several_jobs_are_consolidated_together(tmp_path):
    """A worker who errs in one job counts less in the other."""
    votes = {str(at): {"ann": "cat", "bob": "cat", "cy": "dog"} for at in range(20)}
    tied = {"0": {"ann": "eel", "cy": "cat"}, "1": {"cy": "dog", "bob": "eel"}}
    first = on_disk.make_job(tmp_path / "bucket/first", votes, ["cat"] * 20)
    second = on_disk.make_job(tmp_path / "bucket/second", tied, ["dog", "eel"])
    labels = ("--labels", ",".join(on_disk.CLASSES))
    outcome = run(replay, first, second, *labels, "-o", tmp_path / "out", "--json")
    assert outcome.exit_code == 0, outcome.output
    assert [len(value["calls"]) for value in json.loads(outcome.stdout)] == [1, 1]
    lines = (tmp_path / "out/second/object.manifest").read_text().splitlines()
    assert [json.loads(line)["animal"]["class-name"] for line in lines] == ["eel", "eel"]


def test_jobs_that_differ_are_refused_with_what_differs(zoo, tmp_path):
    other = on_disk.make_multi_label_job(
        tmp_path / "bucket/goods", {"0": {"ann": ["cat"], "bob": ["cat"]}}, [["cat"]]
    )
    outcome = run(replay, zoo, other)
    assert outcome.exit_code == 1
    assert "job type is image-multi-class-multi-label, not image-multi-class" in outcome.stderr


@pytest.mark.usefixtures("small_shards")
def test_a_shard_that_failed_is_named_and_its_labels_stay(tmp_path):
    folder = noisy_job(tmp_path / "bucket/zoo")
    job = read_job(find_job(str(folder)), Given(classes=on_disk.CLASSES))
    job = job.with_settings(consolidation_algorithm="majority")
    engine = Engine(executor=ThisProcess(), at_once=1)

    def run_all_but_one(plan, work):
        outcome = run_plan(plan, work.uri_of(plan), work.store, engine)
        return replace(outcome, failures={plan.shards[1].name: "its process died"})

    output = choose_outcome_folder(job.place, str(tmp_path / "out"), "")
    (outcome,) = replay_whole(
        [WholeJob(job=job, folder=output, auxiliary=AuxiliaryInputs())],
        choose_work_folder(output),
        engine,
        run_all_but_one,
        n_workers=2,
        show_progress=show_progress,
    )
    (name,) = outcome.failures
    assert name.startswith("00001-")
    assert outcome.as_json()["failed-shards"] == {name: "its process died"}
    assert (tmp_path / "out.work").is_dir()
    old = (folder / "manifests/output/output.manifest").read_text().splitlines()
    new = (tmp_path / "out/builtin.manifest").read_text().splitlines()
    assert len(new) == len(old)
    stay = {index for index, line in enumerate(new) if line == old[index]}
    unanswered = {*range(8, 60, 10), 36}
    failed = sorted(stay - unanswered)
    assert 0 < len(failed) < 10
    assert set(range(failed[0], failed[-1])) <= stay


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_job_in_which_nobody_named_a_class(tmp_path, algorithm):
    folder = tmp_path / "bucket" / "zoo"
    for number in range(3):
        response = on_disk.response({"ann": on_disk.chosen(None), "bob": {}})
        on_disk.write(on_disk.response_path(folder, str(number)), response)
    on_disk.write_manifest(folder, [{"source-ref": f"s3://images/{at}.jpg"} for at in range(3)])
    task = find_job_type("image-multi-class")
    replay_in_memory(folder, tmp_path / "memory", algorithm, task=task)
    replay_by_shards(folder, tmp_path / "shards", algorithm, "--task", task.name)
    check_same(tmp_path / "memory", tmp_path / "shards")
    lines = (tmp_path / "shards" / "object.manifest").read_text().splitlines()
    assert [json.loads(line)["label"]["status"] for line in lines] == ["no-usable-answer"] * 3
