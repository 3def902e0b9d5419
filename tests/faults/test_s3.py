"""S3 throttles, fails, denies and is slow."""

import threading

import pytest

from groundtruth.errors import StorageError
from tests.batches import MASKS, SINGLE
from tests.examples import ACS_FUNCTIONS, example, rejected
from tests.faults.full_batches import event_of, full_payload
from tests.stub_service import s3_error

pytestmark = pytest.mark.slow

FAULTS = {
    "throttled": s3_error(503, "SlowDown"),
    "throttled-otherwise": s3_error(400, "ThrottlingException"),
    "internal": s3_error(500, "InternalError"),
    "unavailable": s3_error(503, "ServiceUnavailable"),
}
DENIED = s3_error(403, "AccessDenied")


@pytest.fixture
def batch(faulty_s3, load_handler, jobs_folder):
    """Puts a batch of four objects into S3, each answer an object, and gives what sends it."""

    def prepare(function):
        event, payload = event_of(function), full_payload(function, objects=4)
        for item in payload:
            for at, annotation in enumerate(item["annotations"]):
                uri = f"s3://bucket/answers/{item['datasetObjectId']}/{at}.json"
                faulty_s3.objects[uri] = annotation["annotationData"]["content"].encode()
                annotation["annotationData"] = {"s3Uri": uri}
        faulty_s3.put(event["payload"]["s3Uri"], payload)
        handler = load_handler(function)
        return event, lambda **known: handler(event, **known)

    return prepare


def labels(response, function):
    attribute = example(function, "event")["labelAttributeName"]
    return [item["consolidatedAnnotation"]["content"][attribute] for item in response]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_faults_that_pass_leave_no_trace(batch, faulty_s3, function, fault):
    event, send = batch(function)
    undisturbed = send()
    masks = faulty_s3.masks()
    read = [event["payload"]["s3Uri"], *(f"s3://bucket/answers/0-{n}/{n}.json" for n in range(4))]
    for uri in (*read, *masks):
        faulty_s3.fail(uri, [fault, fault])
        faulty_s3.objects.pop(uri) if uri in masks else None
    faulty_s3.asked.clear()
    assert send() == undisturbed
    assert faulty_s3.masks() == masks
    assert all(faulty_s3.asked["GET", uri] == 3 for uri in read)
    assert all(faulty_s3.asked["PUT", uri] == 3 for uri in masks)


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_an_answer_that_fails_for_long_fails_the_batch_so_that_it_can_come_again(
    batch, faulty_s3, function
):
    _, send = batch(function)
    undisturbed = send()
    uri = "s3://bucket/answers/0-2/5.json"
    faulty_s3.fail(uri, [FAULTS["internal"]] * 6)
    with pytest.raises(StorageError) as caught:
        send()
    assert (caught.value.uri, caught.value.reason) == (uri, "unavailable")
    assert send() == undisturbed


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_access_denied_on_one_answer_of_many_costs_that_answer_alone(batch, faulty_s3, function):
    _, send = batch(function)
    before = labels(send(), function)
    faulty_s3.fail("s3://bucket/answers/0-2/5.json", [DENIED] * 9)
    found = labels(send(), function)
    assert [rejected(label) for label in found] == [
        *[[]] * 2,
        [("w5", "answer-access-denied")],
        [],
    ]
    used = [label["answers"]["used"] for label in found]
    assert used == [label["answers"]["used"] - (at == 2) for at, label in enumerate(before)]


def test_access_denied_on_a_mask_fails_the_batch(batch, faulty_s3):
    _, send = batch(MASKS)
    undisturbed = send()
    uri = sorted(faulty_s3.masks())[1]
    faulty_s3.fail(uri, [DENIED])
    with pytest.raises(StorageError) as caught:
        send()
    assert (caught.value.uri, caught.value.reason) == (uri, "access-denied")
    assert send() == undisturbed


@pytest.mark.parametrize("function", [SINGLE, MASKS])
def test_slow_reads_near_the_timeout_leave_time_to_answer_with_what_is_complete(
    batch, faulty_s3, function
):
    _, send = batch(function)
    undisturbed = send()
    slow = "s3://bucket/answers/0-2/5.json"
    faulty_s3.answered.clear()
    faulty_s3.held[slow] = threading.Event()
    try:
        response = send(seconds_left=6)
        assert ("GET", slow) not in faulty_s3.answered  # the response did not wait for it
    finally:
        faulty_s3.held[slow].set()
    found = labels(response, function)
    assert [item["datasetObjectId"] for item in response] == ["0-0", "0-1", "0-2", "0-3"]
    statuses = [label["status"] == "not-processed" for label in found]
    assert statuses in ([False, False, True, True], [False, True, True, True])  # on a busy machine
    if function == MASKS:
        assert response[0] == undisturbed[0]
