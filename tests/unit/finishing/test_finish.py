"""The files of a finished job, and the jobs that are left alone."""

import json

import pytest

from groundtruth.errors import ContractError, StorageError
from groundtruth.finishing.job import EndedJob, finish_job
from tests.unit.finishing.ended_jobs import ATTRIBUTE, METADATA, Job, builtin, chosen, line


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path)


def test_the_service_s_files_stay_and_doing_it_again_changes_nothing(job):
    job.output(*(line(at, chosen(at % 3, "abc"[at % 3], at / 20)) for at in range(20)))
    job.response({at: {ATTRIBUTE: chosen(1, "b", 0.4)} for at in range(5)})
    before = {uri: job.store.read(uri) for uri in job.store.list(f"{job.root}/")}
    job.finish(min_confidence=0.5)
    first = job.written()
    job.finish(min_confidence=0.5)
    assert job.written() == first
    assert {uri: job.store.read(uri) for uri in before} == before


def test_a_job_that_failed_early_is_finished_from_its_input_manifest(job):
    source = job.write("s3://inputs/a.manifest", f'{json.dumps(line(0))}\r\n{{"source-ref":"x"}}')
    job.response({0: {ATTRIBUTE: chosen()}})
    job.finish(input_manifest=source, status="Failed")
    assert [ATTRIBUTE in item for item in job.finished()] == [True, False]
    assert job.requeued() == ['{"source-ref":"x"}']
    assert job.summary()["job-status"] == "Failed"


def test_the_input_manifest_may_be_a_file(job, tmp_path):
    path = tmp_path / "photos.manifest"
    path.write_text('{"source-ref":"a.jpg"}\n')
    job.finish(input_manifest=path, ours=True)
    assert job.requeued() == ['{"source-ref":"a.jpg"}']


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param([line(0, 0, builtin())], "no label is of these functions", id="built-in"),
        pytest.param([line(0)], "no label is of these functions", id="no-label"),
        pytest.param([line(0, {"boxes": []})], "no label (1) is of a shape", id="other-function"),
        pytest.param([], "no label is of these functions", id="empty"),
    ],
)
def test_a_job_of_others_is_left_alone(job, lines, reason):
    job.output(*lines)
    result = job.finish()
    assert reason in result.nothing_to_do
    assert result.as_json()["finished"] is False
    assert list(job.store.list(f"{job.root}/")) == [f"{job.root}/manifests/output/output.manifest"]


def test_a_job_without_any_manifest_is_left_alone(job):
    assert "neither an output manifest" in job.finish().nothing_to_do


def test_a_built_in_job_in_which_our_functions_ran_is_finished(job):
    before = json.dumps(line(0, 0, builtin()), separators=(",", ":"))
    job.output(before)
    job.finish(ours=True)
    assert job.text("finished.manifest") == f"{before}\n"


def test_the_label_file_decides_the_order_of_the_classes(job):
    job.output(line(0, chosen(0, "Egret")), line(1, chosen(0, "None of these")))
    job.finish(classes=("Heron", "Egret"))
    assert [item[ATTRIBUTE] for item in job.finished()] == [1, 2]
    assert job.summary()["classes"] == {
        "from": "label-file",
        "names": {"0": "Heron", "1": "Egret", "2": "None of these"},
    }


def test_indices_that_contradict_each_other_are_given_anew(job):
    job.output(line(0, chosen(0, "Heron")), line(1, chosen(0, "Egret")))
    job.finish()
    assert [item[ATTRIBUTE] for item in job.finished()] == [1, 0]
    assert job.summary()["classes"]["from"] == "sorted-names"


def test_labels_of_another_job_type_are_refused(job):
    job.output(line(0, chosen()))
    with pytest.raises(ContractError, match="line 1: has a label of image-classification, and"):
        job.finish(task="semantic-segmentation")


def test_a_line_that_is_no_json_is_named(job):
    job.output(line(0, chosen()), "{")
    with pytest.raises(ContractError, match=r"output\.manifest, line 2: is not JSON"):
        job.finish()
    assert not list(job.store.list(f"{job.root}/manifests/output/finished"))


def test_an_attribute_that_nothing_names_is_an_error(job):
    job.output({"source-ref": "s3://b/0.jpg", "cl-metadata": {"is_labeled": True}})
    with pytest.raises(ContractError, match="label attribute name: is not known"):
        job.finish(attribute=None)


def test_without_responses_the_lines_name_the_attribute(job):
    job.output(line(0, chosen()))
    job.finish(attribute=None)
    assert job.summary()["label-attribute-name"] == ATTRIBUTE


def test_responses_of_a_streaming_job_are_found_by_the_ids_of_its_lines(job):
    ids = ["img-B", "1", "img-A"]
    job.output(
        *({**line(at), "dataset-objectid-attribute-name": "key", "key": name}
          for at, name in enumerate(ids))
    )  # fmt: skip
    job.response({name: {ATTRIBUTE: chosen(at, f"class {at}")} for at, name in enumerate(ids)})
    job.finish(ours=True)
    assert [item[METADATA]["class-name"] for item in job.finished()] == [
        "class 0",
        "class 1",
        "class 2",
    ]


@pytest.mark.parametrize("ids", [pytest.param("023", id="counted"), pytest.param("012", id="not")])
def test_blank_lines_count_where_the_responses_say_so(job, ids):
    job.output(line(0), "  ", line(1), line(2))
    names = ["Heron", "Egret", "Ibis"]
    job.response(
        {at: {ATTRIBUTE: chosen(n, names[n])} for n, at in enumerate(ids)},
    )
    job.finish(ours=True)
    assert [item[METADATA]["class-name"] for item in job.finished()] == names


def test_a_label_without_a_confidence_stays_without_one(job):
    metadata = builtin()
    del metadata["confidence"]
    job.output(line(0, 0, metadata))
    job.finish(ours=True, min_confidence=0.9)
    assert job.finished()[0][METADATA] == metadata
    assert (job.requeued(), job.summary()["confidence"]["mean"]) == ([], None)


def test_an_input_manifest_that_is_not_there_is_an_error(job, tmp_path):
    with pytest.raises(StorageError) as caught:
        job.finish(input_manifest="s3://inputs/none.manifest")
    assert caught.value.reason == "not-found"
    with pytest.raises(StorageError, match="cannot be finished on this machine"):
        job.finish(input_manifest=tmp_path / "none.manifest")


def test_the_files_lie_beside_the_manifest_wherever_that_is(job):
    uri = f"{job.root}/manifests/output.manifest"
    job.write(uri, json.dumps(line(0, chosen())))
    ended = EndedJob(root=job.root, attribute=ATTRIBUTE, output_manifest=uri)
    result = finish_job(ended, store=job.store)
    assert result.uris == {
        "manifest": f"{job.root}/manifests/finished.manifest",
        "requeue": f"{job.root}/manifests/requeue.manifest",
        "summary": f"{job.root}/manifests/summary.json",
    }
    assert set(result.uris.values()) <= set(job.store.list(f"{job.root}/"))
