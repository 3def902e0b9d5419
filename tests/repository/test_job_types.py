"""What depends on a job type stands with the job type: no other module asks which one it is."""

import ast
import re

import pytest

from labeljob.tasks.registry import JOB_TYPES
from tests.repository.source_files import LIBRARY, ROOT, RUNNER

ROOMS = (LIBRARY / "tasks", RUNNER / "tasks", RUNNER / "demo", LIBRARY / "aggregation")
"""The job types' own folders, the demonstration's material, and algorithms, which are theirs."""

DEFAULTS = {RUNNER / "commands/synthesize.py"}
"""Where a job type is named as an option's default."""

NAMES = {
    name
    for job_type in JOB_TYPES.values()
    for name in (
        job_type.name,
        job_type.aws_name,
        job_type.library.schema_name,
        job_type.page_element,
        type(job_type).__name__,
    )
}
CONSTANTS = {re.sub(r"\W", "_", name).upper() for name in NAMES} | {"SINGLE_LABEL", "MULTI_LABEL"}


def modules():
    for file in sorted([*LIBRARY.rglob("*.py"), *RUNNER.rglob("*.py")]):
        if not any(file.is_relative_to(room) for room in ROOMS) and file not in DEFAULTS:
            yield pytest.param(file, id=str(file.relative_to(ROOT)))


@pytest.mark.parametrize("file", list(modules()))
def test_a_module_names_no_job_type(file):
    named = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Constant(value=str(text)) if text in NAMES:
                named.add(text)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in NAMES | CONSTANTS:
                named.add(name)
    assert not named
