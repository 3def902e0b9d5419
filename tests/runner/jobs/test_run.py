"""`labeljob run`: the files it leaves, and how it goes on after an interruption."""

import json

import pytest
from filelock import FileLock
from PIL import Image

from labeljob.commands.finish import finish
from labeljob.commands.run import run
from tests.runner.command_line import run as invoke

pytestmark = pytest.mark.slow

LABELS = "cat,dog,bird"


def write_manifest(folder, n_objects, **extra):
    path = folder / "photos.manifest"
    lines = [
        json.dumps({"source-ref": f"s3://photos/{at}.jpg", **extra}) for at in range(n_objects)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def output_lines(store, job="photos"):
    path = store / "labeljob/jobs" / job / "manifests/output/output.manifest"
    return [json.loads(line) for line in path.read_text().splitlines()]


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def test_the_files_are_laid_out_as_ground_truth_does(tmp_path, store):
    manifest = write_manifest(tmp_path, 3, site="north")
    result = invoke(
        run, manifest, "--task", "image-multi-class", "--labels", LABELS, "--workers", "careful:3",
        "-o", store,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    job = store / "labeljob/jobs/photos"
    patterns = {
        "manifests/output/output.manifest": 1,
        "annotations/worker-response/iteration-1/[012]/????-??-??_??:??:??.json": 3,
        "annotations/consolidated-annotation/consolidation-request/iteration-1/*.json": 1,
        "annotations/consolidated-annotation/consolidation-response/iteration-1/*.json": 1,
    }
    assert {pattern: len(list(job.glob(pattern))) for pattern in patterns} == patterns
    assert len(files(job)) == sum(patterns.values())


def test_a_worker_response_has_the_documented_fields(tmp_path, store):
    manifest = write_manifest(tmp_path, 1)
    invoke(run, manifest, "--task", "image-multi-class", "--labels", LABELS, "-o", store)
    (path,) = (store / "labeljob/jobs/photos").glob("annotations/worker-response/*/0/*.json")
    answers = json.loads(path.read_text())["answers"]
    assert len(answers) == 3
    for answer in answers:
        assert list(answer) == [
            "acceptanceTime",
            "answerContent",
            "submissionTime",
            "timeSpentInSeconds",
            "workerId",
            "workerMetadata",
        ]
        assert answer["answerContent"]["crowd-image-classifier"]["label"] in LABELS.split(",")


def test_lines_have_the_shape_of_a_custom_job_and_keep_what_they_had(tmp_path, store):
    manifest = write_manifest(tmp_path, 2, site="north")
    invoke(
        run, manifest, "--task", "image-multi-class", "--labels", LABELS, "--attribute", "species",
        "-o", store,
    )  # fmt: skip
    for line in output_lines(store):
        assert list(line) == ["source-ref", "site", "species", "species-metadata"]
        assert line["species"]["class-name"] in LABELS.split(",")
        metadata = line["species-metadata"]
        assert list(metadata) == ["type", "job-name", "human-annotated", "creation-date"]
        assert metadata["type"] == "groundtruth/custom"
        assert metadata["job-name"] == "photos"


@pytest.mark.parametrize("task", ["image-multi-class", "image-multi-class-multi-label"])
def test_no_call_gets_more_objects_than_the_batch_size(tmp_path, store, task):
    manifest = write_manifest(tmp_path, 25)
    invoke(run, manifest, "--task", task, "--labels", LABELS, "--batch-size", 10, "-o", store)
    requests = (store / "labeljob/jobs/photos").glob("**/consolidation-request/*/*.json")
    sizes = [len(json.loads(path.read_text())) for path in sorted(requests)]
    assert sizes == [10, 10, 5]
    assert len(output_lines(store)) == 25


def test_masks_are_written_for_real_images(tmp_path, store):
    Image.new("RGB", (40, 30), "navy").save(tmp_path / "sea.png")
    manifest = tmp_path / "photos.manifest"
    manifest.write_text('{"source-ref":"sea.png"}\n')
    result = invoke(
        run, manifest, "--task", "semantic-segmentation", "--labels", "water,sky", "-o", store
    )
    assert result.exit_code == 0, result.stderr
    (line,) = output_lines(store)
    with Image.open(store / line["mask-ref"]["mask-ref"].removeprefix("s3://")) as mask:
        assert (mask.size, mask.mode) == ((40, 30), "P")


def test_objects_that_have_the_label_are_not_asked_again(tmp_path, store):
    manifest = tmp_path / "photos.manifest"
    labeled = '{"source-ref": "s3://photos/0.jpg", "label": {"class-name": "cat"}}'
    manifest.write_text(f'{labeled}\n{{"source-ref":"s3://photos/1.jpg"}}\n')
    result = invoke(
        run, manifest, "--task", "image-multi-class", "--labels", LABELS, "-o", store,
        "--skip-labeled",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    output = store / "labeljob/jobs/photos/manifests/output/output.manifest"
    assert output.read_text().splitlines()[0] == labeled
    assert len(list((store / "labeljob").glob("**/worker-response/*/*"))) == 1


def test_a_job_is_not_mixed_with_another_of_its_name(tmp_path, store):
    manifest = write_manifest(tmp_path, 2)
    common = [manifest, "--task", "image-multi-class", "-o", store]
    assert invoke(run, *common, "--labels", LABELS).exit_code == 0
    result = invoke(run, *common, "--labels", "cat,dog")
    assert result.exit_code == 1
    assert "was begun with other options (--labels)" in result.stderr
    assert invoke(run, *common, "--labels", "cat,dog", "--fresh").exit_code == 0
    assert {line["label"]["class-name"] for line in output_lines(store)} <= {"cat", "dog"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--labels", "cat,cat"], "there twice", id="a label twice"),
        pytest.param(["--labels", "nothing.json"], "no such file", id="no label file"),
        pytest.param(["--workers", "clever:2"], "no such kind", id="unknown kind of worker"),
        pytest.param(["--per-object", 4], "the crew has 3", id="more than the crew"),
        pytest.param(["--algorithm", "one-coin-em"], "is not one of", id="algorithm of masks"),
        pytest.param(["--job-name", "a_b"], "cannot be a job's name", id="bad job name"),
        pytest.param(["--attribute", "x-metadata"], "metadata", id="reserved attribute"),
    ],
)
def test_a_bad_option_is_one_clear_line(tmp_path, store, arguments, message):
    manifest = write_manifest(tmp_path, 1)
    result = invoke(
        run, manifest, "--task", "image-multi-class", "--labels", LABELS, "-o", store, *arguments
    )
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            '{"source-ref":"a.jpg"}\nnonsense\n', "line 2: is no JSON object", id="no JSON"
        ),
        pytest.param('{"source":"text"}\n', 'line 1: has no text "source-ref"'),
        pytest.param(
            '\n{"source-ref":"a.jpg"}\n \n[]\n', "line 4: is no JSON object", id="no object"
        ),
        pytest.param(
            "\ufeff \r\n\n", "photos.manifest: has no data objects", id="blank lines alone"
        ),
        pytest.param("", "photos.manifest: has no data objects", id="empty file"),
    ],
)
def test_a_bad_manifest_line_is_named(tmp_path, store, text, message):
    manifest = tmp_path / "photos.manifest"
    manifest.write_text(text)
    result = invoke(run, manifest, "--task", "image-multi-class", "--labels", LABELS, "-o", store)
    assert result.exit_code == 1
    assert message in result.stderr


