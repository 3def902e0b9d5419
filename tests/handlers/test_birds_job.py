"""A real job of 302 objects: our `builtin` algorithm gives what the built-in function gave."""

import json
from datetime import datetime, timedelta

import pytest

from tests.examples import example
from tests.real_data import real_data

pytestmark = pytest.mark.slow

ATTRIBUTE = "birds-open-images-clone"
GAP = timedelta(seconds=5)


@pytest.fixture(scope="module")
def lines():
    """The job's output manifest, line by line."""
    text = real_data("birds-job", "manifests", "output", "output.manifest").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def calls(lines):
    """Numbers of the objects of each call, told apart by the gaps in their dates."""
    made = [datetime.fromisoformat(metadata(line)["creation-date"]) for line in lines]
    first, *others = sorted(range(len(lines)), key=made.__getitem__)
    grouped = [[first]]
    for at in others:
        if made[at] - made[grouped[-1][-1]] > GAP:
            grouped.append([])
        grouped[-1].append(at)
    return grouped


def metadata(line):
    return line[f"{ATTRIBUTE}-metadata"]


def answers(number):
    (folder,) = real_data("birds-job", "annotations", "worker-response").glob(f"*/{number}")
    (file,) = folder.iterdir()
    return [
        {
            "workerId": item["workerId"],
            "annotationData": {"content": json.dumps(item["answerContent"])},
        }
        for item in json.loads(file.read_bytes())["answers"]
    ]


def test_the_calls_are_those_of_the_service(calls):
    assert [len(call) for call in calls] == [1, 6, 2, 1, 1, 4, 14, 50, 50, 50, 50, 50, 23]


def test_all_labels_and_confidences_are_the_built_in_function_s(
    lines, calls, load_handler, jobs_folder, put
):
    names = {line[ATTRIBUTE]: metadata(line)["class-name"] for line in lines}
    event = example("acs_image_multi_class", "event") | {
        "labelAttributeName": ATTRIBUTE,
        "labelCategories": [names[at] for at in range(10)],
    }
    variables = {"OUTPUT_STYLE": "builtin", "CONSOLIDATION_ALGORITHM": "builtin"}
    handler = load_handler("acs_image_multi_class", **variables)
    labels, confidences = 0, 0
    for call in calls:
        payload = [
            {
                "datasetObjectId": str(at),
                "dataObject": {"s3Uri": lines[at]["source-ref"]},
                "annotations": answers(at),
            }
            for at in call
        ]
        put(event["payload"]["s3Uri"], payload)
        for item in handler(event):
            content = item["consolidatedAnnotation"]["content"]
            theirs = metadata(lines[int(item["datasetObjectId"])])
            ours = content[f"{ATTRIBUTE}-metadata"]
            assert list(ours) == list(theirs)
            label = content[ATTRIBUTE], ours["class-name"]
            labels += label == (
                lines[int(item["datasetObjectId"])][ATTRIBUTE],
                theirs["class-name"],
            )
            confidences += ours["confidence"] == theirs["confidence"]
    assert (labels, confidences) == (302, 302)
