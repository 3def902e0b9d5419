"""Jobs for the benchmark on synthetic crews are what the synthetic workforce answers."""

import numpy as np
import pytest

from benchmarks.synthetic.crews import CREWS, SEVERAL, SINGLE, Crew, draw


def drawn(crew, *, task=SINGLE, n_classes=4, per_object=3, n_objects=40, seed=1):
    sizes = {"n_classes": n_classes, "per_object": per_object, "n_objects": n_objects}
    return draw(crew, "job", task=task, seed=seed, **sizes)


@pytest.mark.parametrize("task", [SINGLE, SEVERAL])
@pytest.mark.parametrize("name", CREWS)
def test_a_crew_has_ten_workers_who_answer_every_object(name, task):
    job = drawn(CREWS[name], task=task)
    assert len(job.members) == 10
    counts = np.bincount(job.items, minlength=40)
    assert counts.min() >= 1
    assert counts.max() == 3
    if not CREWS[name].missing:
        assert counts.min() == 3
    assert job.picked.any(axis=1).all()
    assert job.truth.any(axis=1).all()


def test_the_same_seed_draws_the_same_answers():
    first, again, other = (drawn(CREWS["mixed"], seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.picked, again.picked)
    assert not np.array_equal(first.picked, other.picked)


def test_tasks_are_counted_worker_by_worker():
    job = drawn(Crew("average:3"), per_object=2)
    for worker in range(3):
        done = job.tasks_done[job.workers == worker]
        np.testing.assert_array_equal(done, np.arange(done.size))


def test_a_single_label_job_is_a_crowd():
    job = drawn(CREWS["all careful"], n_objects=200)
    crowd = job.crowd()
    assert (crowd.n_items, crowd.n_workers, crowd.n_classes) == (200, 10, 4)
    assert 0.9 < (crowd.classes == crowd.gold[crowd.items]).mean() < 0.99


def test_each_label_is_a_crowd_of_no_and_yes():
    job = drawn(CREWS["all careful"], task=SEVERAL, n_objects=50)
    crowds = job.label_crowds()
    assert [crowd.name for crowd in crowds] == ["job.0", "job.1", "job.2", "job.3"]
    for label, crowd in enumerate(crowds):
        assert crowd.n_classes == 2
        np.testing.assert_array_equal(crowd.classes == 1, job.picked[:, label])
        np.testing.assert_array_equal(crowd.gold == 1, job.truth[:, label])
