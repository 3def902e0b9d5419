"""The embedded services answer the library's own clients."""

import pytest

from groundtruth.errors import JobLookupError
from groundtruth.jobs import open_jobs
from groundtruth.storage.s3 import S3Store
from labeljob.emulator import EmbeddedAws

pytestmark = pytest.mark.slow

ARN = "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/birds"
DESCRIPTION = {
    "LabelAttributeName": "species",
    "LabelCategoryConfigS3Uri": "s3://labels/birds.json",
    "Tags": [{"Key": "consolidation:quorum", "Value": "0.7"}],
}


@pytest.fixture
def aws(monkeypatch):
    with EmbeddedAws({"birds": DESCRIPTION}) as services:
        for name, value in services.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield services


def test_an_object_put_is_an_object_read(aws):
    uri = "s3://bucket/a job/iteration-1/2026-03-02_10:15:28.json"
    aws.put(uri, b"[]")
    assert S3Store().read(uri) == b"[]"
    assert aws.get(uri) == b"[]"
    assert aws.uris() == [uri]


def test_nothing_is_left_of_an_earlier_one(aws):
    assert aws.uris() == []


def test_a_known_job_is_described(aws):
    job = open_jobs({}).describe(ARN)
    assert job.label_attribute_name == "species"
    assert job.label_category_config_uri == "s3://labels/birds.json"
    assert job.tags == {"consolidation:quorum": "0.7"}


def test_an_unknown_job_does_not_exist(aws):
    with pytest.raises(JobLookupError) as caught:
        open_jobs({}).describe(f"{ARN}-2")
    assert not caught.value.transient
