"""The overview is one picture that a person can open."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from labeljob.demo.figures import draw
from labeljob.jobs.description import JobError
from labeljob.metrics.scores import mean_iou
from labeljob.report.pictures import disagreement
from labeljob.simulation import workers as profiles

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]

TASKS = ["image-multi-class", "image-multi-class-multi-label", "semantic-segmentation"]


@pytest.mark.parametrize("task", TASKS)
def test_a_finished_job_becomes_one_picture(task, jobs, finish, store, tmp_path):
    job = jobs[task]
    workers = profiles.create_workers(job.crew, seed=20)
    out = draw(job, finish(job), store=store, out=tmp_path / "new" / "o.png", crew=workers)
    with Image.open(out) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 900


NO_LABEL = {
    "image-multi-class": {"class-id": None, "class-name": None, "confidence": 0.0, "votes": {}},
    "image-multi-class-multi-label": {
        "class-ids": [],
        "class-map": {},
        "confidence-map": {},
        "votes": {},
    },
    "semantic-segmentation": {"mask-ref": None, "internal-color-map": {}, "confidence": 0.0},
}


def test_data_objects_without_label_are_drawn_all_the_same(jobs, finish, store, tmp_path):
    for job in jobs.values():
        folder = tmp_path / job.name
        shutil.copytree(finish(job), folder)
        shutil.rmtree(folder / "annotations")
        manifest = folder / "manifests" / "output" / "output.manifest"
        records = [json.loads(line) for line in manifest.read_text().splitlines()[:2]]
        empty = NO_LABEL[job.task] | {"status": "no-usable-answer"}
        kept = [{"source-ref": record["source-ref"]} for record in records]
        kept[0][job.label_attribute_name] = empty
        manifest.write_text("".join(json.dumps(record) + "\n" for record in kept))
        assert draw(job, folder, store=store, out=tmp_path / f"{job.name}.png").stat().st_size


def test_an_answer_without_a_mask_is_drawn_as_none(jobs, finish, store, tmp_path):
    job = jobs["semantic-segmentation"]
    shutil.copytree(finish(job), tmp_path / "job")
    for file in (tmp_path / "job" / "annotations").rglob("*.json"):
        message = json.loads(file.read_text())
        message["answers"][0]["answerContent"] = {}
        file.write_text(json.dumps(message))
    out = draw(job, tmp_path / "job", store=store, out=tmp_path / "o.png")
    assert (
        out.read_bytes()
        != draw(job, finish(job), store=store, out=tmp_path / "whole.png").read_bytes()
    )


def test_a_job_that_never_ran_is_an_error(jobs, store, tmp_path):
    with pytest.raises(JobError):
        draw(jobs["image-multi-class"], tmp_path, store=store, out=tmp_path / "o.png")


def test_unanimous_workers_do_not_disagree():
    mask = np.array([[0, 1], [2, 2]], dtype=np.uint8)
    np.testing.assert_array_equal(disagreement([mask] * 3, 2), np.zeros((2, 2)))
    assert mean_iou(mask, mask) == 1.0
    assert mean_iou(mask, mask[:1]) == 0.0
