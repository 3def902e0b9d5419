import json

import pytest

from groundtruth.finishing.outcomes import ObjectOutcome, ResolvedObject
from groundtruth.finishing.summary import Summary
from groundtruth.tasks.registry import decode_label
from tests.unit.finishing.ended_jobs import builtin, chosen


def label(confidence=0.9, *, votes=None, used=0, rejected=(), status="consensus", name="a"):
    return decode_label(
        chosen(
            0,
            "Heron",
            confidence,
            status=status,
            votes=votes or {},
            answers={
                "used": used,
                "set-aside": [{"worker-id": w, "reason": r} for w, r in rejected],
            },
            algorithm={"name": name, "settings": "s"},
        ),
        None,
    )


def counted(*labels, **options):
    summary = Summary()
    for one in labels:
        summary.add(
            ResolvedObject(outcome=ObjectOutcome.LABELED, label=one),
            failure_reason="",
            requeued=False,
        )
    return summary.as_json()


@pytest.mark.parametrize(
    ("confidence", "at"),
    [(0.0, 0), (0.09, 0), (0.1, 1), (0.3, 3), (0.6, 6), (0.7, 7), (0.95, 9), (1.0, 9)],
)
def test_a_confidence_falls_into_one_of_ten_bins(confidence, at):
    expected = [0] * 10
    expected[at] = 1
    assert counted(label(confidence))["confidence"]["histogram"] == expected


@pytest.mark.parametrize(
    ("votes", "used", "expected"),
    [
        pytest.param({"Heron": 2, "Egret": 1}, 3, 2 / 3, id="majority"),
        pytest.param({"Egret": 2}, 2, 0.0, id="nobody"),
        pytest.param({"Heron": 1}, 1, None, id="a-single-answer"),
        pytest.param({}, 3, None, id="votes-not-known"),
    ],
)
def test_agreement_is_the_share_of_votes_for_the_label(votes, used, expected):
    assert label(votes=votes, used=used).agreement == expected


def test_agreement_with_several_labels_counts_each_class():
    value = {
        "class-ids": [0],
        "class-map": {"0": "reed"},
        "confidence-map": {"0": 0.75},
        "votes": {"reed": 3, "lake": 1},
        "answers": {"used": 4, "set-aside": []},
    }
    assert decode_label(value, None).agreement == 0.75


def test_the_mean_agreement_leaves_out_what_is_not_known():
    counts = counted(
        label(votes={"Heron": 3}, used=3),
        label(votes={"Heron": 1, "Egret": 1}, used=2),
        label(votes={"Heron": 1}, used=1),
        decode_label(0, builtin()),
    )
    assert counts["agreement"] == {"mean": 0.75, "objects": 2}
    assert counts["statuses"] == {"consensus": 3, "not-told": 1}


def test_answers_rejected_are_counted_by_reason_and_by_worker():
    counts = counted(
        label(used=2, rejected=[("w2", "bad-png"), ("w1", "unknown-label")]),
        label(used=1, rejected=[("w2", "bad-png"), ("w3", "cannot-be-labeled")], name="b"),
    )
    assert counts["answers"] == {
        "used": 3,
        "set-aside": 4,
        "set-aside-by-reason": {"bad-png": 2, "cannot-be-labeled": 1, "unknown-label": 1},
        "set-aside-by-worker": {"w1": 1, "w2": 2},
    }
    assert counts["algorithms"] == [
        {"name": "a", "settings": "s", "objects": 1},
        {"name": "b", "settings": "s", "objects": 1},
    ]


def test_workers_have_the_names_they_are_given():
    summary = Summary()
    labelled = label(used=1, rejected=[("w2", "bad-png"), ("w1", "bad-png"), ("w2", "bad-png")])
    summary.add(
        ResolvedObject(outcome=ObjectOutcome.LABELED, label=labelled),
        failure_reason="",
        requeued=False,
    )
    workers = summary.as_json(lambda worker: f"x{worker}")["answers"]["set-aside-by-worker"]
    assert workers == {"xw1": 1, "xw2": 2}


def test_reasons_of_failure_take_no_more_room_than_they_may():
    summary = Summary()
    for at in range(250):
        failed = ResolvedObject(outcome=ObjectOutcome.FAILED)
        summary.add(failed, failure_reason=f"{at}: " + "x" * 1000, requeued=True)
    reasons = summary.as_json()["failed-by-reason"]
    assert sum(reasons.values()) == 250
    assert reasons["other reasons"] == 150
    assert len(json.dumps(reasons)) < 25_000


def test_a_job_without_a_label_has_no_means():
    counts = Summary().as_json()
    assert counts["confidence"]["mean"] is None
    assert counts["agreement"]["mean"] is None
