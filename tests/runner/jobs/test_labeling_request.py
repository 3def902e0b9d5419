"""Options to a request."""

from tests.runner.labeling_requests import FUNCTION, PRIVATE_TEAM, good_request


def test_options_of_the_job_reach_their_fields():
    request = good_request(
        job_name="birds-1",
        label_attribute="bird",
        kms_key_id="alias/key",
        max_labeled=7,
        max_percentage=50,
        tags=["consolidation:algorithm=builtin"],
    )
    del request["HumanTaskConfig"]
    assert request == {
        "LabelingJobName": "birds-1",
        "LabelAttributeName": "bird",
        "InputConfig": {
            "DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://bucket/input.manifest"}}
        },
        "OutputConfig": {"S3OutputPath": "s3://bucket/out", "KmsKeyId": "alias/key"},
        "RoleArn": "arn:aws:iam::111122223333:role/GroundTruth",
        "LabelCategoryConfigS3Uri": "s3://bucket/label_categories.json",
        "StoppingConditions": {
            "MaxHumanLabeledObjectCount": 7,
            "MaxPercentageOfInputDatasetLabeled": 50,
        },
        "Tags": [{"Key": "consolidation:algorithm", "Value": "builtin"}],
    }


def test_options_of_the_work_reach_their_fields():
    request = good_request(
        workers=5,
        title="T",
        description="D",
        keywords=["bird"],
        time_limit=60,
        availability=3600,
        max_concurrent=10,
        price="1.234",
    )
    assert request["HumanTaskConfig"] == {
        "WorkteamArn": PRIVATE_TEAM,
        "UiConfig": {"UiTemplateS3Uri": "s3://bucket/page.liquid.html"},
        "PreHumanTaskLambdaArn": f"{FUNCTION}-PRE-ImageMultiClass:live",
        "TaskKeywords": ["bird"],
        "TaskTitle": "T",
        "TaskDescription": "D",
        "NumberOfHumanWorkersPerDataObject": 5,
        "TaskTimeLimitInSeconds": 60,
        "TaskAvailabilityLifetimeInSeconds": 3600,
        "MaxConcurrentTaskCount": 10,
        "AnnotationConsolidationConfig": {
            "AnnotationConsolidationLambdaArn": f"{FUNCTION}-ACS-ImageMultiClass:live"
        },
        "PublicWorkforceTaskPrice": {
            "AmountInUsd": {"Dollars": 1, "Cents": 23, "TenthFractionsOfACent": 4}
        },
    }


def test_a_job_without_a_name_is_named_after_task_and_time():
    request = good_request(label_attribute=None)
    assert request["LabelingJobName"] == "image-multi-class-20261122-120405"
    assert request["LabelAttributeName"] == request["LabelingJobName"]
