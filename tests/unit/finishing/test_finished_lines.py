"""Each line of a finished manifest, and of the re-queue manifest."""

import json

import pytest

from tests.real_data import contract_example
from tests.unit.finishing.ended_jobs import (
    ATTRIBUTE,
    METADATA,
    Job,
    builtin,
    chosen,
    custom,
    line,
    reference,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path)


@pytest.mark.parametrize(
    ("folder", "attribute", "name"),
    [
        ("image-classification-single", "species", "wetland-birds-01"),
        ("image-classification-multilabel", "scene-tags", "wetland-scenes-01"),
        ("semantic-segmentation", "landcover-ref", "wetland-landcover-01"),
    ],
)
@pytest.mark.parametrize("style", ["manifest", "object_style", "builtin_style"])
def test_a_custom_job_s_manifest_becomes_a_built_in_one(tmp_path, folder, attribute, name, style):
    job = Job(tmp_path, root=f"s3://bucket/labels/{name}")
    given = contract_example(folder, "output.custom_job_style.manifest").read_text()
    job.output(*given.splitlines())
    if style != "manifest":
        items = json.loads(contract_example(folder, f"acs_response.{style}.json").read_text())
        job.response(
            {item["datasetObjectId"]: item["consolidatedAnnotation"]["content"] for item in items}
        )
    job.finish(attribute=attribute)
    metadata = f"{attribute}-metadata"
    expected = contract_example(folder, "output.builtin_style.manifest").read_text()
    dated = []
    for theirs, before in zip(expected.splitlines(), given.splitlines(), strict=True):
        date = json.loads(before)[metadata]["creation-date"]
        dated.append(theirs.replace(json.loads(theirs)[metadata]["creation-date"], date))
    assert job.text("finished.manifest").splitlines() == dated


@pytest.mark.parametrize(
    ("folder", "attribute", "label"),
    [
        (
            "image-classification-single",
            "species",
            chosen(0, "Heron", 0.7, status="single-annotator"),
        ),
        (
            "image-classification-multilabel",
            "scene-tags",
            {
                "class-ids": [1, 0],
                "class-map": {"1": "reeds", "0": "water"},
                "confidence-map": {"1": 0.7, "0": 0.7},
                "status": "single-annotator",
            },
        ),
    ],
)
def test_a_single_worker_s_line_is_the_built_in_one(job, folder, attribute, label):
    expected = contract_example(folder, "output.builtin_style.single_worker.manifest").read_text()
    theirs = json.loads(expected)
    metadata = theirs[f"{attribute}-metadata"]
    job = Job(job.store.folder, root=f"s3://bucket/{metadata['job-name'].rpartition('/')[2]}")
    given = custom(**{"creation-date": metadata["creation-date"], "job-name": "x"})
    job.output({"source-ref": theirs["source-ref"]})
    job.response({0: {attribute: label, f"{attribute}-metadata": given}})
    job.finish(attribute=attribute)
    assert job.text("finished.manifest") == expected


def test_a_failed_line_passes_through_untouched_and_is_queued_again(job):
    failed = contract_example("image-classification-single", "output.failed_object.manifest")
    text = failed.read_text().rstrip("\n")
    job.output(text, line(1, chosen()))
    job.response({0: {ATTRIBUTE: chosen()}})
    job.finish()
    assert job.text("finished.manifest").splitlines()[0] == text
    (again,) = job.requeued()
    assert text.startswith(f"{again[:-1]},")
    assert METADATA not in again
    reason = json.loads(text)[METADATA]["failure-reason"]
    assert job.summary()["failed-by-reason"] == {reason: 1}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"source-ref": "s3://b/1.jpg",  "size":1.50}', id="no-label"),
        pytest.param(
            '{"source-ref":"s3://b/1.jpg","kind":  7,"kind-metadata":{"job-name":"x"}}',
            id="other-attribute",
        ),
        pytest.param(
            '{"source-ref":"s3://b/1.jpg","species":3 ,"species-metadata":{"confidence":0.2,'
            '"job-name":"labeling-job/earlier","class-name":"Stork","human-annotated":"yes",'
            '"creation-date":"2020-01-01T00:00:00","type":"groundtruth/image-classification"}}',
            id="earlier-job",
        ),
        pytest.param(
            '{"source-ref":"s3://b/1.jpg","species":{"boxes": []},"species-metadata":'
            '{"type":"groundtruth/custom","job-name":"wetland-birds-01"}}',
            id="label-of-another-shape",
        ),
    ],
)
def test_what_is_not_this_job_s_label_passes_through_letter_for_letter(job, text):
    job.output(line(0, chosen()), text)
    job.finish(min_confidence=0.5)
    assert job.text("finished.manifest").splitlines()[1] == text
    unlabeled = ATTRIBUTE not in text
    assert job.requeued() == ([text] if unlabeled else [])


