"""Runs functions as built by `sam build`: Lambda's emulator, and the AWS services they call.

`EmulatedFunction` is one function in the Lambda runtime interface emulator, which comes with the
SAM CLI. `EmbeddedAws` is the S3 and SageMaker that it reaches.
"""

from labeljob.emulator.built_application import BUILD_FOLDER, BuildError, BuiltApplication
from labeljob.emulator.embedded_aws import EmbeddedAws
from labeljob.emulator.function import (
    EmulatedFunction,
    EmulatorError,
    FunctionError,
    FunctionTimeout,
)

__all__ = [
    "BUILD_FOLDER",
    "BuildError",
    "BuiltApplication",
    "EmbeddedAws",
    "EmulatedFunction",
    "EmulatorError",
    "FunctionError",
    "FunctionTimeout",
]
