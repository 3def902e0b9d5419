"""The largest batches, and the largest responses."""

import json

import pytest

from tests.batches import MASKS
from tests.examples import consolidate
from tests.faults.full_batches import ALL, OBJECTS, WORKERS, full_payload, one_object

pytestmark = pytest.mark.slow

RESPONSE_LIMIT = 6 * 1024 * 1024
WORKER_ID = "private.us-west-2.0123456789abcdef"


@pytest.mark.parametrize("function", ALL)
def test_a_payload_of_fifty_objects_with_nine_answers_each_is_answered_whole(function):
    payload = full_payload(function)
    outcome = consolidate(function, payload, consolidation_algorithm="")
    assert [item["datasetObjectId"] for item in outcome.response] == [
        item["datasetObjectId"] for item in payload
    ]
    assert all(label.used == WORKERS for label in outcome.labels)
    assert len(json.dumps(outcome.response)) < RESPONSE_LIMIT


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("style", ["object", "builtin"])
def test_a_response_with_all_answers_rejected_at_length_stays_under_six_megabytes(function, style):
    name = "\N{GREEK SMALL LETTER OMEGA}" * 256
    colors = {"labelMappings": {name: {"color": "no color"}}, "labeledImage": {"pngImageData": ""}}
    answer = {
        "crowd-image-classifier": {"label": name},
        "crowd-image-classifier-multi-select": {"labels": [name] * 50},
        "crowd-semantic-segmentation": colors,
    }
    payload = [one_object(f"{at}", lambda _: json.dumps(answer), "") for at in range(OBJECTS)]
    for item in payload:
        for annotation in item["annotations"]:
            annotation["workerId"] = f"{WORKER_ID}-{annotation['workerId']}" * 4
    outcome = consolidate(function, payload, output_style=style)
    assert {label.status for label in outcome.labels} == {"no-usable-answer"}
    assert sum(len(label.rejected) for label in outcome.labels) == OBJECTS * WORKERS
    assert len(json.dumps(outcome.response)) < RESPONSE_LIMIT / 2


def test_a_detail_however_long_is_cut():
    name = "x" * 256
    mask = {
        "labelMappings": {name: {"color": "no color"}},
        "labeledImage": {"pngImageData": "AAAA"},
    }
    answer = json.dumps({"crowd-semantic-segmentation": mask})
    outcome = consolidate(MASKS, [one_object("0", lambda _: answer, "")])
    (item,) = outcome.response
    label = item["consolidatedAnnotation"]["content"]["surface"]
    details = {aside["detail"] for aside in label["answers"]["set-aside"]}
    assert set(map(len, details)) == {200}
