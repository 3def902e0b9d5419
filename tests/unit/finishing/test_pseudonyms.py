import re

import pytest

from groundtruth.finishing.job import EndedJob
from groundtruth.finishing.summary import pseudonym

WORKER = "private.us-west-2.1a2b3c4d5e6f7081"


def job(name="birds", **options):
    return EndedJob(root=f"s3://bucket/labels/{name}", **options)


def test_a_pseudonym_does_not_hold_the_id():
    assert re.fullmatch("worker-[0-9a-f]{16}", pseudonym(WORKER, "key"))


@pytest.mark.parametrize("worker", ["", "ä", "\ud800", "x" * 10_000])
def test_any_text_has_one_pseudonym(worker):
    assert pseudonym(worker, "key") == pseudonym(worker, "key")
    assert bool(pseudonym(worker, "key")) is bool(worker)


def test_with_a_key_a_worker_has_one_pseudonym_in_all_jobs():
    one, other = job("birds", worker_id_key="k"), job("boats", worker_id_key="k")
    assert one.worker_name(WORKER) == other.worker_name(WORKER) == pseudonym(WORKER, "k")
    assert job(worker_id_key="l").worker_name(WORKER) != one.worker_name(WORKER)


def test_without_a_key_it_is_stable_in_a_job_and_differs_between_jobs():
    assert job("Birds").worker_name(WORKER) == job("birds").worker_name(WORKER)
    assert job("birds").worker_name(WORKER) != job("boats").worker_name(WORKER)
    assert WORKER not in job().worker_name(WORKER)


def test_ids_are_plain_only_if_that_is_asked_for():
    assert job(plain_worker_ids=True, worker_id_key="k").worker_name(WORKER) == WORKER


def test_the_key_is_not_shown():
    assert "secret" not in repr(job(worker_id_key="secret"))