def test_blank_lines_of_an_input_manifest_are_no_data_objects(tmp_path, store):
    texts = [f'{{"source-ref":"s3://photos/{at}.jpg"}}' for at in range(3)]
    manifest = tmp_path / "photos.manifest"
    text = "\r\n".join(["\ufeff", texts[0], "", " \t", *texts[1:], "", ""])
    manifest.write_bytes(text.encode())
    options = ("--task", "image-multi-class", "--labels", LABELS, "--job-name", "gaps", "-o", store)
    result = invoke(run, manifest, *options)
    assert result.exit_code == 0, result.output
    folder = store / "labeljob/jobs/gaps"
    lines = (folder / "manifests/output/output.manifest").read_text().splitlines()
    assert [json.loads(line)["source-ref"] for line in lines] == [
        json.loads(text)["source-ref"] for text in texts
    ]
    answered = folder / "annotations/worker-response/iteration-1"
    assert sorted(path.name for path in answered.iterdir()) == ["0", "1", "2"]
    result = invoke(finish, folder, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["objects"] == 3


def test_a_job_runs_against_an_s3_server(tmp_path, s3_server, aws_endpoint, monkeypatch):
    monkeypatch.chdir(tmp_path)
    s3_server.create_bucket(Bucket="jobs")
    manifest = write_manifest(tmp_path, 12)
    result = invoke(
        run, manifest, "--task", "image-multi-class", "--labels", LABELS, "--batch-size", 5,
        "-o", "s3://jobs/labels", "--endpoint-url", aws_endpoint, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["objects"] == 12
    body = s3_server.get_object(Bucket="jobs", Key="labels/photos/manifests/output/output.manifest")
    assert len(body["Body"].read().splitlines()) == 12


def test_a_second_run_of_the_same_job_waits_for_no_one(tmp_path, store):
    manifest = write_manifest(tmp_path, 1)
    (store / ".labeling-jobs").mkdir(parents=True)
    with FileLock(store / ".labeling-jobs" / "photos.lock"):
        result = invoke(
            run, manifest, "--task", "image-multi-class", "--labels", LABELS, "-o", store
        )
    assert result.exit_code == 1
    assert "another run of job photos is under way" in result.stderr
