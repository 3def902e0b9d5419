"""The stack of template.yaml, built by `sam build`, deployed by `sam deploy` into MiniStack."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from labeljob.emulator import BUILD_FOLDER
from labeljob.emulator.embedded_aws import serve_labeling_jobs
from tests.built.conftest import ROOT
from tests.deployed.local_aws import PYTHON, MiniStack, ministack
from tests.examples import EVENTS, PRE_FUNCTIONS

collect_ignore = ["launcher.py"]

HERE = Path(__file__).parent
SAM = ROOT / ".tools/sam/bin/sam"
STACK = "consolidation"
BUCKET = "example-groundtruth-bucket"
ENDED_JOB = "ended-01"


def pytest_collection_modifyitems(items):
    missing = [str(path) for path in (SAM, PYTHON, ROOT / BUILD_FOLDER) if not path.exists()]
    for item in items:
        if str(item.path).startswith(f"{HERE}/"):
            item.add_marker(pytest.mark.deployed)
            if missing:
                reason = f"{', '.join(missing)} missing: run `make build`"
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass(frozen=True)
class Stack:
    """The deployed stack.

    Attributes
    ----------
    aws : MiniStack
        Where it is.
    outputs : dict of str to str
        Its outputs.
    resources : dict of str to str
        Physical id of each resource.
    """

    aws: MiniStack
    outputs: dict[str, str]
    resources: dict[str, str]

    def invoke(self, output, event):
        """Response of the function with this ARN among the outputs, and its error if it has one."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.outputs[output], Payload=json.dumps(event).encode()
        )
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def put(self, uri, body):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self):
        listed = self.aws.client("s3").list_objects_v2(Bucket=BUCKET)
        return {item["Key"] for item in listed.get("Contents", ())}

    def credentials_of(self, role):
        """What a function with this role, by its logical id, acts with."""
        arn = self.aws.client("iam").get_role(RoleName=self.resources[role])["Role"]["Arn"]
        return self.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")[
            "Credentials"
        ]


def described_jobs():
    """The labeling jobs of the example events, and one that has ended."""
    jobs = {}
    for function in PRE_FUNCTIONS:
        event = json.loads((EVENTS / function / "event.json").read_bytes())
        name = event["labelingJobArn"].rpartition("/")[2]
        jobs[name] = {
            "LabelCategoryConfigS3Uri": f"s3://{BUCKET}/categories/{function}.json",
            "Tags": [],
        }
    jobs[ENDED_JOB] = json.loads((EVENTS / "finish_job" / "labeling_job.json").read_bytes())
    return jobs


def deploy(aws, stack_name, parameters):
    command = [str(SAM), "deploy", "--no-confirm-changeset", "--no-progressbar"]
    given = [f"{name}={value}" for name, value in parameters.items()]
    done = subprocess.run(
        [*command, "--stack-name", stack_name, "--parameter-overrides", *given],
        cwd=ROOT,
        env=os.environ | aws.environment | {"SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"sam deploy failed:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}")


@pytest.fixture(scope="session")
def stack():
    with (
        serve_labeling_jobs(described_jobs()) as sagemaker,
        ministack({"AWS_ENDPOINT_URL_SAGEMAKER": sagemaker}) as aws,
    ):
        deploy(
            aws,
            STACK,
            {
                "InputBucketName": BUCKET,
                "OutputBucketName": BUCKET,
                "ReplayBucketName": BUCKET,
            },
        )
        cloudformation = aws.client("cloudformation")
        (described,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
        stack = Stack(
            aws,
            {item["OutputKey"]: item["OutputValue"] for item in described["Outputs"]},
            {
                item["LogicalResourceId"]: item["PhysicalResourceId"]
                for page in pages
                for item in page["StackResourceSummaries"]
            },
        )
        aws.client("s3").create_bucket(Bucket=BUCKET)
        for function in PRE_FUNCTIONS:
            body = (EVENTS / function / "label_categories.json").read_bytes()
            stack.put(f"s3://{BUCKET}/categories/{function}.json", body)
        yield stack
