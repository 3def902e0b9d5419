"""The real job of 302 birds: consolidated and finished, it is the built-in job's own manifest."""

import json
from datetime import datetime, timedelta

import pytest

from tests.examples import consolidate, payload_of
from tests.real_data import real_data
from tests.unit.finishing.ended_jobs import Job

pytestmark = pytest.mark.slow

NAME = "birds-open-images-clone"
METADATA = f"{NAME}-metadata"
GAP = timedelta(seconds=5)


@pytest.fixture(scope="module")
def theirs():
    """Lines of the built-in job's manifest."""
    text = real_data("birds-job", "manifests", "output", "output.manifest").read_text()
    return text.splitlines()


def calls(lines):
    """Numbers of the objects of each call of the service, with the time of the call."""
    made = [datetime.fromisoformat(json.loads(line)[METADATA]["creation-date"]) for line in lines]
    batches = []
    for at in sorted(range(len(lines)), key=made.__getitem__):
        if not batches or made[at] - made[batches[-1][-1]] > GAP:
            batches.append([])
        batches[-1].append(at)
    return [(batch, made[batch[0]]) for batch in batches]


def answers(at):
    (path,) = real_data("birds-job", "annotations", "worker-response").glob(f"*/{at}/*.json")
    return json.loads(path.read_bytes())["answers"]


def payload(batch):
    entries = payload_of({str(at): [one["answerContent"] for one in answers(at)] for at in batch})
    for at, entry in zip(batch, entries, strict=True):
        for annotation, answer in zip(entry["annotations"], answers(at), strict=True):
            annotation["workerId"] = answer["workerId"]
    return entries


def without_date(text):
    values = json.loads(text)
    return text.replace(values[METADATA]["creation-date"], "")


@pytest.mark.parametrize("style", ["object", "builtin"])
def test_the_finished_manifest_is_the_built_in_one_but_for_its_dates(tmp_path, theirs, style):
    names = {line[NAME]: line[METADATA]["class-name"] for line in map(json.loads, theirs)}
    job = Job(tmp_path, root=f"s3://bucket/jobs/{NAME}")
    metadata = {"type": "groundtruth/custom", "job-name": NAME, "human-annotated": "yes"}
    lines = {}
    batches = calls(theirs)
    assert len(batches) == 13
    for batch, called in batches:
        outcome = consolidate(
            "acs_image_multi_class",
            payload(batch),
            classes=[names[at] for at in sorted(names)],
            event={"labelAttributeName": NAME},
            output_style=style,
            consolidation_algorithm="builtin",
        )
        contents = {
            int(item["datasetObjectId"]): item["consolidatedAnnotation"]["content"]
            for item in outcome.response
        }
        job.response(contents, time=f"{called:%Y-%m-%d_%H:%M:%S}")
        for at, content in contents.items():
            source = json.loads(theirs[at])["source-ref"]
            dated = metadata | {"creation-date": called.isoformat(timespec="microseconds")}
            lines[at] = {"source-ref": source, NAME: content[NAME], METADATA: dated}
    job.output(*(lines[at] for at in range(len(theirs))))
    job.finish(attribute=NAME)
    ours = job.text("finished.manifest").splitlines()
    assert len(ours) == 302
    assert [without_date(line) for line in ours] == [without_date(line) for line in theirs]
