"""Known objects that tell how frequent classes are: when they are advised, and what they gain."""

import json
import re
import shlex

import numpy as np
import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from labeljob.commands.gold import gold_draw
from labeljob.commands.plan import plan
from labeljob.commands.replay import replay
from labeljob.commands.report import report
from labeljob.rounds.class_frequencies import advise_gold
from labeljob.tasks.registry import JOB_TYPES, find_job_type
from tests.runner.command_line import lines_of, run
from tests.runner.history import job_folders as on_disk

SINGLE = find_job_type("image-multi-class")


def json_lines(path, records):
    return on_disk.write(path, "".join(f"{json.dumps(record)}\n" for record in records))


def make_skewed_job(folder, n_objects=400):
    """Cats are rare, and every second dog looks like one to everybody; the folder and the truth."""
    rng = np.random.default_rng(3)
    votes, truths = {}, []
    for at in range(n_objects):
        truth = "cat" if rng.random() < 0.1 else "dog"
        share = 0.6 if truth == "dog" and rng.random() < 0.4 else 0.9
        other = "dog" if truth == "cat" else "cat"
        crew = rng.choice(12, 3, replace=False).tolist()
        votes[str(at)] = {f"w{who}": truth if rng.random() < share else other for who in crew}
        truths.append(truth)
    return on_disk.make_job(folder, votes, truths), truths


@pytest.fixture(scope="module")
def skewed(tmp_path_factory):
    folder, truths = make_skewed_job(tmp_path_factory.mktemp("bucket") / "zoo")
    records = [
        {"source-ref": f"s3://images/{at}.jpg", "label": truth} for at, truth in enumerate(truths)
    ]
    return folder, json_lines(folder.parent / "truth.jsonl", records), truths


def fill_in(file, truths):
    """Write the truths where null stands."""
    entries = [json.loads(line) for line in lines_of(file.read_text())]
    for entry in entries:
        assert entry["label"] is None
        entry["label"] = truths[int(entry["source-ref"].rpartition("/")[2].partition(".")[0])]
    json_lines(file, entries)


def run_words(command):
    """Run a whole command as a person types it."""
    name, *words = shlex.split(command)
    assert name == "labeljob"
    return CliRunner().invoke(app, words)


def test_objects_are_drawn_at_random_and_filled_in_they_make_better_labels(skewed, tmp_path):
    folder, truth, truths = skewed
    file = tmp_path / "known.jsonl"
    drawn = run(gold_draw, folder, "-o", file)
    assert drawn.exit_code == 0, drawn.output
    assert "50 of 400 drawn" in drawn.output
    fill_in(file, truths)
    (command,) = [
        line.partition("then: ")[2] for line in drawn.output.splitlines() if "then: " in line
    ]
    scores = [
        json.loads(run_words(f"{words} --truth {truth} --json -o {tmp_path / name}").stdout)
        for name, words in (
            ("plain", f"labeljob replay {folder} --algorithm calibrated"),
            ("gold", command),
        )
    ]
    plain, with_gold = (score["against-truth"]["after"]["accuracy"] for score in scores)
    assert with_gold > plain + 0.01


def test_the_seed_decides_and_all_objects_may_be_drawn(skewed, tmp_path):
    texts = []
    for at, seed in enumerate((1, 1, 2)):
        file = tmp_path / f"{at}.jsonl"
        run(gold_draw, skewed[0], "--count", "9", "--seed", seed, "-o", file)
        texts.append(file.read_text())
    assert texts[0] == texts[1] != texts[2]
    run(gold_draw, skewed[0], "--count", "400", "-o", tmp_path / "all.jsonl")
    sources = [
        json.loads(line)["source-ref"] for line in lines_of((tmp_path / "all.jsonl").read_text())
    ]
    assert sorted(sources) == sorted(f"s3://images/{at}.jpg" for at in range(400))


def test_objects_are_drawn_from_a_manifest_once_each(tmp_path):
    lines = [{"source-ref": f"s3://images/{at % 3}.jpg"} for at in range(6)]
    manifest = json_lines(tmp_path / "input.manifest", lines)
    file = tmp_path / "known.jsonl"
    run(gold_draw, manifest, "--count", "3", "-o", file)
    drawn = [json.loads(line) for line in lines_of(file.read_text())]
    assert drawn == [{"source-ref": f"s3://images/{at}.jpg", "label": None} for at in range(3)]
    outcome = run(gold_draw, manifest, "--count", "4", "-o", tmp_path / "more.jsonl")
    assert outcome.exit_code == 1
    assert "--count 4 is more than there are: 3 data objects" in outcome.output


