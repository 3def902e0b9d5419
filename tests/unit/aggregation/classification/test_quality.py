"""What the default algorithm must reach on real crowds."""

import numpy as np
import pytest

from benchmarks.common.crowds import real_crowds, subsample
from benchmarks.common.scores import auroc, scores
from groundtruth.aggregation.classification.calibrated import calibrated
from groundtruth.aggregation.classification.majority import majority
from groundtruth.aggregation.classification.votes import Votes
from tests.real_data import real_data

pytestmark = pytest.mark.slow

SMALL_SETS = ("bluebird", "dog", "face", "labelme", "web", "music", "rte", "CF", "barzan")


def votes_of(crowd):
    sizes = (crowd.n_items, crowd.n_workers, crowd.n_classes)
    return Votes(crowd.items, crowd.workers, crowd.classes, *sizes)


def test_labels_and_confidences_of_the_real_job():
    (crowd,) = real_crowds(real_data("birds-job").parent, ["birds"])
    found = scores(calibrated(votes_of(crowd)).posterior.dense(), crowd.gold)
    assert found["accuracy"] >= 0.900
    assert found["auroc"] >= 0.85
    assert found["ece"] <= 0.03


@pytest.mark.parametrize("n_votes", [3, 5])
def test_labels_are_righter_and_surer_than_the_majority(n_votes):
    folder = real_data("classification").parent
    ours, plain = [], []
    for crowd in real_crowds(folder, SMALL_SETS):
        smaller = subsample(crowd, n_votes, seed=0)
        votes = votes_of(smaller)
        ours.append(scores(calibrated(votes).posterior.dense(), crowd.gold))
        plain.append(scores(majority(votes), crowd.gold))
    for measure, sign in (("accuracy", 1), ("log_loss", -1), ("brier", -1), ("ece", -1)):
        gain = np.mean([a[measure] - b[measure] for a, b in zip(ours, plain, strict=True)])
        assert sign * gain > 0.01


def test_ties_of_confidence_count_half():
    right = np.array([True, True, False, False])
    assert auroc(np.array([0.9, 0.5, 0.5, 0.1]), right) == 0.875
