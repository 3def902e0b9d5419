"""What `sam local` would have Docker run, as JSON lines: `.tools/sam/bin/python sam_local.py`.

Each line of standard input is a command of `sam local`. SAM's own code runs up to the creation of
the container: the arguments, the built template, the event and the variables are what it makes of
them. Only Docker's client and the image, into which SAM copies the layers, are stand-ins. It
needs the SAM CLI's Python.
"""

import json
import shlex
import sys
from unittest.mock import MagicMock

from samcli.cli.main import cli
from samcli.local.docker.container_client_factory import ContainerClientFactory
from samcli.local.docker.lambda_image import LambdaImage
from samcli.local.lambdafn.runtime import LambdaRuntime


class Shown(BaseException):
    """The container was shown: SAM need not go on."""


def show(image, **options):
    """Print what would be run instead of running it."""
    sys.stdout.write(json.dumps({"event": sent[-1], **options}, default=str) + "\n")
    raise Shown


def invoke(self, function_config, event, *rest, **options):
    """Remember the event, which is sent to the container once it runs."""
    sent.append(json.loads(event))
    return really_invoke(self, function_config, event, *rest, **options)


sent = []
really_invoke, LambdaRuntime.invoke = LambdaRuntime.invoke, invoke
LambdaImage.build = lambda *_, **__: "image"
docker = MagicMock()
docker.containers.create = show
ContainerClientFactory.create_client = staticmethod(lambda: docker)
for line in sys.stdin:
    try:
        cli(shlex.split(line))
    except Shown:
        continue
