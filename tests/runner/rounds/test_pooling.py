"""The answers of two rounds as those of one job."""

import json

import numpy as np
import pytest

from labeljob.commands.pool import pool_rounds
from labeljob.history.job import Given, read_annotations, read_job
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from labeljob.rounds.pooling import pool
from tests.masks import answer, drawn
from tests.runner.command_line import lines_of, run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow


def read(folder, **given):
    return read_job(find_job(str(folder)), Given(**given))


def test_the_later_answer_of_a_worker_counts(zoo, second_round):
    job = pool([read(zoo), read(second_round)]).job
    objects = {one.source: one for one in read_annotations(job)}
    two = objects["s3://images/2.jpg"]
    said = dict(zip(two.workers, [job.classes[at] for at in two.choices[:, 0]], strict=True))
    assert said == {"bob": "eel", "cy": "dog", "ann": "dog", "dee": "dog", "eve": "dog"}
    assert [(one.worker_id, one.reason) for one in two.rejected] == [("ann", "superseded")]
    assert len(objects["s3://images/1.jpg"].workers) == 5
    assert len(objects["s3://images/0.jpg"].workers) == 3


def test_time_decides_what_is_later_and_not_the_order_of_the_rounds(zoo, second_round):
    job = pool([read(second_round), read(zoo)]).job
    (two,) = [one for one in read_annotations(job) if one.source == "s3://images/2.jpg"]
    assert job.classes[two.choices[two.workers.index("ann"), 0]] == "dog"


@pytest.mark.parametrize("names", [["round-0", "round-1"], ["round-1", "calls", "round-0"]])
def test_columns_of_rounds_say_what_their_files_say(tmp_path, names):
    rng = np.random.default_rng(7)
    pooled = pool([read(_make_round(tmp_path / "bucket", rng, name)) for name in names]).job
    assert pooled.columns is not None
    by_columns = list(map(_plain_values, read_annotations(pooled)))
    pooled.files.columns = None
    assert by_columns == list(map(_plain_values, read_annotations(pooled)))
    assert len(by_columns) == 6  # of 7 sources: one has answers in no round


def _make_round(bucket, rng, name):
    """Answers of some workers, some of them twice, at times in any order, or in a request."""
    folder, at_all = bucket / name, {}
    for at in range(6):
        said = {
            worker: on_disk.chosen(rng.choice([*on_disk.CLASSES, ""])) for worker in ("ann", "bob")
        }
        seconds = float(rng.integers(1, 59))
        at_all[str(at)] = said
        if name != "calls" and at != 3:
            on_disk.write(on_disk.response_path(folder, str(at)), on_disk.response(said, seconds))
    if name == "calls":
        on_disk.write(on_disk.request_path(folder), on_disk.request(at_all))
    lines = [on_disk.builtin_line(at + 2 * (name == "round-1"), "cat") for at in range(5)]
    on_disk.write_manifest(folder, lines)
    return folder


def _plain_values(annotations):
    values = {name: getattr(annotations, name) for name in annotations.__slots__}
    return {**values, "choices": values["choices"].tolist()}


def test_manifests_in_both_styles_and_a_diff_are_written(zoo, second_round, tmp_path):
    out = tmp_path / "pooled"
    before = sorted(zoo.parent.rglob("*"))
    outcome = run(pool_rounds, zoo, second_round, "-o", out, "--algorithm", "majority", "--json")
    assert outcome.exit_code == 0, outcome.output
    result = json.loads(outcome.stdout)
    assert result["pool"]["objects"] == 4
    assert result["pool"]["objects-in-several-rounds"] == 2
    assert result["differences"]["labels-changed"] == 0
    labels = [json.loads(line) for line in lines_of((out / "builtin.manifest").read_text())]
    assert [line["animal-metadata"]["class-name"] for line in labels] == ["cat"] + ["dog"] * 3
    assert len(lines_of((out / "object.manifest").read_text())) == 4
    assert sorted(zoo.parent.rglob("*")) == before


