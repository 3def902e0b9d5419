"""The demonstration's material is complete, and the same every time."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeljob.demo import material
from labeljob.demo.material import MaterialError, lay_out
from labeljob.simulation import workers as profiles
from labeljob.simulation import workers as simulated
from labeljob.simulation.truth import read_truth
from labeljob.tasks.registry import JOB_TYPES, find_job_type

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]


def _labels(job):
    return [entry["label"] for entry in json.loads(job.labels.read_text())["labels"]]


def _truth(job):
    return read_truth(job.truth, find_job_type(job.task), _labels(job))


def _sources(job):
    return [json.loads(line)["source-ref"] for line in job.manifest.read_text().splitlines()]


def test_there_is_a_job_for_each_task(jobs):
    assert set(jobs) == set(JOB_TYPES)


def test_every_image_of_every_manifest_is_there_and_has_a_truth(jobs, store):
    for job in jobs.values():
        sources = _sources(job)
        assert list(_truth(job)) == sources
        assert len(set(sources)) == len(sources)
        for source in sources:
            with Image.open(store / source.removeprefix("s3://")) as image:
                image.load()


def test_every_crew_can_be_hired_and_can_answer(jobs):
    for job in jobs.values():
        truth = _truth(job)
        source = next(iter(truth))
        workers = profiles.create_workers(job.crew, seed=1)
        assert 3 <= len(workers) <= 9
        for worker in workers:
            simulated.answer(
                worker,
                find_job_type(job.task),
                object_id="0",
                labels=_labels(job),
                truth=truth[source],
                seed=1,
            )


def test_each_texture_has_ten_tiles(jobs):
    truth = list(_truth(jobs["image-multi-class"]).values())
    assert {name: truth.count(name) for name in truth} == dict.fromkeys(
        ["brick", "grass", "gravel", "tissue"], 10
    )


def test_every_scene_label_is_used(jobs):
    job = jobs["image-multi-class-multi-label"]
    assert frozenset().union(*_truth(job).values()) == frozenset(_labels(job))


def test_every_class_is_painted_somewhere_and_masks_fit_their_images(jobs, store):
    job = jobs["semantic-segmentation"]
    seen = set()
    for source, mask in _truth(job).items():
        with Image.open(store / source.removeprefix("s3://")) as image:
            assert (image.height, image.width) == mask.shape
        seen |= set(np.unique(mask).tolist())
    assert seen == set(range(len(_labels(job)) + 1))


def test_laying_out_again_writes_the_same_bytes(tmp_path):
    def contents() -> dict[Path, bytes]:
        lay_out(tmp_path)
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert contents() == contents()


def test_a_scikit_image_without_the_photographs_is_explained(tmp_path, monkeypatch):
    monkeypatch.setattr(material, "files", lambda _package: tmp_path)
    with pytest.raises(MaterialError):
        lay_out(tmp_path)