def test_a_file_that_is_there_is_not_written_over(skewed, tmp_path):
    file = on_disk.write(tmp_path / "known.jsonl", "filled in")
    outcome = run(gold_draw, skewed[0], "-o", file)
    assert outcome.exit_code == 1
    assert "is there already" in outcome.output
    assert file.read_text() == "filled in"


def test_a_file_that_is_not_filled_in_is_named_with_its_line(skewed, tmp_path):
    file = tmp_path / "known.jsonl"
    run(gold_draw, skewed[0], "--count", "2", "-o", file)
    outcome = run(replay, skewed[0], "--gold", file, "-o", tmp_path / "out")
    assert outcome.exit_code == 1
    assert "known.jsonl, line 1: needs" in outcome.output


def test_the_report_and_the_plan_propose_commands_that_work(skewed, tmp_path, monkeypatch):
    folder, _, truths = skewed
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "report.html"
    figures = json.loads(run(report, folder, "-o", page, "--json").stdout)
    assert figures["gold"] == {
        "objects": 40,
        "rare-class": "cat",
        "share": pytest.approx(0.28, abs=0.05),
    }
    text = re.sub("</?span>", "", page.read_text())
    commands = re.findall("<code[^>]*>(.*?)</code>", text)
    draw = f"labeljob gold draw {folder} --count 40 --output zoo.gold.jsonl"
    learn = f"labeljob replay {folder} --algorithm calibrated --gold zoo.gold.jsonl"
    assert {draw, learn, f"labeljob plan {folder}"} <= set(commands)
    assert draw in " ".join(run(plan, folder).output.split())
    assert run_words(draw).exit_code == 0
    fill_in(tmp_path / "zoo.gold.jsonl", truths)
    assert run_words(f"{learn} --output {tmp_path / 'out'}").exit_code == 0


def test_the_plan_says_what_known_objects_gain(skewed):
    folder, truth, _ = skewed
    options = ("--replays", "1", "--json")
    guessed = json.loads(run(plan, folder, *options).stdout)["gold"]
    assert guessed["objects"] == 40
    assert guessed["open-share"] > 0
    assert guessed["accuracy-after"] is None
    told = json.loads(run(plan, folder, "--truth", truth, *options).stdout)["gold"]
    assert told["accuracy-after"] > told["accuracy-before"] + 0.01
    low, high = told["gain-interval"]
    assert low <= told["accuracy-after"] - told["accuracy-before"] <= high
    assert "40 known objects, drawn at random: accuracy of the others" in " ".join(
        run(plan, folder, "--truth", truth, "--replays", "1").output.split()
    )


@pytest.mark.parametrize(
    ("chosen", "objects", "known", "advised"),
    [
        pytest.param({"a": 10, "b": 90}, 1000, 0, 50, id="rare"),
        pytest.param({"a": 90, "b": 10}, 200, 29, 30, id="too-few-known"),
        pytest.param({"a": 90, "b": 10}, 200, 30, None, id="enough-known"),
        pytest.param({"a": 40, "b": 60}, 1000, 0, None, id="even"),
        pytest.param({"a": 0, "b": 60}, 1000, 0, 50, id="never-chosen"),
        pytest.param({"a": 0, "b": 0}, 1000, 0, None, id="no-votes"),
        pytest.param({"a": 10, "b": 90}, 99, 0, None, id="small-job"),
        pytest.param({"a": 10, "b": 90, "c": 50}, 1000, 0, None, id="three-classes"),
    ],
)
def test_known_objects_are_advised_where_one_of_two_classes_is_rare(
    chosen, objects, known, advised
):
    advice = advise_gold(SINGLE, chosen, objects=objects, known=known)
    assert (advice and advice.objects) == advised


@pytest.mark.parametrize("task", [task for task in JOB_TYPES.values() if task is not SINGLE])
def test_other_job_types_need_none(task):
    assert advise_gold(task, {"a": 10, "b": 90}, objects=1000, known=0) is None
    assert task.estimate_gold_gain([], [], 2, [], np.random.default_rng(0)) is None
