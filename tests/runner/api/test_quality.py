"""Tables of the quality of labels and workers."""

import numpy as np
import pandas as pd
import pytest

from labeljob import (
    AwsBuiltin,
    CalibratedDawidSkene,
    FrameError,
    MajorityVote,
    MultiLabelCalibrated,
    MultiLabelMajorityVote,
    SegmentationFusion,
    label_quality,
    worker_quality,
)
from tests.runner.api.answer_frames import (
    COLUMNS,
    CONVERT,
    make_crowd,
    make_sets,
    make_votes,
    plain,
)

nan = float("nan")


def check(table, expected):
    """Compare columns with what they should hold, numbers nearly."""
    assert table.columns.tolist() == list(expected)
    for name, values in expected.items():
        if isinstance(values[0], float):
            np.testing.assert_allclose(table[name], values, err_msg=name)
        else:
            assert table[name].tolist() == values, name


def test_labels_of_one_class():
    table = label_quality(make_votes(), MajorityVote())
    assert (table.index.name, table.index.tolist()) == ("task", ["t1", "t2", "t3", "t4", "t5"])
    check(
        table,
        {
            "label": ["cat", "dog", "cat", "dog", "cat"],
            "confidence": [0.5, 0.6, 0.6, 1.0, 0.8],
            "score": [0.0, 0.2, 0.2, 1.0, 0.6],
            "agreement": [0.5, 0.6, 0.6, 1.0, 0.8],
            "answers": [4, 5, 5, 5, 5],
        },
    )


def test_workers_of_one_class():
    table = worker_quality(make_votes(), MajorityVote())
    assert (table.index.name, table.index.tolist()) == ("worker", ["ann", "bob", "cy", "di", "eve"])
    found = table["worst_label"]
    check(
        table.drop(columns="worst_label"),
        {
            "answers": [5, 5, 4, 5, 5],
            "skill": [0.6, 0.8, 1.0, 0.4, 0.8],
            "agreement": [0.6, 0.8, 1.0, 0.4, 0.8],
            # Most of the others say dog where eve says cat on t1, are divided on t3 ...
            "others": [1.5 / 5, 3 / 5, 3 / 4, 2 / 5, 2.5 / 5],
        },
    )
    assert found[["ann", "bob", "di", "eve"]].tolist() == ["cat", "cat", "cat", "dog"]
    assert pd.isna(found["cy"])


def test_an_answer_that_nobody_confirms_is_no_agreement():
    frame = pd.DataFrame([(1, "ann", "cat"), (2, "ann", "cat"), (2, "bob", "cat")], columns=COLUMNS)
    assert label_quality(frame)["agreement"].tolist() == pytest.approx([nan, 1.0], nan_ok=True)
    alone = frame[:1]
    table = worker_quality(alone)
    assert table["answers"].tolist() == [1]
    assert table[["agreement", "others"]].isna().all(axis=None)


def test_several_labels():
    table = label_quality(make_sets(), MultiLabelMajorityVote())
    check(
        table,
        {
            "label": [["house", "tree"], ["car"], ["tree", "car"]],
            "confidence": [2 / 3, 2 / 3, 0.7],
            "score": [1 / 3, 1 / 3, 0.4],
            # p1: house all three, tree two of three, grass (not a label) two of three.
            "agreement": [(1 + 2 / 3 + 2 / 3) / 3, 2 / 3, nan],
            "answers": [3, 3, 1],
        },
    )
    workers = worker_quality(make_sets(), MultiLabelMajorityVote())
    np.testing.assert_allclose(workers["skill"], [1.0, 0.5, (2 / 3 + 0 + 1) / 3])
    np.testing.assert_allclose(workers["agreement"], [1.0, 0.5, 1 / 3])
    # On p1 the others of ann both ticked house, those of bob house and tree, those of cy house; on
    # p2 only those of cy have a label in common, which is not that of cy.
    np.testing.assert_allclose(workers["others"], [0.5 / 2, 0.5 / 2, 1 / 3 / 2])
    assert workers["answers"].tolist() == [2, 2, 3]
    assert pd.isna(workers["worst_label"]["ann"])
    assert workers["worst_label"]["bob"] in ("tree", "human")


def test_the_lowest_scores_are_the_wrong_labels_first():
    crowd, truth = make_crowd(120)
    table = label_quality(crowd)
    wrong = table["label"] != pd.Series(truth)[table.index]
    order = table["score"].rank().to_numpy()
    # How often a wrong label has a lower score than a right one.
    below = (order[wrong][:, np.newaxis] < order[~wrong]).mean()
    assert 10 < wrong.sum() < 60
    assert below > 0.7


@pytest.mark.parametrize("aggregator", [None, CalibratedDawidSkene(), AwsBuiltin()])
def test_a_copy_of_the_aggregator_is_fitted(aggregator):
    votes = make_votes()
    expected = (aggregator or CalibratedDawidSkene()).fit_predict(votes)
    given = None if aggregator is None else type(aggregator)()
    assert label_quality(votes, given)["label"].tolist() == expected.tolist()
    assert not hasattr(given, "labels_")


@pytest.mark.parametrize("library", CONVERT)
def test_tables_of_other_libraries(library):
    for frame, aggregator in ((make_votes(), None), (make_sets(), MultiLabelCalibrated())):
        for tabulate in (label_quality, worker_quality):
            expected = tabulate(frame, aggregator).reset_index()
            table = tabulate(CONVERT[library](frame), aggregator)
            assert type(table) is type(CONVERT[library](frame))
            found = table.to_pandas()
            assert list(found.columns) == list(expected.columns)
            for name in expected.columns:
                plain = [list(x) if isinstance(x, np.ndarray) else x for x in found[name]]
                same = [
                    a == b or (pd.isna(a) and pd.isna(b))
                    for a, b in zip(plain, expected[name], strict=True)
                ]
                assert all(same), name


@pytest.mark.parametrize("tabulate", [label_quality, worker_quality])
def test_what_is_no_frame_or_no_classifier_is_refused(tabulate):
    with pytest.raises(TypeError, match=r"SegmentationFusion.* is no classifier of labels"):
        tabulate(make_votes(), SegmentationFusion())
    with pytest.raises(FrameError, match="there is no column 'worker'"):
        tabulate(make_votes().drop(columns="worker"))
    empty = tabulate(pd.DataFrame([], columns=COLUMNS))
    assert empty.empty
    assert "answers" in empty.columns


@pytest.mark.parametrize("convert", [pd.DataFrame, *CONVERT.values()])
def test_who_never_disagrees_has_no_worst_label(convert):
    votes = make_votes()
    frame = convert(votes.assign(label=votes["label"] == "cat"))
    table = worker_quality(frame, MajorityVote())
    found = {worker: row[-1] for worker, row in plain(table).items()}
    assert found == {"ann": True, "bob": None, "cy": None, "di": False, "eve": False}