def test_masks_are_pooled(tmp_path):
    for name, grids in (("a", ["..ww", "..ww"]), ("b", [".www", ".www", ".www"])):
        folder = tmp_path / "bucket" / name
        answers = {f"{name}-{at}": answer(drawn(grid)) for at, grid in enumerate(grids)}
        on_disk.write(on_disk.response_path(folder, "0"), on_disk.response(answers))
        on_disk.write_manifest(folder, [{"source-ref": "s3://images/0.jpg"}])
    out = tmp_path / "pooled"
    folders = [tmp_path / "bucket" / name for name in "ab"]
    outcome = run(pool_rounds, *folders, "-o", out, "--labels", "water,boat,quay")
    assert outcome.exit_code == 0, outcome.output
    line = json.loads((out / "object.manifest").read_text())
    assert line["label"]["answers"]["used"] == 5
    assert (out / line["label"]["mask-ref"]).is_file()


def test_rounds_of_different_types_are_refused(zoo, tmp_path):
    folder = tmp_path / "bucket" / "scenes"
    answers = {"ann": on_disk.ticked("cat", "dog")}
    on_disk.write(on_disk.response_path(folder, "0"), on_disk.response(answers))
    on_disk.write_manifest(folder, [{"source-ref": "s3://images/0.jpg"}])
    with pytest.raises(JobError, match="is of image-multi-class-multi-label"):
        pool([read(zoo), read(folder)])


def round_of(folder, names, first=5):
    """A round that a built-in function labeled, with classes of its own."""
    lines = []
    for at, name in enumerate(names):
        on_disk.write(
            on_disk.response_path(folder, str(at)),
            on_disk.response({worker: on_disk.chosen(name) for worker in ("ann", "bob")}),
        )
        line = on_disk.builtin_line(first + at, "cat")
        line["animal"], line["animal-metadata"]["class-name"] = at, name
        lines.append(line)
    on_disk.write_manifest(folder, lines)
    return folder


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        pytest.param(["red", "green"], "the class with index 0 is red", id="other-labels"),
        pytest.param(["dog", "cat"], "the class with index 0 is dog", id="another-order"),
    ],
)
def test_rounds_of_different_classes_are_refused(zoo, tmp_path, names, problem):
    folder = round_of(tmp_path / "bucket/colors", names)
    before = sorted(tmp_path.rglob("*"))
    outcome = run(pool_rounds, zoo, folder, "-o", tmp_path / "pooled")
    assert outcome.exit_code == 1
    text = " ".join(outcome.stderr.split())
    assert problem in text
    assert ", ".join(names) in text
    assert "cat, dog, eel" in text
    assert "only rounds with the same question are pooled" in text
    assert sorted(tmp_path.rglob("*")) == before


def test_answers_alone_tell_that_rounds_have_no_class_in_common(zoo, tmp_path):
    folder = round_of(tmp_path / "bucket/colors", ["red", "green"])
    for one in (zoo, folder):
        (one / "manifests/output/output.manifest").unlink()
    with pytest.raises(JobError, match=r"classes of colors \(green, red\).*no class in common"):
        pool([read(zoo), read(folder)])


def test_a_class_that_only_a_later_round_has_comes_last(zoo, tmp_path):
    folder = round_of(tmp_path / "bucket/more", ["cat", "dog", "eel", "ant"])
    assert pool([read(zoo), read(folder)]).job.classes == ("cat", "dog", "eel", "ant")


def test_one_job_is_no_pool_and_its_own_folder_no_output(zoo, second_round, tmp_path):
    assert run(pool_rounds, zoo, "-o", tmp_path / "out").exit_code == 1
    outcome = run(pool_rounds, zoo, second_round, "-o", second_round / "annotations")
    assert outcome.exit_code == 1
    assert "stay as they are" in outcome.output
