"""Known objects: mixed in, scored, learned from and stripped."""

import json

import numpy as np
import pytest
from PIL import Image

from groundtruth.auxiliary_inputs import parse_auxiliary_labels
from labeljob.commands.gold import gold_mix, gold_score, gold_strip
from tests.masks import GRID, GRID_CLASSES, answer, drawn
from tests.runner.command_line import lines_of, run
from tests.runner.history import job_folders as on_disk

KNOWN = [{"source-ref": f"s3://gold/{at}.jpg", "label": "cat", "site": "north"} for at in range(10)]


def json_lines(path, records):
    return on_disk.write(path, "".join(f"{json.dumps(record)}\n" for record in records))


@pytest.fixture
def mixed(tmp_path):
    """A function that mixes ten known objects into 90 lines and returns the two new files."""
    manifest = on_disk.write(
        tmp_path / "input.manifest",
        "".join(f'{{"source-ref":  "s3://images/{at}.jpg"}}\n' for at in range(90)),
    )
    gold = json_lines(tmp_path / "known.jsonl", KNOWN)

    def mix(*options):
        out = tmp_path / "mixed.manifest"
        outcome = run(gold_mix, manifest, "--gold", gold, "-o", out, "--json", *options)
        return outcome, out, tmp_path / "mixed.gold.jsonl"

    return mix


def test_gold_is_mixed_in_at_the_rate_and_remembered_in_the_functions_format(mixed):
    outcome, manifest, remembered = mixed("--rate", "0.1", "--seed", "7")
    assert outcome.exit_code == 0, outcome.output
    assert json.loads(outcome.stdout)["mixed-in"] == 10
    lines = lines_of(manifest.read_text())
    side = parse_auxiliary_labels(remembered.read_bytes(), path="gold")
    assert len(lines) == 100
    assert len(side.by_source) == 10
    for entry in map(json.loads, lines_of(remembered.read_text())):
        line = json.loads(lines[entry["line"]])
        assert line == {"source-ref": entry["source-ref"], "site": "north"}
    others = [line for line in lines if "images" in line]
    assert others == [f'{{"source-ref":  "s3://images/{at}.jpg"}}' for at in range(90)]


def test_the_seed_decides(mixed):
    texts = [mixed("--seed", seed)[1].read_text() for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_stripping_gives_the_manifest_back(mixed, tmp_path):
    _, manifest, remembered = mixed()
    out = tmp_path / "stripped.manifest"
    outcome = run(gold_strip, manifest, "--gold", remembered, "-o", out, "--json")
    assert json.loads(outcome.stdout)["removed"] == 10
    assert out.read_text() == (tmp_path / "input.manifest").read_text()


def test_too_few_known_objects_say_for_which_rate_they_are_enough(mixed):
    outcome, *_ = mixed("--rate", "0.5")
    assert outcome.exit_code == 1
    assert "0.5 takes 90 known objects" in outcome.output
    assert "enough for a rate of 0.100" in outcome.output


def test_a_known_object_of_the_manifest_is_gold_where_it_is_and_is_not_stripped(tmp_path):
    manifest = json_lines(tmp_path / "in.manifest", [{"source-ref": "s3://gold/3.jpg"}] * 1)
    gold = json_lines(tmp_path / "known.jsonl", KNOWN)
    out = tmp_path / "out.manifest"
    outcome = run(gold_mix, manifest, "--gold", gold, "-o", out, "--rate", "0.5", "--json")
    assert json.loads(outcome.stdout)["gold-before"] == 1
    run(gold_strip, out, "--gold", tmp_path / "out.gold.jsonl", "-o", tmp_path / "left")
    assert (tmp_path / "left").read_text() == manifest.read_text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"source-ref": "a"', "line 1: is not JSON", id="cut-off"),
        pytest.param('{"label": "cat"}', "line 1: is no JSON object with a text", id="no-source"),
        pytest.param('{"source-ref": "a"}', "line 1: has none of label", id="no-label"),
        pytest.param('{"source-ref":"a","label":"b"}\n' * 2, "line 2: names a", id="twice"),
        pytest.param("\n", "has no known object", id="empty"),
    ],
)
def test_a_bad_gold_file_is_named_with_its_line(tmp_path, text, expected):
    manifest = json_lines(tmp_path / "in.manifest", [{"source-ref": "x"}])
    gold = on_disk.write(tmp_path / "known.jsonl", text)
    outcome = run(gold_mix, manifest, "--gold", gold, "-o", tmp_path / "out")
    assert outcome.exit_code == 1
    assert "known.jsonl" in outcome.output
    assert expected in outcome.output


