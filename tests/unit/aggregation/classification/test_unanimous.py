import numpy as np
import pytest

from groundtruth.aggregation.classification.calibrated import CalibratedSettings, calibrated
from groundtruth.aggregation.classification.counts import WorkerCounts
from groundtruth.aggregation.classification.em import VoteData
from groundtruth.aggregation.classification.votes import Votes
from groundtruth.aggregation.classification.weighted import weighted
from tests.unit.aggregation.classification.crowds import from_table, known


@pytest.mark.parametrize("algorithm", [calibrated, weighted])
@pytest.mark.parametrize("n_classes", [2, 10, 30])
def test_a_weak_worker_who_agrees_takes_nothing_from_a_good_one(algorithm, n_classes):
    skills = known([0.98, 0.6], n_classes)
    alone = algorithm(from_table([[1, -1]], n_classes), prior_counts=skills).posterior
    both = algorithm(from_table([[1, 1]], n_classes), prior_counts=skills).posterior
    assert both.labels.tolist() == [1]
    assert both.confidences[0] >= alone.confidences[0] - 1e-3


def test_the_other_classes_share_what_is_left_as_before():
    votes = from_table([[1, 1]], 3)
    plain = calibrated(votes, prior_counts=known([0.7, 0.7], 3)).posterior.dense()[0]
    table = calibrated(votes, prior_counts=known([0.98, 0.6], 3)).posterior.dense()[0]
    assert table.sum() == pytest.approx(1)
    assert table[0] == pytest.approx(table[2])
    assert table[0] < plain[0]


def test_a_worker_is_capped_there_too():
    skills = known([0.98, 0.6], 4)
    caps = np.array([0.1, 1.0])
    free = calibrated(from_table([[1, 1]], 4), prior_counts=skills)
    capped = calibrated(from_table([[1, 1]], 4), prior_counts=skills, max_weights=caps)
    assert capped.posterior.confidences[0] < free.posterior.confidences[0] - 0.1


@pytest.mark.parametrize("n_classes", [3, 30])
def test_only_a_label_is_raised(n_classes):
    votes = Votes(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([1, 1, 0]), 2, 2, n_classes)
    data = VoteData.from_votes(votes, known([0.98, 0.98], n_classes), gold=np.array([2, -1]))
    posterior = data.layout.normalize(data.start() + 1.0)
    cell = data.cells[0]
    other = data.layout.find_cells(np.array([0]), np.array([2]))
    posterior[cell], posterior[other] = 0.3, 0.2
    raised = data.raise_to_floor(posterior, data.start(), 12.0)
    assert raised[cell] > 0.8
    assert np.array_equal(raised[data.layout.items == 1], posterior[data.layout.items == 1])
    posterior[other] = 0.4
    assert np.array_equal(data.raise_to_floor(posterior, data.start(), 12.0), posterior)


def test_two_who_are_known_to_mix_up_classes_are_understood_nevertheless():
    swapped = np.array([[[1.0, 99.0], [99.0, 1.0]]] * 2)
    settings = CalibratedSettings(mix=1.0)
    found = calibrated(
        from_table([[1, 1]], 2), settings=settings, prior_counts=WorkerCounts.from_dense(swapped)
    )
    assert found.posterior.labels.tolist() == [0]


def test_workers_of_whom_all_is_known_warn_of_nothing():
    certain = WorkerCounts.from_dense(np.array([1e15 * np.eye(3)] * 2))
    found = calibrated(from_table([[1, 1]], 3), prior_counts=certain)
    assert found.posterior.confidences[0] > 0.99
