"""Before a function would time out it answers with what is complete."""

import json
import threading
import time

import pytest

from groundtruth.worker_history.counts import MemorySkills
from tests.batches import CREW, MASKS, MULTI, SINGLE, RecordingSkills, payload
from tests.examples import ACS_FUNCTIONS, consolidate, example, labels_of, payload_of
from tests.masks import GRID, answer, drawn
from tests.memory_store import MemoryStore

pytestmark = pytest.mark.slow

IDS = [str(number) for number in range(8)]
WATER = json.dumps(answer(drawn(GRID)))
CHOICES = {
    SINGLE: '{"crowd-image-classifier":{"label":"Crab"}}',
    MULTI: '{"crowd-image-classifier-multi-select":{"labels":["fish"]}}',
    MASKS: WATER,
}
UNSEEN = {"used": 0, "set-aside": []}


class TimedStore(MemoryStore):
    """A store in which reading and writing take the time that a test says."""

    seconds_left = 900.0
    write_seconds = 0.0

    def write(self, *args, **options):
        self.seconds_left -= self.write_seconds
        super().write(*args, **options)


def masks_in(seconds, *, each, **options):
    """What becomes of eight images when writing each mask takes so long."""
    store = TimedStore()
    store.seconds_left, store.write_seconds = seconds, each
    answers = payload_of({name: [WATER] * 3 for name in IDS})
    return store, consolidate(
        MASKS, answers, store=store, deadline=lambda: store.seconds_left, **options
    )


def test_masks_begun_in_time_are_whole_and_the_others_are_not_processed():
    everything, all_done = masks_in(900, each=1)
    store, outcome = masks_in(500, each=100)
    assert [item["datasetObjectId"] for item in outcome.response] == IDS
    statuses = [label.status for label in outcome.labels]
    assert statuses == ["consensus"] * 4 + ["not-processed"] * 4
    assert outcome.response[:4] == all_done.response[:4]
    assert store.written == dict(list(everything.written.items())[:4])
    last = labels_of(outcome, "surface")["7"]
    assert (last["mask-ref"], last["answers"]) == (None, UNSEEN)


def test_in_the_builtin_style_what_was_not_processed_is_a_failed_object():
    _, outcome = masks_in(500, each=100, output_style="builtin")
    assert outcome.response[-1]["consolidatedAnnotation"]["content"] == {
        "surface-metadata": {
            "retry-count": 0,
            "failure-reason": "not-processed: the function ran out of time",
            "human-annotated": "true",
        }
    }


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
@pytest.mark.parametrize("classes", [None, []], ids=["classes-known", "classes-from-answers"])
def test_a_batch_without_any_time_left_has_every_object_without_a_label(function, classes):
    left = iter([60.0])
    outcome = consolidate(
        function,
        payload_of({name: [CHOICES[function]] for name in IDS}),
        classes=classes,
        deadline=lambda: next(left, 1.0),
    )
    assert [item["datasetObjectId"] for item in outcome.response] == IDS
    assert {label.status for label in outcome.labels} == {"not-processed"}


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_an_answer_that_hangs_takes_no_object_before_it_along(function):
    released = threading.Event()

    class HangingStore(MemoryStore):
        def read(self, uri):
            if uri.endswith("/hangs"):
                released.wait(30)
            return super().read(uri)

    store = HangingStore({"s3://b/hangs": CHOICES[function].encode()})
    end = time.monotonic() + 4
    hanging = {"annotationData": {"s3Uri": "s3://b/hangs"}}
    answers = payload_of({"0": [CHOICES[function]], "1": [hanging], "2": [CHOICES[function]]})
    try:
        outcome = consolidate(
            function, answers, store=store, deadline=lambda: end - time.monotonic()
        )
    finally:
        released.set()
    assert [label.status for label in outcome.labels][:2] == ["single-annotator", "not-processed"]
    assert [item["datasetObjectId"] for item in outcome.response] == ["0", "1", "2"]


@pytest.mark.parametrize("function", [SINGLE, MASKS])
def test_a_batch_that_ran_out_of_time_teaches_nothing(function):
    skills = RecordingSkills()
    if function == MASKS:
        _, outcome = masks_in(500, each=100, skills=skills, consolidation_algorithm="weighted")
    else:
        left = iter([60.0] * 12)
        body, _ = CREW.batch("a", 8, per_object=3, seed=1)
        outcome = consolidate(
            SINGLE,
            payload(body),
            classes=CREW.classes,
            skills=skills,
            deadline=lambda: next(left, 1.0),
            consolidation_algorithm="",
        )
    statuses = {label.status for label in outcome.labels}
    assert "not-processed" in statuses
    assert len(statuses) > 1
    assert outcome.skill_note == ""
    assert skills.taught is None


def test_a_batch_that_ran_out_of_time_is_consolidated_as_new_when_it_comes_again():
    interrupted, fresh = MemorySkills(), MemorySkills()
    options = {"consolidation_algorithm": "weighted"}
    masks_in(500, each=100, skills=interrupted, **options)
    again = masks_in(900, each=1, skills=interrupted, **options)
    first = masks_in(900, each=1, skills=fresh, **options)
    assert again[1].response == first[1].response
    assert again[0].written == first[0].written


@pytest.mark.parametrize("function", ACS_FUNCTIONS)
def test_a_handler_answers_by_the_time_lambda_tells_it(
    load_handler, jobs_folder, faulty_s3, function, capsys
):
    event = example(function, "event")
    faulty_s3.put(event["payload"]["s3Uri"], example(function, "payload"))
    response = load_handler(function)(event, seconds_left=0)
    assert response != example(function, "response")
    attribute = event["labelAttributeName"]
    labels = [item["consolidatedAnnotation"]["content"][attribute] for item in response]
    assert {label["status"] for label in labels} == {"not-processed"}
    (counted,) = [
        record
        for line in capsys.readouterr().out.splitlines()
        if "ObjectsNotProcessed" in (record := json.loads(line))
    ]
    assert counted["ObjectsNotProcessed"] == [float(len(labels))]
    assert counted["ObjectsWithoutLabel"] == [float(len(labels))]
