"""Conventions of scikit-learn's estimators, and what `labeljob` exports."""

import copy
import inspect
import pickle
import subprocess
import sys
from dataclasses import fields

import pytest

import labeljob
from groundtruth.aggregation.classification.calibrated import CalibratedSettings
from groundtruth.aggregation.classification.dawid_skene import DawidSkeneSettings
from groundtruth.aggregation.classification.ebcc import EbccSettings
from groundtruth.aggregation.classification.weighted import WeightedSettings
from groundtruth.aggregation.multilabel.calibrated import CalibratedLabelsSettings
from labeljob import (
    EBCC,
    BinaryRelevance,
    CalibratedDawidSkene,
    DawidSkene,
    MajorityVote,
    MultiLabelCalibrated,
    WeightedVote,
)
from labeljob.api.base import Aggregator, clone
from tests.runner.api.answer_frames import make_votes

AGGREGATORS = [
    kind
    for name in labeljob.__all__
    if isinstance(kind := getattr(labeljob, name), type) and issubclass(kind, Aggregator)
]


def test_every_exported_name_is_there_and_listed():
    modules = [name for names in labeljob._MODULES.values() for name in names]
    assert sorted(modules) == sorted(labeljob.__all__)
    assert set(labeljob.__all__) <= set(dir(labeljob))
    assert all(getattr(labeljob, name).__name__ == name for name in labeljob.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Wawa'"):
        labeljob.Wawa  # noqa: B018


def test_importing_the_package_loads_no_numerics():
    code = "import sys, labeljob; print(*{name.split('.')[0] for name in sys.modules})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"numpy", "pandas", "polars", "pyarrow", "scipy"} & set(result.stdout.split())


ONLY_ARROW = """
import sys

class Nowhere:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("pandas", "polars", "scipy", "sklearn"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nowhere)
import pyarrow
import labeljob

answers = pyarrow.table({"task": [1, 1], "worker": ["a", "b"], "label": ["x", "x"]})
print(labeljob.CalibratedDawidSkene().fit_predict(answers).to_pydict())
"""


def test_arrow_is_enough():
    result = subprocess.run(
        [sys.executable, "-c", ONLY_ARROW], capture_output=True, text=True, check=True
    )
    assert result.stdout == "{'task': [1], 'agg_label': ['x']}\n"


@pytest.mark.parametrize("kind", AGGREGATORS, ids=lambda kind: kind.__name__)
def test_settings_are_read_changed_and_copied_as_in_scikit_learn(kind):
    model = kind()
    params = model.get_params(deep=False)
    assert repr(model) == f"{kind.__name__}()"
    assert kind(**params).get_params() == model.get_params()
    for name, value in params.items():
        other = 3 if value is None else value
        assert model.set_params(**{name: other}) is model
        assert getattr(model, name) is other
    with pytest.raises(ValueError, match=f"{kind.__name__} has no setting 'n_rounds'; it has "):
        model.set_params(n_rounds=3)
    with pytest.raises(AttributeError, match="has no labels_ yet: call fit"):
        kind().labels_  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'scores'"):
        kind().scores  # noqa: B018
    assert not hasattr(kind(), "labels_")


@pytest.mark.parametrize("kind", AGGREGATORS, ids=lambda kind: kind.__name__)
def test_fit_predict_takes_what_fit_takes(kind):
    arguments = list(inspect.signature(kind.fit).parameters.values())
    for method in (kind.fit_predict, kind.fit_predict_proba):
        assert list(inspect.signature(method).parameters.values()) == arguments


def test_the_call_that_makes_it_is_its_repr():
    model = BinaryRelevance(DawidSkene(100, strength=2.0))
    text = "BinaryRelevance(base_aggregator=DawidSkene(n_iter=100, strength=2.0))"
    assert repr(model) == text
    assert repr(eval(text)) == text
    assert repr(CalibratedDawidSkene(mix=0.4, classes=["a"])) == (
        "CalibratedDawidSkene(classes=['a'], mix=0.4)"
    )


def test_settings_of_what_is_inside_have_names_of_their_own():
    model = BinaryRelevance(DawidSkene())
    assert model.get_params()["base_aggregator__n_iter"] == 60
    model.set_params(base_aggregator__n_iter=7)
    assert model.base_aggregator.n_iter == 7
    model.set_params(base_aggregator__n_iter=9, base_aggregator=WeightedVote())
    assert repr(model) == "BinaryRelevance(base_aggregator=WeightedVote(n_iter=9))"
    with pytest.raises(ValueError, match="no setting 'classes__n_iter'"):
        model.set_params(classes__n_iter=7)


def test_a_clone_has_the_settings_and_nothing_that_was_found():
    votes = make_votes()
    model = DawidSkene(7).fit(votes)
    sklearn = pytest.importorskip("sklearn.base", reason="scikit-learn is not installed")
    for copied in (clone(model), sklearn.clone(model)):
        assert repr(copied) == "DawidSkene(n_iter=7)"
        assert not hasattr(copied, "labels_")
    for same in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert same.labels_.equals(model.labels_)
        assert same.errors_.equals(model.errors_)
    inside = clone(BinaryRelevance(model)).base_aggregator
    assert inside is not model
    assert not hasattr(inside, "labels_")


@pytest.mark.parametrize(
    ("kind", "settings", "own"),
    [
        (CalibratedDawidSkene, CalibratedSettings, {"dependence"}),
        (WeightedVote, WeightedSettings, set()),
        (EBCC, EbccSettings, set()),
        (DawidSkene, DawidSkeneSettings, {"one_coin"}),
        (MultiLabelCalibrated, CalibratedLabelsSettings, {"dependence"}),
    ],
)
def test_defaults_are_those_of_the_library(kind, settings, own):
    names = {"tolerance": "tol", "max_rounds": "n_iter"}
    expected = {
        names.get(field.name, field.name): getattr(settings(), field.name)
        for field in fields(settings)
        if field.name not in own
    }
    params = kind().get_params()
    assert {name: params[name] for name in expected} == expected


def test_settings_of_crowd_kit_are_where_they_are_there():
    assert (
        DawidSkene(100, 0.1, "addition").get_params()
        == DawidSkene(n_iter=100, tol=0.1, initial_error_strategy="addition").get_params()
    )
    assert (
        MajorityVote(1.0, "value").get_params()
        == MajorityVote(default_skill=1.0, on_missing_skill="value").get_params()
    )
