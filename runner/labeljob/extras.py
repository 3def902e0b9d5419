"""What is not in the base installation: which extra brings a module, and how it is installed."""

from __future__ import annotations

import importlib.util

from groundtruth.errors import GroundTruthError

PACKAGE = "groundtruth-consolidation"

EXTRA_OF = {
    "anyio": "portal",
    "argon2": "portal",
    "authlib": "portal-oidc",
    "boto3": "aws",
    "botocore": "aws",
    "datasets": "exports",
    "distributed": "dask",
    "httptools": "portal",
    "httpx2": "portal-oidc",
    "itsdangerous": "portal",
    "joserfc": "portal-oidc",
    "json5": "aws",
    "liquid": "portal",
    "matplotlib": "demo",
    "moto": "emulator",
    "onnxruntime": "assist",
    "pycocotools": "exports",
    "python_multipart": "portal",
    "ray": "ray",
    "scipy": "masks",
    "selectolax": "portal",
    "skimage": "masks",
    "starlette": "portal",
    "uvicorn": "portal",
    "werkzeug": "emulator",
}
"""The extra that brings a module, of several the one whose users are most likely without it."""


class MissingExtraError(GroundTruthError, ImportError):
    """Something is not installed; the text says what, and the command that installs it."""


def need(module: str, purpose: str) -> None:
    """Raise `MissingExtraError` if a module of `EXTRA_OF` is not installed; nothing is loaded."""
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(explain_missing(module, purpose))


def explain_missing(module: str, purpose: str) -> str:
    """What needs a module of `EXTRA_OF`, and how that is installed.

    Examples
    --------
    >>> explain_missing("pycocotools", "COCO")
    "COCO needs pycocotools: pip install 'groundtruth-consolidation[exports]'"
    """
    return f"{purpose} needs {module}: pip install '{PACKAGE}[{EXTRA_OF[module]}]'"