@pytest.fixture
def truth(tmp_path):
    known = {"1": "dog", "2": "eel", "3": "dog"}
    return json_lines(
        tmp_path / "gold.jsonl",
        [{"source-ref": f"s3://images/{at}.jpg", "label": name} for at, name in known.items()],
    )


def test_workers_are_scored_with_an_interval(zoo, truth):
    outcome = run(gold_score, zoo, "--gold", truth, "--json")
    assert outcome.exit_code == 0, outcome.output
    result = json.loads(outcome.stdout)
    scores = {one["worker-id"]: one for one in result["workers"]}
    assert result["gold-objects"] == 3
    assert scores["ann"]["accuracy"] == 1.0
    assert scores["ann"]["interval"] == pytest.approx([0.4385, 1.0], abs=1e-4)
    assert scores["cy"]["right"] == 1.0
    assert {(one["true"], one["said"]) for one in scores["cy"]["mistakes"]} == {
        ("dog", "cat"),
        ("eel", "dog"),
    }


def test_the_table_names_every_worker(zoo, truth):
    outcome = run(gold_score, zoo, "--gold", truth)
    assert all(name in outcome.output for name in ("ann", "bob", "cy", "0.333"))


def test_a_skill_file_learns_from_gold_once(zoo, truth, tmp_path):
    skill = tmp_path / "skill.json"
    run(gold_score, zoo, "--gold", truth, "--skill-file", skill)
    first = [json.loads(line) for line in lines_of(skill.read_text())]
    assert any("ann" in json.dumps(entry.get("records")) for entry in first)
    run(gold_score, zoo, "--gold", truth, "--skill-file", skill)
    again = [json.loads(line) for line in lines_of(skill.read_text())]
    assert sum("records" in entry for entry in again) == sum("records" in entry for entry in first)


def test_several_labels_are_scored_by_the_jaccard_index(tmp_path):
    folder = tmp_path / "bucket" / "scenes"
    answers = {"ann": on_disk.ticked("cat", "dog"), "bob": on_disk.ticked("dog")}
    on_disk.write(on_disk.response_path(folder, "0"), on_disk.response(answers))
    on_disk.write_manifest(folder, [{"source-ref": "s3://images/0.jpg"}])
    gold = json_lines(
        tmp_path / "gold.jsonl", [{"source-ref": "s3://images/0.jpg", "labels": ["dog", "owl"]}]
    )
    outcome = run(gold_score, folder, "--gold", gold, "--json")
    assert outcome.exit_code == 0, outcome.output
    scores = {one["worker-id"]: one["right"] for one in json.loads(outcome.stdout)["workers"]}
    assert scores == {"ann": pytest.approx(1 / 3, abs=1e-6), "bob": 0.5}


def test_gold_masks_are_scored_by_their_overlap_wherever_the_gold_file_is(tmp_path):
    folder = tmp_path / "bucket" / "harbour"
    answers = {"ann": answer(drawn(GRID)), "bob": answer(drawn(GRID.replace("b", "w")))}
    on_disk.write(on_disk.response_path(folder, "0"), on_disk.response(answers))
    on_disk.write_manifest(folder, [{"source-ref": "s3://images/0.jpg"}])
    Image.fromarray(np.array(GRID_CLASSES, np.uint8)).save(tmp_path / "0.png")
    known = [{"source-ref": "s3://images/0.jpg", "mask": "0.png"}]
    gold = json_lines(tmp_path / "known.jsonl", known)
    manifest = json_lines(tmp_path / "in.manifest", [{"source-ref": "s3://images/1.jpg"}])
    out = tmp_path / "far" / "mixed.manifest"
    run(gold_mix, manifest, "--gold", gold, "-o", out, "--rate", "0.5")
    remembered = tmp_path / "far" / "mixed.gold.jsonl"
    labels = ("--labels", "water,boat,quay")
    outcome = run(gold_score, folder, "--gold", remembered, *labels, "--json")
    assert outcome.exit_code == 0, outcome.output
    right = {one["worker-id"]: one["right"] for one in json.loads(outcome.stdout)["workers"]}
    assert right["ann"] == 1.0
    assert 0.5 < right["bob"] < 0.8
    refused = run(gold_score, folder, "--gold", gold, *labels, "--skill-file", tmp_path / "s")
    assert refused.exit_code == 1
    assert "not from gold masks" in refused.output
