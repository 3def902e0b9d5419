"""`labeljob invoke --serve`: what an event refers to, for `sam local invoke`."""

import json
import os
import signal
import subprocess
import sys

import boto3
import pytest
from typer.testing import CliRunner

from labeljob.application import application_folder
from labeljob.commands import app

pytestmark = pytest.mark.slow

EVENT = "events/acs_semantic_segmentation/event.json"
MASK = {"Bucket": "example-groundtruth-bucket", "Key": "masks/0.png"}


def test_it_serves_until_interrupted_and_keeps_what_was_written(tmp_path):
    program = [sys.executable, "-c", "from labeljob.cli import main; main()"]
    place = ["--serve", "127.0.0.1:0", "--save", str(tmp_path / "kept")]
    served = subprocess.Popen(
        [*program, "invoke", "acs_semantic_segmentation", *place],
        cwd=application_folder(),
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
    )
    try:
        where, command = served.stderr.readline(), served.stderr.readline()
        endpoint = where.partition(" at ")[2].partition(" until ")[0]
        s3 = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        uri = json.loads((application_folder() / EVENT).read_text())["payload"]["s3Uri"]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        payload = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(**MASK, Body=b"mask")
        s3.close()
    finally:
        served.send_signal(signal.SIGINT)
        _, rest = served.communicate(timeout=60)
    folder = (application_folder() / EVENT).parent
    assert payload == (folder / "payload.json").read_bytes()
    documented = (application_folder() / "docs/reference/labeljob.md").read_text(encoding="utf-8")
    assert command in documented.splitlines(keepends=True)
    assert served.returncode == 0, rest
    assert (tmp_path / "kept" / "0.png").read_bytes() == b"mask"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(
            ["acs_image_multi_class", "--serve", "127.0.0.1:x"], "ADDRESS:PORT", id="port"
        ),
        pytest.param(["acs_image_multi_class", "--serve", ":9461"], "ADDRESS:PORT", id="address"),
        pytest.param(["acs", "--serve", "127.0.0.1"], "no function 'acs'", id="function"),
        pytest.param(
            ["acs_image_multi_class", "--serve", "203.0.113.7"], "203.0.113.7:9461", id="not-here"
        ),
        pytest.param(
            ["acs_image_multi_class", "--serve", "127.0.0.1", "--log"], "invokes nothing", id="log"
        ),
    ],
)
def test_what_cannot_be_served_is_said(arguments, problem):
    result = CliRunner().invoke(app, ["invoke", *arguments])
    assert result.exit_code in (1, 2)
    assert problem in " ".join(result.stderr.replace("│", " ").split())
