"""Masks of a frame, consolidated."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from labeljob.api.arrow_frames import make_mask_column, to_frame
from labeljob.api.base import clone
from labeljob.api.frames import FrameError, MissingColumnError
from labeljob.api.segmentation import SegmentationFusion

CAREFUL = [[0, 1, 1, 0], [2, 2, 0, 0]]
SLIP = [[0, 1, 0, 0], [2, 2, 0, 0]]
FLOOD = [[2, 2, 2, 2], [2, 2, 2, 2]]
ROWS = [("b", "ann", CAREFUL), ("b", "bob", CAREFUL), ("b", "cy", SLIP), ("a", "ann", FLOOD)]


def frame_of(rows, dtype=np.int64):
    cells = [(task, worker, np.array(mask, dtype)) for task, worker, mask in rows]
    return pd.DataFrame(cells, columns=["task", "worker", "segmentation"])


def in_polars(frame):
    masks = make_mask_column("polars", list(frame["segmentation"]))
    return pl.from_pandas(frame[["task", "worker"]]).with_columns(segmentation=masks)


def as_objects(frame):
    return in_polars(frame).with_columns(
        segmentation=pl.Series(list(frame["segmentation"]), dtype=pl.Object)
    )


def in_arrow(frame):
    table = in_polars(frame).drop("segmentation").to_arrow()
    return to_frame(table, "arrow", segmentations=list(frame["segmentation"]))


def lists(labels):
    return [mask.tolist() for mask in labels]


def test_each_pixel_gets_the_class_of_most_masks():
    fusion = SegmentationFusion().fit(frame_of(ROWS))
    assert lists(fusion.labels_) == [FLOOD, CAREFUL]
    assert fusion.labels_.name == "agg_segmentation"
    assert fusion.labels_.index.tolist() == ["a", "b"]
    assert fusion.labels_.index.name == "task"
    assert fusion.labels_["b"].dtype == np.int64
    assert fusion.segmentations_ is fusion.labels_
    quality = fusion.quality_.loc["b"]
    assert (quality["disputed_share"], quality["tied_share"]) == (1 / 8, 0)
    assert quality["confidence"] == pytest.approx(1 - 1 / 24)
    assert fusion.quality_["answers"].tolist() == [1, 3]


@pytest.mark.parametrize("convert", [in_polars, as_objects, in_arrow])
def test_frames_of_other_libraries_say_the_same(convert):
    frame = frame_of(ROWS)
    expected = SegmentationFusion(disagreement_map=True).fit(frame)
    found = SegmentationFusion(disagreement_map=True).fit(convert(frame))
    kind = type(convert(frame))
    for name in ("labels_", "probas_", "quality_", "skills_", "weights_", "disagreements_"):
        table = getattr(found, name)
        assert isinstance(table, kind)
        columns = table.to_dict(as_series=False) if kind is pl.DataFrame else table.to_pydict()
        ids, *values = columns.values()
        wanted = getattr(expected, name)
        assert list(ids) == wanted.index.tolist()
        wanted = [wanted] if wanted.ndim == 1 else [wanted[column] for column in wanted]
        for column, own in zip(wanted, values, strict=True):
            for first, second in zip(column, own, strict=True):
                np.testing.assert_array_equal(first, second)


def test_masks_of_true_and_false_stay_so():
    rows = [("t", worker, np.array(CAREFUL) == 1) for worker in "abc"]
    fusion = SegmentationFusion().fit(frame_of(rows, np.bool_))
    assert fusion.labels_["t"].dtype == np.bool_
    assert lists(fusion.labels_) == [(np.array(CAREFUL) == 1).tolist()]
    assert fusion.probas_.columns.tolist() == [False, True]


def test_a_tie_goes_to_the_lowest_class():
    rows = [("t", "ann", [[1, 2]]), ("t", "bob", [[0, 3]])]
    assert lists(SegmentationFusion().fit_predict(frame_of(rows))) == [[[0, 2]]]


def test_the_order_of_rows_does_not_matter():
    frame = frame_of(ROWS)
    for algorithm in ("weighted", "majority", "one-coin-em"):
        first = SegmentationFusion(algorithm).fit(frame)
        second = SegmentationFusion(algorithm).fit(frame.iloc[::-1])
        assert lists(first.labels_) == lists(second.labels_)
        pd.testing.assert_frame_equal(first.probas_, second.probas_)


def test_the_last_mask_of_a_worker_counts():
    rows = [("t", "ann", FLOOD), ("t", "ann", CAREFUL)]
    fusion = SegmentationFusion().fit(frame_of(rows))
    assert lists(fusion.labels_) == [CAREFUL]
    assert fusion.quality_["answers"].tolist() == [1]


def test_careless_workers_weigh_less():
    random = np.random.default_rng(3)
    rows = []
    for task in range(21):
        truth = random.integers(0, 3, (6, 6))
        for worker in ("ann", "bob", "cy") if task < 20 else ("ann",):
            slip = truth.copy()
            slip.flat[random.integers(36)] = random.integers(3)
            rows.append((task, worker, slip))
        rows += [(task, worker, np.full((6, 6), 2)) for worker in ("xan", "yul")]
    frame = frame_of(rows)
    weighted = SegmentationFusion().fit(frame)
    assert (weighted.weights_[["ann", "bob", "cy"]] == 1).all()
    assert (weighted.weights_[["xan", "yul"]] < 0.5).all()
    assert weighted.skills_["ann"] > 2 * weighted.skills_["xan"]
    assert not (weighted.labels_[20] == 2).all()
    assert (SegmentationFusion("majority").fit_predict(frame)[20] == 2).all()


SKILLS = {"ann": 1, "bob": 1, "cy": 3}


@pytest.mark.parametrize("algorithm", ["weighted", "majority"])
@pytest.mark.parametrize(
    "skills",
    [
        SKILLS,
        pd.Series(SKILLS).rename_axis("worker"),
        pl.DataFrame({"worker": list(SKILLS), "skill": list(SKILLS.values())}),
    ],
    ids=["mapping", "series", "frame"],
)
def test_the_skills_of_workers_can_be_told(algorithm, skills):
    fusion = SegmentationFusion(algorithm).fit(frame_of(ROWS), skills)
    assert lists(fusion.labels_) == [FLOOD, SLIP]
    assert fusion.weights_.to_dict() == SKILLS
    assert fusion.quality_["confidence"]["b"] == pytest.approx(1 - 2 / 5 / 8)


@pytest.mark.parametrize(
    ("algorithm", "skills", "problem"),
    [
        ("majority", {"ann": 1, "bob": 1}, "nothing for 1 workers, as 'cy'"),
        ("majority", SKILLS | {"ann": 0}, "the skill of 'ann'=0 is not a number above 0"),
        ("one-coin-em", SKILLS, "finds skills itself"),
    ],
)
def test_skills_that_cannot_be_used_are_refused(algorithm, skills, problem):
    with pytest.raises(ValueError, match=problem):
        SegmentationFusion(algorithm).fit(frame_of(ROWS), skills)


def test_without_its_extra_a_setting_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'groundtruth-consolidation\[masks\]'"):
        SegmentationFusion(clean_up_pixels=4).fit(frame_of(ROWS))


def test_a_class_that_is_in_no_mask_can_be_named():
    probas = SegmentationFusion(n_classes=5).fit_predict_proba(frame_of(ROWS))
    assert probas.columns.tolist() == [0, 1, 2, 3, 4]
    assert ((probas > 0) & (probas <= 1)).all(axis=None)


def test_no_rows_give_no_masks():
    fusion = SegmentationFusion().fit(frame_of([]))
    assert len(fusion.labels_) == len(fusion.quality_) == len(fusion.skills_) == 0


def test_a_fit_begins_anew():
    fusion = SegmentationFusion(disagreement_map=True).fit(frame_of(ROWS))
    assert fusion.disagreements_["b"][0].tolist() == [0, 0, 148 / 255, 0]
    fusion.set_params(disagreement_map=False).fit(frame_of(ROWS[:1]))
    assert fusion.labels_.index.tolist() == ["b"]
    with pytest.raises(AttributeError, match="a setting has to ask for it before fit is called"):
        fusion.disagreements_  # noqa: B018


def test_settings_are_shown_where_they_are_not_as_usual():
    fusion = SegmentationFusion("majority", clean_up_pixels=4)
    assert repr(fusion) == "SegmentationFusion(algorithm='majority', clean_up_pixels=4)"
    assert clone(fusion.fit(frame_of(ROWS))).get_params() == fusion.get_params()


def test_specks_and_ties_can_be_retouched():
    rows = [("t", worker, [[1, 1, 1], [1, 2, 1], [1, 1, 1]]) for worker in "ab"]
    labels = SegmentationFusion(clean_up_pixels=2).fit_predict(frame_of(rows))
    assert lists(labels) == [[[1] * 3] * 3]


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        pytest.param({}, [("t", "a", [[0.5, 1.0]])], id="fractions"),
        pytest.param({}, [("t", "a", [0, 1])], id="one-dimension"),
        pytest.param({}, [("t", "a", [[]])], id="no-pixel"),
        pytest.param({}, [("t", "a", [[-1]])], id="negative"),
        pytest.param({}, [("t", "a", [[1]]), ("t", "b", [[1, 1]])], id="two-shapes"),
        pytest.param({"n_classes": 2}, [("t", "a", [[2]])], id="class-beyond"),
        pytest.param({"n_classes": 1}, ROWS, id="one-class"),
        pytest.param({"algorithm": "best"}, ROWS, id="algorithm"),
        pytest.param({"tie_break": "last"}, ROWS, id="tie-break"),
        pytest.param({"smoothing_sigma": 4}, ROWS, id="sigma"),
    ],
)
def test_what_cannot_be_used_is_refused(settings, rows):
    with pytest.raises(ValueError, match=r"row 0|row 1|is no|is none of|n_classes"):
        SegmentationFusion(**settings).fit(frame_of(rows, None))


def test_rows_of_several_lengths_are_refused():
    ragged = pl.DataFrame({"task": ["t"], "worker": ["a"], "segmentation": [[[1, 2], [3]]]})
    for frame in (ragged, ragged.to_arrow(), ragged.to_pandas()):
        with pytest.raises(FrameError, match="row 0"):
            SegmentationFusion().fit(frame)


def test_a_frame_without_masks_is_refused():
    with pytest.raises(MissingColumnError, match="segmentation"):
        SegmentationFusion().fit(pd.DataFrame({"task": ["t"], "worker": ["a"], "label": ["x"]}))