def test_everything_else_in_a_labeled_line_stays_letter_for_letter(job):
    label = json.dumps({ATTRIBUTE: chosen(), METADATA: custom()})[1:-1]
    job.output(f'{{"source-ref": "s3://b/\\u00e4.jpg",{label}, "w" : [1.50,2e3]}}')
    job.finish(min_confidence=1.0)
    start, end = '{"source-ref": "s3://b/\\u00e4.jpg"', ', "w" : [1.50,2e3]}\n'
    finished = job.text("finished.manifest")
    assert finished.startswith(f'{start},"{ATTRIBUTE}":0,"{METADATA}":{{"confidence":0.9,')
    assert finished.endswith(end)
    assert job.requeued() == [start + end.rstrip()]


def test_the_last_response_is_believed_before_the_line(job):
    job.output(line(0, chosen(0, "Heron")), line(1, chosen(0, "Heron")))
    job.response({0: {ATTRIBUTE: chosen(1, "Egret")}}, iteration=1)
    job.response({0: {ATTRIBUTE: chosen(2, "Stork")}}, iteration=2)
    job.finish()
    assert [item[ATTRIBUTE] for item in job.finished()] == [2, 0]
    assert job.summary()["differs-from-manifest"] == 1


def test_a_label_that_only_the_response_has_is_written(job):
    job.output(line(0), line(1, chosen()))
    job.response({0: {ATTRIBUTE: chosen()}}, time="2026-03-02_10:15:31")
    job.finish()
    finished = job.finished()[0]
    assert list(finished) == ["source-ref", ATTRIBUTE, METADATA]
    assert finished[METADATA]["creation-date"] == "2026-03-02T10:15:31.000000"


def test_a_builtin_style_label_gets_its_metadata_back(job):
    job.output(line(0, 3, custom(**{"creation-date": "2026-05-05T05:05:05"})))
    job.response({0: {ATTRIBUTE: 3, METADATA: builtin("Stork", 0.77)}})
    job.finish()
    date = "2026-05-05T05:05:05.000000"
    assert job.finished()[0][METADATA] == builtin("Stork", 0.77, **{"creation-date": date})


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            {
                ATTRIBUTE: chosen(
                    None,
                    None,
                    0.0,
                    status="no-usable-answer",
                    answers={"used": 0, "set-aside": [{"worker-id": "w", "reason": "bad-png"}]},
                )
            },
            id="object",
        ),
        pytest.param(
            {
                METADATA: {
                    "retry-count": 0,
                    "failure-reason": "no-usable-answer: 1 bad-png",
                    "human-annotated": "true",
                }
            },
            id="builtin",
        ),
    ],
)
def test_an_object_without_a_usable_answer_looks_like_a_failed_one(job, content):
    job.output(line(0), line(1, chosen()))
    job.response({0: content})
    result = job.finish()
    assert job.finished()[0] == {
        "source-ref": reference(0),
        METADATA: {
            "retry-count": 0,
            "failure-reason": "no-usable-answer: 1 bad-png",
            "human-annotated": "true",
        },
    }
    assert job.requeued() == [json.dumps(line(0), separators=(",", ":"))]
    assert result.summary["failed-by-reason"] == {"no-usable-answer: 1 bad-png": 1}


def test_objects_below_the_threshold_are_queued_again_without_the_label(job):
    lines = [line(at, chosen(0, "Heron", at / 10), site="north") for at in range(10)]
    job.output(*lines)
    job.finish(min_confidence=0.3)
    assert [json.loads(text) for text in job.requeued()] == [
        line(at, site="north") for at in range(3)
    ]


def test_nothing_is_queued_again_that_is_good_enough(job):
    job.output(line(0, chosen(confidence=0.0)))
    job.finish()
    assert job.text("requeue.manifest") == ""
