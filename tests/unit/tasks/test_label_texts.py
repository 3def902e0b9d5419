"""Many labels written at once are those that `format_label` writes one by one."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.annotations import Answers, RejectedAnswer
from groundtruth.contract.fields import compact_json
from groundtruth.settings import Settings
from groundtruth.sharding.plan import Plan
from groundtruth.tasks.base import ConsolidationContext, format_label
from groundtruth.tasks.classification.algorithms import predict
from groundtruth.tasks.multilabel.algorithms import place_labels
from groundtruth.tasks.registry import find_task
from groundtruth.tasks.texts import STATUSES, Numbers, StyledTexts, round_numbers
from labeljob.history.label_texts import write_texts
from tests.memory_store import MemoryStore
from tests.shards import consolidate_shards

CLASSES = ("cat", 'a "dog"', "Käfer", "half \ud800")
ATTRIBUTE = "animal"


def context(**settings):
    return ConsolidationContext(
        classes=CLASSES,
        classes_known=settings.pop("classes_known", True),
        settings=Settings(**settings),
        job_name="labeling-job/animals",
        made_at=datetime(2026, 3, 2, 10, 15, 28, 17, tzinfo=UTC),
        masks_uri="s3://bucket/masks",
        store=MemoryStore(),
        kms_key=None,
    )


REJECTED = st.builds(
    RejectedAnswer,
    worker_id=st.sampled_from(["w1", "w\n2"]),
    reason=st.sampled_from(["empty-answer", "unknown-label"]),
    detail=st.sampled_from(["", 'says "no"', "ü" * 300, "half \ud800"]),
)
OBJECTS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3), max_size=5),
        st.lists(REJECTED, max_size=2),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.slow
@given(
    OBJECTS,
    st.sampled_from(find_task("image-multi-class").algorithms),
    st.sampled_from([0.0, 0.5, 0.99]),
    st.booleans(),
)
def test_single_labels(objects, algorithm, min_confidence, classes_known):
    task = find_task("image-multi-class")
    batch = context(
        consolidation_algorithm=algorithm,
        min_confidence=min_confidence,
        classes_known=classes_known,
    )
    answers = [
        Answers(str(index), tuple(votes), tuple(votes.values()), tuple(rejected))
        for index, (votes, rejected) in enumerate(objects)
    ]
    check(task, batch, answers, shard_of(answers), single_predictions(answers, batch, algorithm))


def check(task, batch, answers, shard, labels):
    """Compare what is written of all labels with what is written of each."""
    rejected = {index: item.rejected for index, item in enumerate(answers) if item.rejected}
    texts = task.format_labels(shard, labels, rejected, ATTRIBUTE, batch)
    made = list(task.consolidate(answers, batch))
    for style, pieces in (("object", texts.object_style), ("builtin", texts.builtin_style)):
        written = [text.decode() for text in write_texts(pieces, len(made)).to_pylist()]
        styled = replace(batch, settings=replace(batch.settings, output_style=style))
        expected = [format_label(label, ATTRIBUTE, task, styled) for label in made]
        assert [json.loads(f"{{{text}}}") for text in written] == expected
        plain = [compact_json(content) for content in expected]
        assert [f"{{{text}}}" for text in written if "\\ud" not in text] == [
            text for text, own in zip(plain, written, strict=True) if "\\ud" not in own
        ]
    assert [STATUSES[status] for status in texts.statuses.tolist()] == [
        label.status for label in made
    ]
    assert texts.used.tolist() == [label.used for label in made]
    names = [*texts.names, ()]
    assert [names[index] for index in texts.name_index.tolist()] == [
        tuple(item.name for item in label.classes) for label in made
    ]
    np.testing.assert_array_equal(
        texts.confidences,
        [np.nan if label.confidence is None else label.confidence for label in made],
    )


def shard_of(answers):
    votes = [
        (index, ord(worker) - ord("a"), class_id)
        for index, item in enumerate(answers)
        for worker, class_id in zip(item.workers, item.answers, strict=True)
    ]
    items, workers, classes = np.array(votes, np.int32).reshape(-1, 3).T
    return {
        "items": items,
        "workers": workers,
        "classes": classes,
        "n_objects": np.array(len(answers)),
    }


def single_predictions(answers, batch, algorithm):
    """Predictions as the last step on a shard gives them."""
    n_objects = len(answers)
    labels = {
        "class_id": np.full(n_objects, -1, np.int32),
        "confidence": np.zeros(n_objects),
        "tied": np.zeros(n_objects, np.bool_),
        "dependence": np.full(n_objects, np.nan),
        "correlation": np.full(n_objects, np.nan),
        "pairs": np.zeros(n_objects, np.int64),
    }
    shown = []
    voted = [item for item in answers if item.answers]
    for item, prediction in zip(voted, predict(voted, batch, algorithm), strict=True):
        index = int(item.object_id)
        labels["class_id"][index] = prediction.class_id
        labels["confidence"][index] = prediction.confidence
        labels["tied"][index] = prediction.tied
        shown += [(index, *entry) for entry in prediction.posterior.items()]
        if prediction.dependence:
            labels["dependence"][index] = prediction.dependence.value
            labels["correlation"][index] = prediction.dependence.correlation
            labels["pairs"][index] = prediction.dependence.pairs
    columns = np.array(shown, np.float64).reshape(-1, 3).T
    return {
        **labels,
        "shown_items": columns[0].astype(np.int32),
        "shown_classes": columns[1].astype(np.int32),
        "shown_shares": columns[2],
    }


LABELS = st.lists(st.integers(0, 3), min_size=1, unique=True).map(tuple)


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abcde"), LABELS, max_size=5),
            st.lists(REJECTED, max_size=2),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(find_task("image-multi-class-multi-label").algorithms),
    st.sampled_from([0.0, 0.5, 0.99]),
    st.sampled_from([0.3, 0.5, 0.9]),
)
def test_sets_of_labels(objects, algorithm, min_confidence, quorum):
    task = find_task("image-multi-class-multi-label")
    batch = context(consolidation_algorithm=algorithm, min_confidence=min_confidence, quorum=quorum)
    answers = [
        Answers(f"{index:02}", tuple(chosen), tuple(chosen.values()), tuple(rejected))
        for index, (chosen, rejected) in enumerate(objects)
    ]
    plan = Plan(
        task=task.name,
        settings=batch.settings,
        classes=CLASSES,
        n_workers=5,
        job_name=batch.job_name,
        made_at=batch.made_at.isoformat(),
        options={},
        shards=(),
    )
    shard = shard_of_sets(answers)
    states, _ = consolidate_shards(plan, [shard])
    check(task, batch, answers, shard, states[0])


def shard_of_sets(answers):
    rows = [
        (index, ord(worker) - ord("a"), chosen)
        for index, item in enumerate(answers)
        for worker, chosen in zip(item.workers, item.answers, strict=True)
    ]
    places = [place_labels(item.answers[0], 4) for item in answers if len(item.answers) == 1]
    return {
        "n_objects": np.array(len(answers)),
        "items": np.array([index for index, _, _ in rows], np.int32),
        "workers": np.array([worker for _, worker, _ in rows], np.int32),
        "picked": np.array([np.isin(range(4), chosen) for _, _, chosen in rows], bool).reshape(
            -1, 4
        ),
        "places": np.array(places, np.int16).reshape(-1, 4),
        "gold": np.full((len(answers), 4), -1, np.int8),
    }


@given(st.lists(st.floats(-1, 1)), st.sampled_from([3, 6]))
def test_numbers_are_rounded_as_python_does(values, digits):
    expected = [round(value, digits) for value in values]
    assert list(map(repr, round_numbers(np.array(values), digits).tolist())) == list(
        map(repr, expected)
    )


@pytest.mark.parametrize("value", [0.0000005, 0.1234565, 0.9999995, 0.0000015, 0.5000005])
def test_halves_are_rounded_as_python_does(value):
    assert round_numbers(np.array([value]), 6).tolist() == [round(value, 6)]


@given(st.lists(st.floats(-1, 1) | st.sampled_from([0.0, -0.0, 1.0, 0.5, 1e-05, 0.0001])))
def test_numbers_are_written_as_python_does(values):
    numbers = Numbers.rounded(np.array(values, float), 6)
    written = write_texts(StyledTexts((numbers,)), len(values))
    assert [text.decode() for text in written.to_pylist()] == [repr(round(v, 6)) for v in values]
