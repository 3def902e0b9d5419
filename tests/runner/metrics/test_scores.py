"""Scores of labels and confidences, beside scikit-learn's."""

import math

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    f1_score,
    jaccard_score,
    log_loss,
    roc_auc_score,
)
from sklearn.preprocessing import MultiLabelBinarizer

from labeljob.metrics.agreement import _kappa
from labeljob.metrics.names import score_names
from labeljob.metrics.scores import measure_confidences

CLASSES = ["cat", "dog", "bird", "nobody's"]


@pytest.mark.parametrize("most", [1, 3])
def test_scores_of_names_are_those_of_scikit_learn(most):
    rng = np.random.default_rng(most)
    draw = lambda: [set(rng.choice(CLASSES[:3], rng.integers(most + 1))) for _ in range(200)]  # noqa: E731
    true, said = draw(), draw()
    coder = MultiLabelBinarizer(classes=CLASSES)
    both = coder.fit_transform(true), coder.transform(said)
    assert score_names(true, said, CLASSES) == pytest.approx(
        {
            "accuracy": accuracy_score(*both),
            "macro-f1": f1_score(*both, labels=[0, 1, 2], average="macro"),
            "micro-f1": f1_score(*both, average="micro"),
            "jaccard": jaccard_score(*both, average="samples", zero_division=0),
        }
    )


def test_measures_of_confidences_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    sure = np.append(rng.random(200).round(1), [0.0, 1.0])  # with ties and certainties
    right = np.append(rng.random(200) < 0.7, [True, False]).astype(float)
    measures = measure_confidences(sure, right)
    clipped = np.clip(sure, 1e-6, 1 - 1e-6)
    assert measures["brier"] == pytest.approx(brier_score_loss(right, sure))
    assert measures["log-loss"] == pytest.approx(log_loss(right, clipped))
    assert measures["auroc"] == pytest.approx(roc_auc_score(right, sure))


def test_labels_that_are_all_right_have_no_curve_of_errors():
    assert math.isnan(measure_confidences([0.5, 0.9], [1.0, 1.0])["auroc"])


def test_fleiss_kappa_is_that_of_his_own_example():
    """Thirty patients, six psychiatrists each, five diagnoses (Fleiss 1971, table 1)."""
    table = np.array(
        [
            [0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0],
            [2, 0, 4, 0, 0], [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6],
            [1, 0, 0, 5, 0], [1, 1, 0, 4, 0], [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1],
            [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0], [0, 2, 0, 4, 0], [1, 0, 2, 0, 3],
            [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0], [1, 0, 0, 4, 1],
            [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6],
        ]
    )  # fmt: skip
    assert _kappa(table, 6) == pytest.approx(0.430, abs=5e-4)
