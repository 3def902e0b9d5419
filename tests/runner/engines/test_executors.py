"""Engines: what they need, and what they refuse."""

import importlib.util
import pickle

import pytest

from groundtruth.storage.s3 import S3Store
from labeljob.commands.options import EngineName
from labeljob.engines import executors
from labeljob.engines.executors import ENGINES, open_engine
from labeljob.jobs.description import JobError


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("processes", {"address": "tcp://10.0.0.7:8786"}, "processes have no address"),
        ("dask", {"address": "tcp://10.0.0.7:8786", "workers": 2}, "workers of its own"),
    ],
)
def test_options_that_contradict_each_other_are_refused(name, options, problem):
    with pytest.raises(JobError, match=problem), open_engine(name, **options):
        pass


@pytest.mark.parametrize(("name", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_an_extra_that_is_missing_is_named(name, package, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    problem = f"--on {name} needs the extra {name}: pip install {package}"
    with pytest.raises(JobError, match=problem), open_engine(name):
        pass


def test_a_cluster_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", 0.2)
    with (
        pytest.raises(JobError, match=r"dask cannot be used at tcp://127\.0\.0\.1:9"),
        open_engine("dask", address="tcp://127.0.0.1:9"),
    ):
        pass


def test_the_options_have_a_choice_for_every_engine():
    assert [*ENGINES, "aws"] == list(EngineName)


def test_another_process_opens_a_store_once():
    sent = pickle.dumps(S3Store("arn:aws:iam::123456789012:role/reader"))
    assert pickle.loads(sent) is pickle.loads(sent)
