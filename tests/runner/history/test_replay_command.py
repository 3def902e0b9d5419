"""`labeljob replay`."""

import json

import pytest

from labeljob.commands.replay import replay
from tests.real_data import real_data
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow


def result_of(*arguments):
    outcome = run(replay, *arguments, "--json")
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


def files_under(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_builtin_algorithm_call_by_call_changes_nothing_of_a_real_job(tmp_path):
    birds = real_data("birds-job")
    result = result_of(
        birds, "--algorithm", "builtin", "--calls", "--truth", birds / "true_labels.json",
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert result["calls"] == [1, 6, 2, 1, 1, 4, 14, 50, 50, 50, 50, 50, 23]
    assert result["differences"]["objects"] == 302
    assert result["differences"]["labels-changed"] == 0
    assert result["differences"]["confidences-changed"] == 0
    old = birds / "manifests/output/output.manifest"
    for before, after in zip(
        lines_of(old), lines_of(tmp_path / "out/builtin.manifest"), strict=True
    ):
        for line in (before, after):
            line["birds-open-images-clone-metadata"].pop("creation-date")
        assert after == before
    figures = result["against-truth"]["after"]
    assert figures == result["against-truth"]["before"]
    assert figures["accuracy"] == pytest.approx(0.901, abs=5e-4)
    assert figures["ece"] == pytest.approx(0.048, abs=5e-4)
    assert figures["brier"] == pytest.approx(0.089, abs=5e-4)
    assert figures["auroc"] == pytest.approx(0.528, abs=5e-4)


def test_vote_shares_of_a_real_job_have_the_promised_figures(tmp_path):
    birds = real_data("birds-job")
    truth = birds / "true_labels.json"
    result = result_of(birds, "--algorithm", "majority", "--truth", truth, "-o", tmp_path / "out")
    figures = result["against-truth"]["after"]
    expected = {"accuracy": 0.904, "ece": 0.030, "brier": 0.074, "auroc": 0.813}
    assert {name: figures[name] for name in expected} == pytest.approx(expected, abs=1e-3)


def test_what_changes_is_told_by_object_and_by_class(zoo):
    result = result_of(zoo, "--algorithm", "majority")
    differences = result["differences"]
    assert differences["labels-changed"] == 1
    (change,) = differences["changed"]
    assert change["object"] == "2"
    assert change["before"]["classes"] == ["dog"]
    assert change["after"]["classes"] == ["eel"]
    assert differences["by-class"]["dog"]["to"] == {"eel": 1}


def test_both_manifests_and_a_summary_come_beside_and_nothing_else_changes(zoo):
    before = files_under(zoo)
    result_of(zoo, "--algorithm", "majority")
    after = files_under(zoo)
    assert {path: after[path] for path in before} == before
    assert {path.relative_to(zoo).as_posix() for path in after.keys() - before.keys()} == {
        "replays/majority/object.manifest",
        "replays/majority/builtin.manifest",
        "replays/majority/labels.parquet",
        "replays/majority/replay.json",
    }
    styled = lines_of(zoo / "replays/majority/object.manifest")[2]
    assert styled["source-ref"] == "s3://images/2.jpg"
    assert styled["animal"]["class-name"] == "eel"
    assert styled["animal-metadata"]["type"] == "groundtruth/custom"


def test_one_style_can_be_had_alone(zoo, tmp_path):
    result_of(zoo, "--output-style", "builtin", "-o", tmp_path / "out")
    assert not (tmp_path / "out/object.manifest").exists()
    assert lines_of(tmp_path / "out/builtin.manifest")[2]["animal"] == 2


def test_several_labels_of_each_algorithm_are_scored_as_it_chose_them(tmp_path):
    votes = {
        "0": {"ann": ["cat"], "bob": ["cat", "dog"], "cy": ["cat"]},
        "1": {"ann": ["dog"], "bob": ["dog"], "cy": ["dog", "eel"]},
    }
    zoo = on_disk.make_multi_label_job(
        tmp_path / "bucket/zoo", votes, [["cat", "dog"], ["dog", "eel"]]
    )
    truth = on_disk.write(tmp_path / "truth.csv", "item,label\n0,cat\n1,dog\n")
    results = {
        name: result_of(zoo, "--algorithm", name, "--truth", truth)
        for name in ("builtin", "majority")
    }
    for name, expected in (("builtin", [[0, 1], [1, 2]]), ("majority", [[0], [1]])):
        lines = lines_of(zoo / f"replays/{name}/builtin.manifest")
        assert [line["animal"] for line in lines] == expected
        maps = [set(line["animal-metadata"]["confidence-map"]) for line in lines]
        assert maps == [{str(index) for index in ids} for ids in expected]
    builtin, majority = (results[name]["against-truth"] for name in ("builtin", "majority"))
    assert majority["before"] == builtin["before"] == builtin["after"]
    assert builtin["after"]["accuracy"] == 0
    assert majority["after"]["accuracy"] == 1
    assert results["builtin"]["differences"]["labels-changed"] == 0
    (first, second) = results["majority"]["differences"]["changed"]
    assert (first["before"]["classes"], first["after"]["classes"]) == (["cat", "dog"], ["cat"])
    assert (second["before"]["classes"], second["after"]["classes"]) == (["dog", "eel"], ["dog"])


@pytest.mark.parametrize("inside", [".", "annotations", "manifests/output"])
def test_the_jobs_own_files_are_never_written_over(zoo, inside):
    outcome = run(replay, zoo, "-o", zoo / inside)
    assert outcome.exit_code == 1
    assert "stay as they are" in outcome.stderr


def test_an_unknown_algorithm_is_refused_with_those_there_are(zoo):
    outcome = run(replay, zoo, "--algorithm", "oracle")
    assert outcome.exit_code == 2
    assert "majority" in outcome.stderr


def test_a_bad_option_is_an_error_of_the_command_line(zoo):
    assert run(replay, zoo, "--task", "video").exit_code == 2


def test_a_terminal_shows_the_changes(zoo):
    outcome = run(replay, zoo, "--algorithm", "majority")
    assert outcome.exit_code == 0
    assert "labels changed" in outcome.stderr
    assert "Objects with another label" in outcome.stderr
    assert outcome.stdout == ""


def test_requests_are_enough_and_are_the_calls(tmp_path):
    folder = tmp_path / "bucket" / "zoo"
    calls = {
        "2026-03-02_10:01:00": {"0": {"ann": on_disk.chosen("cat"), "bob": on_disk.chosen("cat")}},
        "2026-03-02_10:02:00": {"1": {"ann": on_disk.chosen("dog"), "bob": on_disk.chosen("dog")}},
    }
    for name, objects in calls.items():
        on_disk.write(on_disk.request_path(folder, name), on_disk.request(objects))
    result = result_of(folder, "--calls", "--labels", "cat,dog", "--algorithm", "majority")
    assert result["calls"] == [1, 1]
    written = lines_of(folder / "replays/majority/object.manifest")
    assert [line["source-ref"] for line in written] == ["s3://images/0.jpg", "s3://images/1.jpg"]
    assert written[1]["animal" if "animal" in written[1] else "label"]["class-name"] == "dog"
    assert {"file", "problem"} == set(result["damage"][0])


def test_a_damaged_job_is_reported_file_by_file_and_all_else_is_used(zoo):
    on_disk.response_path(zoo, "0").write_text('{"answers": [{"workerId"')
    on_disk.write(on_disk.response_path(zoo, "1", "2026-03-02_11:00:00"), "not JSON")
    on_disk.write(on_disk.response_path(zoo, "3"), {"responses": []})
    on_disk.write(zoo / "annotations/worker-response/notes.txt", "who put this here?")
    on_disk.write(on_disk.request_path(zoo), "[{]")
    manifest = zoo / "manifests/output/output.manifest"
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join([lines[0][:40], *lines[1:]]) + "\n")
    result = result_of(zoo, "--algorithm", "majority", "--labels", "cat,dog,eel")
    damaged = {item["file"]: item["problem"] for item in result["damage"]}
    assert len(damaged) == 6
    assert "line 1" in next(name for name in damaged if "output.manifest" in name)
    assert (
        "not JSON" in damaged["annotations/worker-response/iteration-1/0/2026-03-02_10:00:30.json"]
    )
    assert any("belong" in problem for problem in damaged.values())
    written = (zoo / "replays/majority/object.manifest").read_text().splitlines()
    assert written[0] == lines[0][:40]
    assert json.loads(written[1])["animal"]["votes"] == {"cat": 1, "dog": 2}
    assert json.loads(written[3])["animal"] == 1


def test_a_request_stands_in_for_a_response_that_cannot_be_read(zoo):
    on_disk.response_path(zoo, "0").write_text("{")
    answers = {"ann": on_disk.chosen("eel"), "bob": on_disk.chosen("eel")}
    on_disk.write(on_disk.request_path(zoo), on_disk.request({"0": answers}))
    result = result_of(zoo, "--algorithm", "majority")
    assert [change["object"] for change in result["differences"]["changed"]] == ["0", "2"]


def test_a_folder_without_answers_is_no_job(tmp_path):
    outcome = run(replay, tmp_path)
    assert outcome.exit_code == 1
    assert "no answers" in outcome.stderr


def test_a_job_in_s3_is_replayed_where_it_is(zoo, s3_server):
    s3_server.create_bucket(Bucket="jobs")
    for path in zoo.rglob("*.*"):
        if path.is_file():
            key = f"done/zoo/{path.relative_to(zoo).as_posix()}"
            s3_server.put_object(Bucket="jobs", Key=key, Body=path.read_bytes())
    result = result_of("s3://jobs/done/zoo", "--algorithm", "majority")
    assert result["differences"]["labels-changed"] == 1
    key = "done/zoo/replays/majority/object.manifest"
    body = s3_server.get_object(Bucket="jobs", Key=key)["Body"].read()
    assert json.loads(body.splitlines()[2])["animal"]["class-name"] == "eel"
