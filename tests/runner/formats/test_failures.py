"""An export, tables, a report or a replay that fails midway leaves nothing behind."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from groundtruth.storage.s3 import S3Store
from labeljob.commands import app
from labeljob.commands.export import export
from labeljob.commands.replay import replay
from labeljob.commands.report import report
from labeljob.commands.tables import tables
from labeljob.history.whole_masks import WorkStore
from labeljob.jobs.description import JobError
from labeljob.output_files import draft_folder
from tests.masks import answer, drawn
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow


def snapshot(folder):
    """Every path below a folder, and what the files hold."""
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def full_disk(monkeypatch, after):
    """Let the disk be full after some files were written."""
    written = []
    write_bytes, open_file = Path.write_bytes, Path.open

    def refuse(path):
        if "out" in path.parts:
            written.append(path)
        if len(written) > after:
            raise OSError(28, "No space left on device", str(path))

    def writing(path, body):
        refuse(path)
        return write_bytes(path, body)

    def opening(path, mode="r", *arguments, **options):
        if "w" in mode:
            refuse(path)
        return open_file(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "write_bytes", writing)
    monkeypatch.setattr(Path, "open", opening)


def harbour_options(harbour, images):
    _, manifest, _ = harbour
    return ("--manifest", manifest, "--images", images, "--labels", "water,boat,quay")


@pytest.mark.parametrize(
    ("chosen", "lacking"),
    [
        ("coco", "pycocotools"),
        ("datumaro", "pycocotools"),
        ("huggingface", "datasets"),
        ("yolo", "skimage"),
        *((other, None) for other in ("csv", "cvat", "fiftyone", "labelstudio", "voc")),
    ],
)
def test_what_an_extra_brings_is_named_where_it_is_missing(
    harbour, images, tmp_path, monkeypatch, chosen, lacking
):
    for module in ("datasets", "pycocotools", "skimage", "scipy"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "labeljob.formats.polygons", raising=False)
    arguments = ("--format", chosen, *harbour_options(harbour, images), "-o", tmp_path / "out")
    outcome = CliRunner().invoke(app, ["export", *map(str, [harbour[0], *arguments])])
    assert (outcome.exit_code, (tmp_path / "out").exists()) == (bool(lacking), not lacking)
    if lacking:
        assert f"export needs {lacking}: pip install 'groundtruth-consolidation[" in outcome.output


@pytest.mark.parametrize("out", ["out", "made/for/it/out"])
@pytest.mark.parametrize("chosen", ["coco", "yolo", "voc"])
def test_a_full_disk_leaves_nothing_of_an_export(
    harbour, images, tmp_path, monkeypatch, chosen, out
):
    before = snapshot(tmp_path)
    full_disk(monkeypatch, after=1)
    options = harbour_options(harbour, images)
    outcome = run(export, harbour[0], "--format", chosen, "-o", tmp_path / out, *options)
    assert outcome.exit_code == 1
    assert outcome.output.endswith(f"{tmp_path / out} cannot be written: No space left on device\n")
    assert snapshot(tmp_path) == before


def test_a_full_disk_leaves_an_empty_folder_empty(zoo, images, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    before = snapshot(tmp_path)
    full_disk(monkeypatch, after=1)
    options = ("--format", "imagefolder", "-o", tmp_path / "out", "--images", images)
    outcome = run(export, zoo, *options)
    assert (outcome.exit_code, "No space left" in outcome.output) == (1, True)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(OSError(28, "No space"), "out cannot be written: No space", id="full-disk"),
        pytest.param(JobError("it is broken"), "error: it is broken", id="unreadable"),
        pytest.param(KeyboardInterrupt(), "", id="interrupted"),
    ],
)
def test_a_dataset_that_fails_midway_leaves_nothing(
    zoo, images, tmp_path, monkeypatch, error, expected
):
    def fail(image):
        if image.object_id == "1":
            raise error
        return {"label": image.indices[0]}

    before = snapshot(tmp_path)
    monkeypatch.setattr(
        "labeljob.tasks.image_multi_class.ImageMultiClass.dataset_row", lambda _, image: fail(image)
    )
    options = ("--format", "huggingface", "-o", tmp_path / "out", "--images", images)
    outcome = run(export, zoo, *options)
    assert outcome.exit_code != 0
    assert expected in outcome.output
    assert snapshot(tmp_path) == before


def test_folders_of_classes_without_one_image_are_not_left(zoo, tmp_path):
    before = snapshot(tmp_path)
    outcome = run(export, zoo, "--format", "imagefolder", "-o", tmp_path / "out")
    assert (outcome.exit_code, "not one image can be read" in outcome.output) == (1, True)
    assert snapshot(tmp_path) == before


def test_an_image_that_cannot_be_read_is_told_and_costs_no_other(zoo, images, tmp_path):
    (images / "1.jpg").unlink()
    (images / "1.jpg").mkdir()
    options = ("--format", "imagefolder", "-o", tmp_path / "out", "--images", images, "--json")
    outcome = run(export, zoo, *options)
    assert outcome.exit_code == 0, outcome.output
    assert json.loads(outcome.stdout)["without-image"] == ["1"]


def test_old_tables_stay_where_new_ones_fail(zoo, tmp_path, monkeypatch):
    assert run(tables, zoo, "-o", tmp_path / "out").exit_code == 0
    (tmp_path / "out" / "notes.txt").write_text("mine")
    before = snapshot(tmp_path)
    on_disk.write_manifest(zoo, [on_disk.builtin_line(0, "eel")])
    before |= snapshot(tmp_path)
    full_disk(monkeypatch, after=1)
    outcome = run(tables, zoo, "-o", tmp_path / "out")
    assert (outcome.exit_code, "No space left" in outcome.output) == (1, True)
    assert snapshot(tmp_path) == before
    monkeypatch.undo()
    assert run(tables, zoo, "-o", tmp_path / "out").exit_code == 0
    after = snapshot(tmp_path)
    assert set(after) == set(before)
    assert after[Path("out/notes.txt")] == b"mine"
    assert after[Path("out/objects.csv")] != before[Path("out/objects.csv")]


def test_an_old_report_stays_where_a_new_one_fails(zoo, tmp_path, monkeypatch):
    page = on_disk.write(tmp_path / "out.html", "old")
    before = snapshot(tmp_path)
    monkeypatch.setattr("os.fdopen", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
    outcome = run(report, zoo, "-o", page)
    assert (outcome.exit_code, "cannot be written: No space" in outcome.output) == (1, True)
    assert snapshot(tmp_path) == before


def test_a_folder_comes_with_all_its_files_and_the_usual_rights(tmp_path):
    expected = on_disk.write(tmp_path / "other" / "a.txt", "x").parent.stat().st_mode
    with draft_folder(tmp_path / "new" / "deep") as draft:
        (draft / "empty").mkdir()
        on_disk.write(draft / "some" / "a.txt", "x")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "deep" / "empty").is_dir()
    assert (tmp_path / "new" / "deep").stat().st_mode == expected
    assert [path.name for path in tmp_path.rglob("*.txt")].count("a.txt") == 2
    assert not list(tmp_path.rglob(".*"))


def test_the_current_folder_can_be_filled(zoo, images, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    options = ("--format", "imagefolder", "-o", ".", "--images", images)
    assert run(export, zoo, *options).exit_code == 0
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["cat", "dog"]


def failing_replay(monkeypatch, at):
    """Let a replay fail when a mask was written, or when the labels are compared."""
    if at == "comparing":
        monkeypatch.setattr("labeljob.history.whole_masks.compare", fail)
        return
    write, written = WorkStore.write, []

    def writing(store, uri, body, **options):
        if uri.endswith(".png"):
            if written:
                fail()
            written.append(uri)
        write(store, uri, body, **options)

    monkeypatch.setattr(WorkStore, "write", writing)


def fail(*_):
    raise JobError("it is broken")


@pytest.mark.parametrize("at", ["writing", "comparing"])
def test_older_masks_stay_where_a_replay_fails(harbour, tmp_path, monkeypatch, at):
    folder, *_ = harbour
    options = ("--labels", "water,boat,quay", "--algorithm", "majority")
    assert run(replay, folder, *options).exit_code == 0
    assert len(list((folder / "replays/majority/masks").iterdir())) == 2
    changed = {f"w{n}": answer(drawn("qqqqqqqq " * 7, scale=8)) for n in range(2)}
    for object_id in "01":
        on_disk.write(on_disk.response_path(folder, object_id), on_disk.response(changed))
    before = snapshot(tmp_path)
    failing_replay(monkeypatch, at)
    outcome = run(replay, folder, *options)
    assert (outcome.exit_code, "it is broken" in outcome.output) == (1, True)
    left = snapshot(tmp_path)
    assert {path: left[path] for path in before} == before
    assert all("majority.work" in path.parts for path in left.keys() - before.keys())
    monkeypatch.undo()
    assert run(replay, folder, *options).exit_code == 0
    after = snapshot(tmp_path)
    assert set(after) == set(before)
    masks = [path for path in after if "replays" in path.parts and path.suffix == ".png"]
    assert len(masks) == 2
    assert all(after[path] != before[path] for path in masks)


def test_masks_of_a_replay_in_s3_come_before_what_names_them(
    harbour, tmp_path, s3_server, monkeypatch
):
    folder, *_ = harbour
    s3_server.create_bucket(Bucket="jobs")
    options = ("--labels", "water,boat,quay", "--algorithm", "majority", "-o", "s3://jobs/again")
    with monkeypatch.context() as broken:
        failing_replay(broken, "comparing")
        assert run(replay, folder, *options).exit_code == 1
    assert s3_server.list_objects_v2(Bucket="jobs")["KeyCount"] == 0
    uploaded = []
    upload = S3Store.write_file
    monkeypatch.setattr(
        S3Store, "write_file", lambda *a, **b: (uploaded.append(a[1]), upload(*a, **b))
    )
    outcome = run(replay, folder, *options)
    assert outcome.exit_code == 0, outcome.output
    assert [uri.rpartition(".")[2] for uri in uploaded] == ["png"] * 2 + ["manifest"] * 2 + ["json"]
    for uri in uploaded:
        content = s3_server.head_object(Bucket="jobs", Key=uri.removeprefix("s3://jobs/"))
        assert content["ContentType"] in ("image/png", "application/jsonlines", "application/json")
    body = s3_server.get_object(Bucket="jobs", Key="again/object.manifest")["Body"].read()
    assert json.loads(body.splitlines()[0])["label"]["mask-ref"] in uploaded
