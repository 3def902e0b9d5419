"""An AWS account on a moto server in which a planned job has everything it needs."""

import io
import json
import zipfile
from contextlib import closing
from pathlib import Path

from labeljob.tasks.registry import find_job_type
from tests.runner.image_files import image_bytes
from tests.runner.labeling_requests import PRIVATE_TEAM, good_request

ONE_LABEL = find_job_type("image-multi-class")

REGION = "us-east-1"
SERVICES = ("s3", "iam", "lambda", "kms", "cloudformation")
ACCOUNT = "123456789012"
STACK = "SageMaker-Consolidation"
BUCKET = "birds-groundtruth"
JOB_ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/GroundTruthJob"
FUNCTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/functions"
LABELS = {"document-version": "2018-11-28", "labels": [{"label": "duck"}, {"label": "gull"}]}
CORS = {
    "AllowedMethods": ["GET"],
    "AllowedOrigins": ["*"],
    "ExposeHeaders": ["Access-Control-Allow-Origin"],
}
N_IMAGES = 6
PAGES = Path(__file__).resolve().parents[3] / "worker_templates"


def function_arn(part, task):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-{part}-{task.aws_name}"


def allow(action, resource, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(**principal):
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


JOB_ROLE_STATEMENTS = (
    allow("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:*SageMaker*"),
    allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{BUCKET}/*"),
    allow("s3:ListBucket", "*"),
)
FUNCTION_ROLE_STATEMENTS = (
    allow("sagemaker:DescribeLabelingJob", f"arn:aws:sagemaker:*:{ACCOUNT}:labeling-job/*"),
    allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{BUCKET}/*"),
)


class GoodAccount:
    """The account: right when made, and each thing in it can be broken."""

    def __init__(self, clients, task=ONE_LABEL):
        self.task = task
        self.clients = clients
        self.s3, self.iam, self.kms = (self.clients[name] for name in ("s3", "iam", "kms"))
        self.request = good_request(
            task,
            job_name="Birds-1",
            manifest_uri=f"s3://{BUCKET}/input.manifest",
            output_uri=f"s3://{BUCKET}/out",
            label_categories_uri=f"s3://{BUCKET}/labels.json",
            ui_template_uri=f"s3://{BUCKET}/page.liquid.html",
            role_arn=JOB_ROLE,
            pre_arn=f"{function_arn('PRE', task)}:live",
            acs_arn=f"{function_arn('ACS', task)}:live",
            workteam_arn=PRIVATE_TEAM,
        )
        self._roles()
        self._objects()
        for part in ("PRE", "ACS"):
            self._function(part)

    @property
    def human(self):
        return self.request["HumanTaskConfig"]

    def put(self, key, body):
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def put_page(self, old="", new=""):
        """The job type's own page, with one text replaced."""
        name = f"{self.task.folder}.liquid.html"
        page = (PAGES / name).read_text(encoding="utf-8")
        assert old in page
        self.put("page.liquid.html", page.replace(old, new))

    def put_manifest(self, *lines):
        self.put("input.manifest", "".join(f"{line}\n" for line in lines))

    def put_labels(self, *names, **more):
        self.put("labels.json", json.dumps({**LABELS, "labels": list(map(_label, names)), **more}))

    def cors(self, **changes):
        rules = {"CORSRules": [{**CORS, **changes}]}
        self.s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration=rules)

    def job_role_may(self, *statements):
        self.iam.put_role_policy(
            RoleName="GroundTruthJob", PolicyName="job", PolicyDocument=document(*statements)
        )

    def functions_may(self, *statements):
        self.iam.put_role_policy(
            RoleName="functions", PolicyName="functions", PolicyDocument=document(*statements)
        )

    def job_role_trusts(self, *statements):
        self.iam.update_assume_role_policy(
            RoleName="GroundTruthJob", PolicyDocument=document(*statements)
        )

    def environment(self, part, **variables):
        """Give a function these variables, in a new version behind its alias."""
        name = function_arn(part, self.task).rpartition(":")[2]
        functions = self.clients["lambda"]
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")

    def key(self, *statements):
        """A key with this policy that encrypts the output."""
        arn = self.kms.create_key(Policy=document(*statements))["KeyMetadata"]["Arn"]
        self.request["OutputConfig"]["KmsKeyId"] = arn
        return arn

    def deploy(self, *, outputs=None, **parameters):
        """A stack with outputs as template.yaml has them."""
        values = {
            f"{part}{self.task.aws_name}{what}": value
            for part in ("Pre", "Acs")
            for what, value in (
                ("Arn", f"{function_arn(part.upper(), self.task)}:live"),
                ("RoleArn", FUNCTION_ROLE),
            )
        }
        given = {
            "OutputBucketName": BUCKET,
            "InputBucketName": BUCKET,
            "LabelCategoryKeyPattern": "*.json",
            **parameters,
        }
        template = {
            "Parameters": {name: {"Type": "String"} for name in given},
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": value} for name, value in (outputs or values).items()},
        }
        self.clients["cloudformation"].create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in given.items()
            ],
        )

    def _roles(self):
        self.iam.create_role(
            RoleName="GroundTruthJob",
            Path="/service/",
            AssumeRolePolicyDocument=document(trust(Service="sagemaker.amazonaws.com")),
        )
        self.iam.create_role(
            RoleName="functions",
            AssumeRolePolicyDocument=document(trust(Service="lambda.amazonaws.com")),
        )
        self.job_role_may(*JOB_ROLE_STATEMENTS)
        self.functions_may(*FUNCTION_ROLE_STATEMENTS)

    def _objects(self):
        self.s3.create_bucket(Bucket=BUCKET)
        self.cors()
        keys = [f"images/{number}.png" for number in range(N_IMAGES)]
        for number, key in enumerate(keys):
            self.put(key, image_bytes(seed=number))
        self.put_manifest(*(json.dumps({"source-ref": f"s3://{BUCKET}/{key}"}) for key in keys))
        self.put("labels.json", json.dumps(LABELS))
        self.put_page()

    def _function(self, part):
        code = io.BytesIO()
        with closing(zipfile.ZipFile(code, "w")) as archive:
            archive.writestr("app.py", "")
        name = function_arn(part, self.task).rpartition(":")[2]
        self.clients["lambda"].create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=FUNCTION_ROLE,
            Handler="app.lambda_handler",
            Timeout=300,
            Code={"ZipFile": code.getvalue()},
            Publish=True,
            Environment={"Variables": {"ASSUME_JOB_ROLE": "false"}},
        )
        self.clients["lambda"].create_alias(FunctionName=name, Name="live", FunctionVersion="1")


def _label(name):
    return {"label": name}
