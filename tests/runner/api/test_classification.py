"""Classifiers of single labels, as crowd-kit's users know them."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from labeljob import (
    EBCC,
    AwsBuiltin,
    CalibratedDawidSkene,
    DawidSkene,
    FrameError,
    MajorityVote,
    MissingColumnError,
    OneCoinDawidSkene,
    WeightedVote,
)
from tests.runner.api.answer_frames import COLUMNS, CONVERT, make_crowd, make_votes, plain

SKILLED = [CalibratedDawidSkene, WeightedVote, EBCC, DawidSkene, OneCoinDawidSkene]
ALL = [MajorityVote, AwsBuiltin, *SKILLED]


def test_majority_vote_finds_shares_labels_and_how_often_workers_agree_with_them():
    votes = make_votes()
    model = MajorityVote().fit(votes)
    tasks = pd.Index(["t1", "t2", "t3", "t4", "t5"], name="task")
    assert_series_equal(
        model.labels_, pd.Series(["cat", "dog", "cat", "dog", "cat"], tasks, name="agg_label")
    )
    assert_frame_equal(
        model.probas_,
        pd.DataFrame(
            [[0.5, 0.5], [0.4, 0.6], [0.6, 0.4], [0.0, 1.0], [0.8, 0.2]],
            tasks,
            pd.Index(["cat", "dog"], name="label"),
        ),
    )
    workers = pd.Index(["ann", "bob", "cy", "di", "eve"], name="worker")
    assert_series_equal(model.skills_, pd.Series([0.6, 0.8, 1.0, 0.4, 0.8], workers, name="skill"))


@pytest.mark.parametrize("kind", ALL)
def test_what_fit_finds_has_the_names_and_indices_of_crowd_kit(kind):
    votes = make_votes()
    model = kind()
    assert model.fit(votes) is model
    assert model.fit_predict(votes) is model.labels_
    assert model.fit_predict_proba(votes) is model.probas_
    names = {"labels_": "agg_label", "confidences_": "confidence", "skills_": "skill"}
    assert {name: getattr(model, name).name for name in names} == names
    assert model.priors_.name == "prior"
    for values in (model.labels_, model.confidences_, model.probas_):
        assert values.index.name == "task"
        assert values.index.tolist() == ["t1", "t2", "t3", "t4", "t5"]
    assert model.skills_.index.name == "worker"
    assert model.probas_.columns.name == model.priors_.index.name == "label"
    assert model.errors_.index.names == ["worker", "label"]
    np.testing.assert_allclose(model.probas_.sum(axis=1), 1.0)
    np.testing.assert_allclose(model.errors_.groupby("worker").sum(), 1.0)
    assert model.skills_.between(0.0, 1.0).all()
    best = model.probas_.idxmax(axis=1)
    clear = model.probas_.max(axis=1) > 0.5 + 1e-6
    assert (best[clear] == model.labels_[clear]).all()


@pytest.mark.parametrize("kind", SKILLED)
def test_workers_who_agree_with_the_others_decide_where_these_are_divided(kind):
    votes = make_votes()
    model = kind().fit(votes)
    assert model.labels_.tolist() == ["dog", "dog", "cat", "dog", "cat"]
    assert model.skills_["cy"] == model.skills_.max()
    assert model.skills_["ann"] < model.skills_["bob"]


@pytest.mark.parametrize("kind", ALL)
def test_neither_the_order_of_rows_nor_an_earlier_fit_nor_a_row_twice_changes_anything(kind):
    crowd, _ = make_crowd(40)
    model = kind().fit(crowd)
    found = [model.labels_, model.probas_, model.skills_, model.errors_, model.confidences_]
    shuffled = pd.concat([crowd, crowd.head(7)]).sample(frac=1.0, random_state=3)
    shuffled["note"] = "left alone"
    again = kind().fit(make_votes()).fit(shuffled)
    for before, name in zip(
        found, ("labels_", "probas_", "skills_", "errors_", "confidences_"), strict=True
    ):
        after = getattr(again, name)
        same = assert_frame_equal if isinstance(before, pd.DataFrame) else assert_series_equal
        same(after, before, check_exact=True)


@pytest.mark.parametrize("library", CONVERT)
@pytest.mark.parametrize("kind", ALL)
def test_frames_of_other_libraries_come_out_as_they_went_in(kind, library):
    votes = make_votes()
    expected = kind().fit(votes)
    frame = CONVERT[library](votes)
    model = kind().fit(frame)
    for name in ("labels_", "probas_", "confidences_", "skills_", "priors_"):
        values = getattr(model, name)
        assert type(values) is type(frame)
        assert plain(values) == plain(getattr(expected, name)), name
    assert plain(model.errors_.select(["worker", "cat", "dog"])) == {
        worker: rates for (worker, label), rates in plain(expected.errors_).items()
    }
    empty = kind().fit(frame[:0])
    assert plain(empty.labels_) == plain(empty.skills_) == plain(empty.errors_) == {}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        pytest.param([7, 7, 3], 7, id="whole-numbers"),
        pytest.param([False, True, True], True, id="truth-values"),
        pytest.param([1.5, 0.5, 0.5], 0.5, id="numbers"),
        pytest.param(pd.Categorical(["b", "a", "b"], ["c", "b", "a"]), "b", id="categories"),
        pytest.param(["x", ("y", 1), ("y", 1)], ("y", 1), id="objects"),
    ],
)
def test_labels_come_out_as_they_went_in(column, expected):
    label = pd.Series(column)
    frame = pd.DataFrame({"task": [5, 5, 5], "worker": [1, 2, 3], "label": label})
    model = MajorityVote().fit(frame)
    assert model.labels_.dtype == label.dtype
    assert model.labels_.index.dtype == frame["task"].dtype
    assert model.labels_[5] == expected
    assert model.errors_.index.get_level_values("label").dtype == label.dtype


def test_the_categories_of_a_column_are_the_classes_in_order():
    frame = make_votes()
    tie = frame[frame["task"] == "t1"]
    assert MajorityVote().fit_predict(tie)["t1"] == "cat"
    tie = tie.assign(label=pd.Categorical(tie["label"], ["eel", "dog", "cat"]))
    model = MajorityVote().fit(tie)
    assert model.labels_["t1"] == "dog"
    assert model.probas_.columns.tolist() == ["eel", "dog", "cat"]
    assert model.set_params(classes=["cat", "dog"]).fit(tie).labels_["t1"] == "cat"
    assert model.probas_.shape == (1, 2)


def test_the_classes_are_those_that_are_listed():
    frame = make_votes()
    model = MajorityVote(classes=["eel", "dog", "cat"]).fit(frame)
    assert model.labels_["t1"] == "dog"
    assert model.probas_["eel"].eq(0.0).all()
    with pytest.raises(FrameError, match=r"'cat', which is none of the classes \('eel', 'dog'\)"):
        MajorityVote(classes=["eel", "dog"]).fit(frame)
    with pytest.raises(FrameError, match="'eel' 2 times"):
        MajorityVote(classes=["eel", "eel"]).fit(frame)


@pytest.mark.parametrize("kind", ALL)
def test_a_frame_without_rows_gives_empty_results(kind):
    model = kind().fit(make_votes()).fit(pd.DataFrame([], columns=COLUMNS))
    assert_series_equal(model.labels_, pd.Series(dtype=float, name="agg_label"))
    assert_series_equal(model.priors_, pd.Series(dtype=float, name="prior"))
    assert_frame_equal(model.probas_, pd.DataFrame())
    assert_frame_equal(model.errors_, pd.DataFrame())
    assert model.skills_.empty


@pytest.mark.parametrize("missing", COLUMNS)
@pytest.mark.parametrize("method", ["fit", "fit_predict", "fit_predict_proba"])
def test_a_missing_column_is_named(missing, method):
    frame = make_votes().drop(columns=missing)
    with pytest.raises(KeyError) as caught:
        getattr(CalibratedDawidSkene(), method)(frame)
    assert isinstance(caught.value, MissingColumnError)
    assert str(caught.value).startswith(f"there is no column {missing!r}: the columns are '")


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA])
def test_a_row_without_a_value_is_named(column, nothing):
    frame = make_votes().astype(object)
    frame.loc[[3, 8], column] = nothing
    with pytest.raises(
        FrameError, match=f"'{column}' holds nothing in 2 of 24 rows, first in row 3"
    ):
        MajorityVote().fit(frame)


def test_what_is_no_frame_of_single_labels_is_refused_with_what_to_do():
    with pytest.raises(
        TypeError, match="a DataFrame of pandas or Polars or an Arrow Table is need"
    ):
        MajorityVote().fit(make_votes().to_dict("list"))
    lazy = CONVERT["polars"](make_votes()).lazy()
    with pytest.raises(TypeError, match=r"LazyFrame; call its collect\(\) first"):
        MajorityVote().fit(lazy)
    lists = make_votes().assign(label=[["cat"]] * 24)
    with pytest.raises(FrameError, match=r"values of type list.*take MultiLabelCalibrated"):
        MajorityVote().fit(lists)
    twice = pd.concat([make_votes(), make_votes()["label"]], axis=1)
    with pytest.raises(FrameError, match="2 columns are called 'label'"):
        MajorityVote().fit(twice)


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (CalibratedDawidSkene(n_iter=0), "n_iter=0 is not a number of 1 or more"),
        (CalibratedDawidSkene(mix=1.5), "mix=1.5 is not a number of 0 or more, 1 at most"),
        (CalibratedDawidSkene(strength=0), "strength=0 is not a number above 0"),
        (CalibratedDawidSkene(dependence=-1), "dependence=-1 is not a number"),
        (WeightedVote(tol=float("nan")), "tol=nan is not a number of 0 or more"),
        (WeightedVote(smoothing="1"), "smoothing='1' is not a number above 0"),
        (EBCC(n_subtypes=0), "n_subtypes=0 is not a number of 1 or more"),
        (EBCC(n_subtypes=1.5), "n_subtypes=1.5 is not a whole number"),
        (DawidSkene(n_iter=2.5), "n_iter=2.5 is not a whole number"),
        (DawidSkene(n_iter=float("inf")), "n_iter=inf is not a number of 0 or more"),
        (DawidSkene(strength=float("inf")), "strength=inf is not a number above 0"),
        (MajorityVote(classes="dog"), "classes='dog' is no list of labels"),
        (MajorityVote(classes=["dog", None]), "classes names None, which is no label"),
        (MajorityVote(classes=[["dog"], "cat"]), r"classes names \['dog'\], which is no label"),
        (MajorityVote(on_missing_skill="drop"), "'drop' is not error, ignore or value"),
        (MajorityVote(on_missing_skill="value"), "needs a default_skill"),
        (DawidSkene(initial_error_strategy="add"), "'add' is not addition or assign"),
    ],
    ids=repr,
)
def test_a_setting_out_of_range_is_named(model, problem):
    with pytest.raises(ValueError, match=problem):
        model.fit(make_votes())


@pytest.mark.parametrize("kind", SKILLED)
def test_known_labels_are_kept_and_judge_the_workers(kind):
    votes = make_votes()
    model = kind()
    before = model.fit(votes).skills_
    known = pd.Series({"t2": "cat", "t4": "cat", "t9": "dog"})
    labels = model.fit_predict(votes, known)
    assert labels["t2"] == labels["t4"] == "cat"
    assert model.probas_.loc["t4"].tolist() == [1.0, 0.0]
    assert model.confidences_["t4"] == 1.0
    assert model.skills_["cy"] < before["cy"]
    as_frame = pd.DataFrame({"task": known.index, "label": known.values})
    for same in (known.to_dict(), as_frame, CONVERT["polars"](as_frame)):
        assert_frame_equal(kind().fit_predict_proba(votes, true_labels=same), model.probas_)
    with pytest.raises(FrameError, match="'eel', which nobody gave"):
        model.fit(votes, {"t1": "eel"})
    with pytest.raises(FrameError, match=r"\['cat'\], which nobody gave"):
        model.fit(votes, {"t1": ["cat"]})
    with pytest.raises(FrameError, match="a task is there twice"):
        model.fit(votes, pd.Series(["cat", "dog"], ["t1", "t1"]))


def test_skills_weigh_the_votes():
    votes = make_votes()
    skills = pd.Series({"ann": 0.2, "bob": 0.2, "cy": 0.2, "di": 9.0, "eve": 0.2})
    model = MajorityVote().fit(votes, skills)
    assert (
        model.labels_.to_dict()
        == votes[votes["worker"] == "di"].set_index("task")["label"].to_dict()
    )
    assert model.probas_.loc["t2", "cat"] == pytest.approx(9.2 / 9.8)
    with pytest.raises(ValueError, match="no skill is known of 1 workers, 'di' among them"):
        model.fit(votes, skills.drop("di"))
    model = MajorityVote(on_missing_skill="value", default_skill=1_000_000)
    assert model.fit(votes, skills.drop("di")).labels_["t2"] == "cat"
    model = MajorityVote(on_missing_skill="ignore")
    assert model.fit(votes, skills.replace(9.0, np.nan)).skills_.index.tolist() == [
        "ann", "bob", "cy", "eve",
    ]  # fmt: skip
    alone = votes[votes["worker"] != "di"]
    assert_frame_equal(model.probas_, MajorityVote().fit(alone).probas_)
    with pytest.raises(ValueError, match="5 tasks have no answer of a worker whose skill is known"):
        model.fit(votes, pd.Series([], dtype=float))
    with pytest.raises(ValueError, match="not negative"):
        MajorityVote().fit(votes, skills * -1)


def make_history(amounts):
    """Counts of earlier answers by worker and label given, a column for each true class."""
    index = pd.MultiIndex.from_product(
        [["ann", "bob", "cy", "di", "eve", "zed"], ["dog", "cat", "eel"]], names=["worker", "label"]
    )
    table = pd.DataFrame(0.0, index, ["dog", "cat", "eel"])
    for (worker, given, true), amount in amounts.items():
        table.loc[(worker, given), true] = amount
    return table


def test_what_was_seen_of_workers_before_counts_with_what_they_say_now():
    votes = make_votes()
    model = DawidSkene(initial_error_strategy="addition")
    assert_frame_equal(
        model.fit_predict_proba(votes, initial_error=make_history({})),
        DawidSkene().fit_predict_proba(votes),
    )
    wrong = {(worker, "dog", "cat"): 99 for worker in ("ann", "bob", "cy")}
    right = {(worker, "cat", "cat"): 99 for worker in ("di", "eve")}
    history = make_history(wrong | right)
    assert model.fit(votes, initial_error=history).labels_["t2"] == "cat"
    of_ann = make_history({("ann", "dog", "cat"): 99})
    assert_frame_equal(
        model.fit_predict_proba(votes, initial_error=history[:3]),
        model.fit_predict_proba(votes, initial_error=of_ann),
    )
    columns = history.reset_index()
    assert model.fit(votes, initial_error=columns).labels_["t2"] == "cat"
    assert model.fit(votes, initial_error=CONVERT["arrow"](columns)).labels_["t2"] == "cat"
    with pytest.raises(ValueError, match="set initial_error_strategy to"):
        DawidSkene().fit(votes, initial_error=history)
    with pytest.raises(FrameError, match="neither an index nor a column 'label'"):
        model.fit(votes, initial_error=columns.drop(columns="label"))
    with pytest.raises(ValueError, match="not negative"):
        model.fit(votes, initial_error=-history)


def test_errors_count_what_was_seen_before():
    history = make_history({("cy", "dog", "dog"): 0.4, ("cy", "cat", "dog"): 0.8})
    model = DawidSkene(0, initial_error_strategy="addition")
    errors = model.fit(make_votes(), initial_error=history).errors_
    # Of the votes of cy 1.6 are dog where dog is true, and 0.6 cat; 0.4 and 0.8 are added.
    np.testing.assert_allclose(errors.loc["cy"].loc["dog"], [0.4 / 1.8, 2.0 / 3.4])
    np.testing.assert_allclose(errors.loc["cy"].loc["cat"], [1.4 / 1.8, 1.4 / 3.4])
    assert (
        errors.loc[["ann"]].to_numpy() == MajorityVote().fit(make_votes()).errors_.loc[["ann"]]
    ).all(axis=None)


def test_what_is_known_of_workers_can_replace_what_they_say_now():
    votes, rates = make_votes(), make_history({}).drop(["zed"]).drop("eel", level="label")
    rates = rates.drop(columns="eel")
    for worker in ("ann", "bob", "cy", "eve"):
        rates.loc[worker] = [[0.5, 0.5], [0.5, 0.5]]
    rates.loc["di"] = [[0.9, 0.2], [0.1, 0.8]]
    model = DawidSkene(initial_error_strategy="assign").fit(votes, initial_error=rates)
    of_di = votes[votes["worker"] == "di"].set_index("task")["label"]
    assert model.labels_.to_dict() == of_di.to_dict()
    np.testing.assert_allclose(model.errors_.loc["di"].loc["dog"], [0.2, 0.9], rtol=1e-6)
    np.testing.assert_allclose(model.skills_["ann"], 0.5, rtol=1e-6)
    assert_frame_equal(model.fit_predict_proba(votes, initial_error=rates * 7), model.probas_)
    for lacking in (rates.drop("di"), rates * 0):
        with pytest.raises(ValueError, match=r"tells nothing of worker '.*' where 'cat' is true"):
            model.fit(votes, initial_error=lacking)
    assert model.fit(votes).labels_["t1"] == "dog"


@pytest.mark.parametrize("known", [None, pd.Series({"t1": "dog", "t2": "dog"})])
def test_without_a_round_the_result_is_the_shares_of_the_votes(known):
    votes = make_votes()
    model = DawidSkene(0).fit(votes, known)
    expected = MajorityVote().fit(votes).probas_
    if known is not None:
        expected.loc[known.index] = [0.0, 1.0]
    assert_frame_equal(model.probas_, expected)


def test_errors_are_how_often_a_label_was_given_where_a_class_is_true():
    errors = MajorityVote().fit(make_votes()).errors_
    # cy says dog on t2 and t4, cat on t3 and t5, whose shares for dog are 0.6, 1, 0.4 and 0.2.
    np.testing.assert_allclose(errors.loc["cy"].loc["dog"], [0.4 / 1.8, 1.6 / 2.2])
    np.testing.assert_allclose(errors.loc["cy"].loc["cat"], [1.4 / 1.8, 0.6 / 2.2])
    # eve says dog on t4 alone, which is no cat.
    np.testing.assert_allclose(errors.loc["eve"].loc["dog"], [0.0, 1.0 / 2.7], atol=1e-9)


def test_a_worker_with_two_labels_has_two_votes_and_a_single_answer_is_not_sure():
    frame = pd.DataFrame([(1, "a", "x"), (1, "a", "y"), (2, "b", "x")], columns=COLUMNS)
    probas = MajorityVote().fit_predict_proba(frame)
    assert probas.loc[1].tolist() == [0.5, 0.5]
    np.testing.assert_allclose(probas.loc[2], [0.7, 0.3])


def test_one_coin_takes_all_errors_of_a_worker_for_alike():
    """Mix always takes cats for dogs: a dog of mix may be a cat, and is never an eel."""
    rows = [
        (f"{label}{at}", worker, "dog" if worker == "mix" and label == "cat" else label)
        for label in ("cat", "dog", "eel")
        for at in range(20)
        for worker in ("ann", "bob", "cy", "mix")
    ]
    frame = pd.DataFrame([*rows, ("x", "mix", "dog"), ("x", "di", "dog")], columns=COLUMNS)
    probas = DawidSkene().fit_predict_proba(frame).loc["x"]
    assert probas["cat"] > 5 * probas["eel"]
    model = OneCoinDawidSkene().fit(frame)
    assert model.probas_.loc["x", "cat"] == pytest.approx(model.probas_.loc["x", "eel"], rel=0.01)
    assert model.labels_["x"] == "dog"
    assert model.skills_["ann"] > 0.95 > 0.7 > model.skills_["mix"] > 0.6
    begun = OneCoinDawidSkene(0).fit_predict_proba(frame)
    assert_frame_equal(begun, MajorityVote().fit_predict_proba(frame))
