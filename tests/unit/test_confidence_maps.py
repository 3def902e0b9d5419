import json

import numpy as np
import pytest

from groundtruth.aggregation.classification.calibration_maps import IsotonicMap, LogisticMap
from groundtruth.auxiliary_inputs import confidence_map_content, parse_confidence_map
from groundtruth.errors import ContractError
from groundtruth.jobs import JobContexts
from groundtruth.settings import Settings
from tests.batches import CREW, SINGLE, labels, outcome
from tests.memory_store import KnownJobs, MemoryStore

URI = "s3://bucket/map.json"
LOGISTIC = {"kind": "logistic", "offset": -0.5, "slope": 0.5}
ISOTONIC = {"kind": "isotonic", "confidences": [0.4, 0.9], "accuracies": [0.3, 0.8]}
ANSWERS, _ = CREW.batch("a", 12, per_object=3, seed=1)


def with_map(content, **options):
    store = MemoryStore({URI: json.dumps(content).encode()})
    return labels(
        SINGLE, ANSWERS, classes=CREW.classes, store=store, confidence_map_s3_uri=URI, **options
    )


@pytest.mark.parametrize("found", [LogisticMap(-0.5, 0.5), IsotonicMap((0.4, 0.9), (0.3, 0.8))])
def test_a_map_is_read_as_it_was_written(found):
    body = json.dumps(confidence_map_content(found) | {"job": "tide-pools-01"}).encode()
    assert parse_confidence_map(body, path=URI) == found


@pytest.mark.parametrize(
    ("content", "path", "problem"),
    [
        pytest.param([], "", "not an object", id="a-list"),
        pytest.param({}, ".kind", "neither logistic nor isotonic", id="no-kind"),
        pytest.param(LOGISTIC | {"kind": "cubic"}, ".kind", "neither", id="unknown-kind"),
        pytest.param({"kind": "logistic", "slope": 1}, ".offset", "not a number", id="no-offset"),
        pytest.param(LOGISTIC | {"offset": True}, ".offset", "not a number", id="a-switch"),
        pytest.param(LOGISTIC | {"offset": float("nan")}, ".offset", "number", id="nan"),
        pytest.param(LOGISTIC | {"slope": "1"}, ".slope", "not a number", id="a-text"),
        pytest.param(LOGISTIC | {"slope": 1e7}, ".slope", "not a number", id="too-large"),
        pytest.param(LOGISTIC | {"slope": -0.1}, ".slope", "below 0", id="falling"),
        pytest.param(ISOTONIC | {"confidences": []}, ".confidences", "not a list", id="empty"),
        pytest.param(ISOTONIC | {"confidences": 1}, ".confidences", "not a list", id="no-list"),
        pytest.param(ISOTONIC | {"confidences": [0, 2]}, ".confidences", "0 to 1", id="above-1"),
        pytest.param(ISOTONIC | {"confidences": [0, True]}, ".confidences", "0 to 1", id="truth"),
        pytest.param(ISOTONIC | {"accuracies": [1, 0]}, ".accuracies", "not rise", id="falls"),
        pytest.param(ISOTONIC | {"accuracies": [1]}, ".accuracies", "another length", id="short"),
    ],
)
def test_a_bad_map_is_named_with_its_field(content, path, problem):
    with pytest.raises(ContractError, match=problem) as caught:
        parse_confidence_map(json.dumps(content).encode(), path=URI)
    assert caught.value.path == f"{URI}{path}"


def test_a_map_that_is_no_json_fails_the_batch_by_name():
    store = MemoryStore({URI: b'{\n"kind": }'})
    with pytest.raises(ContractError, match=r"s3://bucket/map\.json: is not JSON .*line 2"):
        outcome(SINGLE, {}, store=store, confidence_map_s3_uri=URI)


@pytest.mark.parametrize("content", [LOGISTIC, ISOTONIC])
@pytest.mark.parametrize("algorithm", ["calibrated", "weighted", "dawid-skene", "ebcc", "majority"])
def test_confidence_and_posterior_change_together(algorithm, content):
    before = labels(SINGLE, ANSWERS, classes=CREW.classes, consolidation_algorithm=algorithm)
    after = with_map(content, consolidation_algorithm=algorithm)
    found = parse_confidence_map(json.dumps(content).encode(), path=URI)
    for object_id, label in after.items():
        old = before[object_id]
        (wanted,) = found.apply(np.array([old["confidence"]]))
        assert label["confidence"] == pytest.approx(wanted, abs=2e-5)
        assert label["class-name"] == old["class-name"]
        assert label["posterior"][label["class-name"]] == label["confidence"]
        chosen = set(ANSWERS[object_id].values())
        assert chosen <= set(label["posterior"])
        assert all(v > 0.01 for name, v in label["posterior"].items() if name not in chosen)
        hidden = len(CREW.classes) - len(label["posterior"])
        assert 1 - 0.01 * hidden - 1e-5 <= sum(label["posterior"].values()) <= 1 + 1e-5


@pytest.mark.parametrize("algorithm", ["calibrated", "weighted", "dawid-skene", "ebcc", "majority"])
@pytest.mark.parametrize("n_classes", [1, 2, 10, 60])
def test_what_a_map_takes_from_all_agreeing_is_the_other_classes(algorithm, n_classes):
    names = [f"k{at}" for at in range(n_classes)]
    (label,) = labels(
        SINGLE,
        {"0": dict.fromkeys("abcdef", "k0")},
        classes=names,
        store=MemoryStore({URI: json.dumps(LOGISTIC | {"offset": -4, "slope": 0.7}).encode()}),
        confidence_map_s3_uri=URI,
        consolidation_algorithm=algorithm,
    ).values()
    assert label["posterior"]["k0"] == label["confidence"] < 0.999
    if n_classes == 1:
        return
    rest = (1 - label["confidence"]) / (n_classes - 1)
    shown = names if rest > 0.01 else names[:1]
    assert label["posterior"] == pytest.approx(
        {name: label["confidence"] if name == "k0" else rest for name in shown}, abs=2e-6
    )


def test_a_mapped_confidence_decides_on_the_status():
    doubtful = {"kind": "logistic", "offset": -9.0, "slope": 1.0}
    assert {label["status"] for label in with_map(doubtful).values()} <= {"low-confidence", "tie"}


def test_the_builtin_algorithm_is_left_alone():
    plain = labels(SINGLE, ANSWERS, classes=CREW.classes, consolidation_algorithm="builtin")
    mapped = with_map(LOGISTIC, consolidation_algorithm="builtin")
    assert [one["confidence"] for one in mapped.values()] == [
        one["confidence"] for one in plain.values()
    ]


def test_a_map_is_read_once():
    store = MemoryStore({URI: json.dumps(LOGISTIC).encode()})
    jobs = JobContexts(Settings(), KnownJobs(), store)
    assert jobs.confidence_map(URI) is jobs.confidence_map(URI)
    assert jobs.confidence_map("") is None
    assert store.reads[URI] == 1
