"""Classifiers of several labels a task."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from labeljob import (
    EBCC,
    BinaryRelevance,
    CalibratedDawidSkene,
    DawidSkene,
    FrameError,
    MajorityVote,
    MultiLabelAwsBuiltin,
    MultiLabelCalibrated,
    MultiLabelMajorityVote,
    WeightedVote,
)
from tests.runner.api.answer_frames import COLUMNS, CONVERT, make_sets, plain

ALL = [BinaryRelevance, MultiLabelAwsBuiltin, MultiLabelCalibrated, MultiLabelMajorityVote]


@pytest.mark.parametrize("kind", ALL)
def test_what_fit_finds(kind):
    sets = make_sets()
    model = kind()
    assert model.fit(sets) is model
    assert model.fit_predict(sets) is model.labels_
    assert model.fit_predict_proba(sets) is model.probas_
    assert model.labels_.name == "agg_label"
    assert model.labels_.index.name == model.probas_.index.name == "task"
    assert model.probas_.columns.tolist() == ["car", "grass", "house", "human", "train", "tree"]
    assert model.labels_["p1"][0] == "house"
    assert model.skills_.index.tolist() == ["ann", "bob", "cy"]
    lowest = [model.probas_.loc[task, labels].min() for task, labels in model.labels_.items()]
    assert model.confidences_.tolist() == lowest


@pytest.mark.parametrize("kind", ALL)
def test_neither_the_order_of_rows_nor_a_row_twice_nor_the_library_changes_anything(kind):
    sets = make_sets()
    model = kind().fit(sets)
    mixed = pd.concat([sets, sets.head(2)]).sample(frac=1.0, random_state=3)
    assert_frame_equal(kind().fit_predict_proba(mixed), model.probas_, check_exact=True)
    for convert in CONVERT.values():
        other = kind().fit(convert(sets))
        assert plain(other.labels_) == model.labels_.to_dict()
        assert plain(other.probas_) == plain(model.probas_)
        assert plain(other.skills_) == model.skills_.to_dict()


def test_the_labels_are_those_above_the_quorum_the_surest_first():
    sets = make_sets()
    assert MultiLabelMajorityVote().fit_predict(sets).to_dict() == {
        "p1": ["house", "tree"],
        "p2": ["car"],
        "p3": ["tree", "car"],  # in the order of the only answer
    }
    few = MultiLabelMajorityVote(quorum=0.7).fit_predict(sets)
    assert few["p1"] == ["house"]
    assert few["p2"] == ["car"]  # the best one
    assert MultiLabelMajorityVote(quorum=0.3).fit_predict(sets)["p2"] == ["car", "human", "train"]
    lone = MultiLabelMajorityVote(quorum=0.3, exclusion="train").fit_predict(sets)["p2"]
    assert lone == ["car", "human"]
    assert MultiLabelAwsBuiltin().fit_predict(sets)["p2"] == ["car", "human", "train"]
    with pytest.raises(ValueError, match="quorum=2 is not a number of 0 or more, 1 at most"):
        MultiLabelCalibrated(quorum=2).fit(sets)


@pytest.mark.parametrize(
    "inside",
    [MajorityVote(), DawidSkene(), WeightedVote(), EBCC(), CalibratedDawidSkene()],
    ids=repr,
)
def test_binary_relevance_decides_on_each_label_alone(inside):
    sets = make_sets()[:6]
    expected = pd.Series(
        [["house", "tree"], ["car"]], pd.Index(["p1", "p2"], name="task"), name="agg_label"
    )
    assert_series_equal(BinaryRelevance(inside).fit_predict(sets), expected)
    one = sets.assign(label=[int("tree" in labels) for labels in sets["label"]])
    one_label = inside.fit_predict_proba(one)[1]
    probas = BinaryRelevance(inside).fit_predict_proba(sets)["tree"]
    np.testing.assert_array_equal(probas, one_label)
    empty = BinaryRelevance(inside).fit_predict(pd.DataFrame([], columns=COLUMNS))
    assert_series_equal(empty, pd.Series(dtype=float, name="agg_label"))


def test_binary_relevance_may_leave_a_task_without_a_label():
    sets = pd.DataFrame([(1, "a", ["x"]), (1, "b", ["y"]), (1, "c", [])], columns=COLUMNS)
    model = BinaryRelevance().fit(sets)
    assert model.labels_[1] == []
    assert np.isnan(model.confidences_[1])
    assert model.skills_.tolist() == [0.0, 0.0, 1.0]
    with pytest.raises(
        ValueError, match=r"MultiLabelCalibrated.* is no classifier of single labels"
    ):
        BinaryRelevance(MultiLabelCalibrated()).fit(sets)


@pytest.mark.parametrize("kind", ALL)
def test_frames_with_nothing_to_say(kind):
    nothing = pd.DataFrame([], columns=COLUMNS)
    assert kind().fit(nothing).labels_.empty
    silent = pd.DataFrame([(1, "a", []), (1, "b", [])], columns=COLUMNS)
    assert kind().fit_predict(silent).tolist() == [[]]


def test_known_labels_are_kept_and_judge_the_workers():
    sets = make_sets()
    known = {"p2": ["train"], "p9": ["moon"]}
    model = MultiLabelCalibrated().fit(sets, known)
    assert model.labels_["p2"] == ["train"]
    assert model.probas_.loc["p2"].tolist() == [0, 0, 0, 0, 1, 0]
    before = MultiLabelCalibrated().fit(sets)
    assert model.skills_["cy"] > before.skills_["cy"]
    assert (model.probas_.loc["p1"] != before.probas_.loc["p1"]).all()
    assert_frame_equal(
        MultiLabelCalibrated().fit_predict_proba(sets, {"p2": np.array(["train"])}), model.probas_
    )
    with pytest.raises(FrameError, match="'moon', which nobody gave"):
        MultiLabelCalibrated().fit(sets, {"p1": ["moon"]})
    with pytest.raises(FrameError, match="true_labels of task 'p1' holds 'car', where a list"):
        MultiLabelCalibrated().fit(sets, {"p1": "car"})


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ("house", "in row 0 counted from 0 holds 'house', where a list of labels is needed"),
        (["house", None], r"row 0 counted from 0 holds a list with nothing in it: \['house', None"),
        (["house", pd.NA], r"a list with nothing in it: \['house', <NA>\]"),
        ([["house"]], "values of type list, which cannot be told apart"),
        (None, "holds nothing in 1 of 7 rows"),
    ],
)
def test_an_answer_that_is_no_list_of_labels_is_named(label, problem):
    sets = make_sets()
    sets.at[0, "label"] = label
    with pytest.raises(FrameError, match=problem):
        MultiLabelCalibrated().fit(sets)


def test_labels_of_a_set_are_in_ascending_order():
    answer = pd.DataFrame([["p1", "ann", {17, 8, 3, 16}]], columns=COLUMNS)
    assert MultiLabelCalibrated().fit_predict(answer)["p1"] == [3, 8, 16, 17]


def test_lists_may_be_arrays_tuples_or_sets():
    sets = make_sets()
    expected = MultiLabelCalibrated().fit_predict_proba(sets)
    for kind in (np.array, tuple, set):
        other = sets.assign(label=[kind(labels) for labels in sets["label"]])
        assert_frame_equal(MultiLabelCalibrated().fit_predict_proba(other), expected)
    more = MultiLabelCalibrated(classes=["tree", "sea", *expected.columns[:5]]).fit(sets)
    assert more.probas_.columns.tolist()[:2] == ["tree", "sea"]
