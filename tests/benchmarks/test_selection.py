"""Numbers are chosen without the sets and crews that judge the choice."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.classification.methods import votes_of
from benchmarks.classification.selection import (
    FIXED,
    FREE,
    REFERENCES,
    SHIPPED,
    Group,
    Scored,
    choose,
    list_folds,
    list_settings,
    score_folds,
    score_group,
    select,
    weigh_halves,
)
from benchmarks.common.record import rows_of
from benchmarks.synthetic.kinds import draw_kind
from groundtruth.aggregation.classification.calibrated import calibrated

SETTINGS = list_settings()


def scored(name, briers, *, half="real", family="set"):
    """A group of two items with a Brier score for shipped, fixed, free and two of the grid."""
    group = Group(half=half, family=family, name=name, crowds=())
    table = np.repeat(np.array(briers, dtype=np.float64)[:, np.newaxis], 2, axis=1)
    return Scored(group=group, brier=table, ece=np.zeros(len(briers)))


def crowd(name="copying pairs", n_objects=60):
    return draw_kind(name, n_classes=2, per_object=3, n_objects=n_objects, seed=1).crowd


GROUPS = [
    scored("first", [0.5, 0.0, 0.0, 0.3, 0.4]),
    scored("second", [0.5, 0.0, 0.0, 0.4, 0.3]),
    scored("third", [0.5, 0.0, 0.0, 0.6, 0.1]),
    scored("crew", [0.5, 0.0, 0.0, 0.4, 0.4], half="synthetic", family="crew"),
]


def test_what_is_left_out_has_no_say_in_the_choice():
    folds = list(list_folds(GROUPS))
    assert [name for name, _ in folds[:4]] == ["first", "second", "third", "crew"]
    for place, (_, members) in enumerate(folds[:4]):
        assert members == [GROUPS[place]]
        for briers in ([9, 9, 9, 9, 0], [9, 9, 9, 0, 9], [0, 9, 9, 9, 9]):
            changed = [*GROUPS]
            changed[place] = replace(GROUPS[place], brier=np.repeat([briers], 2, axis=0).T)
            assert choose(changed, [changed[place]]) == choose(GROUPS, members)


def test_the_others_decide():
    assert choose(GROUPS, [GROUPS[0]]) == 4
    assert choose(GROUPS, [GROUPS[1], GROUPS[2]]) == 3
    assert choose(GROUPS, []) == 4


def test_families_and_halves_are_left_out_together():
    more = scored("another", [0.0] * 5, half="synthetic", family="crew")
    kind = scored("kind", [0.0] * 5, half="synthetic", family="kind")
    folds = dict(list(list_folds([*GROUPS, more, kind]))[6:])
    assert {name: [one.group.name for one in members] for name, members in folds.items()} == {
        "all crews of the workforce": ["crew", "another"],
        "all real ones": ["first", "second", "third"],
        "all synthetic ones": ["crew", "another", "kind"],
    }


def test_a_careful_choice_costs_no_set_much():
    groups = [
        scored("first", [0.301, 0.3, 0.0, 0.305, 0.3015]),
        scored("crew", [0.3, 0.3, 0.0, 0.1, 0.2], half="synthetic", family="crew"),
    ]
    assert choose(groups, []) == 3
    assert choose(groups, [], careful=True) == 4
    assert choose(groups, [groups[0]], careful=True) == 3


def test_halves_weigh_the_same_and_so_do_groups_in_them():
    means = weigh_halves([*GROUPS[:2], GROUPS[3]])
    np.testing.assert_allclose(means[:, 0], [0.5, 0.0, 0.0, (0.35 + 0.4) / 2, (0.35 + 0.4) / 2])


def test_each_job_of_a_group_counts_the_same():
    small, large = crowd(n_objects=30), crowd(n_objects=90)
    one = Group(half="synthetic", family="kind", name="both", crowds=(small, large))
    both = score_group(one, [SHIPPED, FIXED])
    parts = [score_group(replace(one, crowds=(part,)), [SHIPPED, FIXED]) for part in one.crowds]
    np.testing.assert_allclose(both.means, np.mean([part.means for part in parts], axis=0))
    assert both.brier.shape == (2, 120)


def test_the_shipped_setting_is_the_default_and_references_are_its_ends():
    job = crowd()
    found = score_group(Group(half="real", family="set", name="a", crowds=(job,)), SETTINGS[:3])
    ours = calibrated(votes_of(job)).posterior.dense()
    expected = ((ours - np.eye(2)[job.gold]) ** 2).sum(axis=1)
    np.testing.assert_allclose(found.brier[0], expected)
    evidence = calibrated(votes_of(job)).evidence.total
    assert evidence.estimate_dependence(FIXED) == 1.0
    assert evidence.estimate_dependence(FREE) == 0.0
    assert SETTINGS[: len(REFERENCES)] == [SHIPPED, FIXED, FREE]
    assert SETTINGS.count(SHIPPED) == 1


@pytest.mark.slow
def test_a_result_has_every_setting_every_fold_and_their_means():
    groups = [
        Group(half="real", family="set", name="a set", crowds=(crowd(), crowd(n_objects=30))),
        Group(half="synthetic", family="kind", name="a crew", crowds=(crowd("10 % yes"),)),
    ]
    found = select(groups)
    assert len(rows_of(found["settings"])) == len(SETTINGS)
    assert found["tried"]["grid"] == len(SETTINGS) - 2
    folds = rows_of(found["folds"])
    assert [fold["left_out"] for fold in folds[:2]] == ["a set", "a crew"]
    assert [row["folds"] for row in rows_of(found["averages"])] == [1, 1]
    for fold in folds:
        assert fold["gain_chosen"] == pytest.approx(
            fold["brier_chosen"] - fold["brier_fixed"], abs=1e-4
        )


def test_folds_say_what_was_chosen_without_them():
    (first, *_) = score_folds(GROUPS, SETTINGS[:5])
    assert first["left_out"] == "first"
    assert first["dependent_chosen"] == SETTINGS[4].dependent
    assert (first["brier_chosen"], first["brier_shipped"]) == (0.4, 0.5)
    assert first["gain_chosen"] == pytest.approx(0.4)
