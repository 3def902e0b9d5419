"""What depends on a job type stands with the job type: no other module asks which one it is."""

import ast
import re

import pytest

from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES
from tests.repository.source_files import LIBRARY, ROOT, RUNNER

ROOMS = (LIBRARY / "tasks", RUNNER / "tasks", RUNNER / "demo", LIBRARY / "aggregation")
"""The job types' own folders, the demonstration's material, and algorithms, which are theirs."""

NAMES = {
    name
    for job_type in JOB_TYPES.values()
    for name in (
        job_type.name,
        job_type.aws_name,
        job_type.library.schema_name,
        *job_type.page_elements,
        type(job_type).__name__,
    )
}
TRAITS = {name for name, value in vars(JobType).items() if isinstance(value, bool)}
"""What a type answers with yes or no: where that is asked, a module decides by the type."""

ASKED = {
    "api/jobs.py": {"label_is_mask", "single_choice"},
    "columns/line_facts.py": {"single_choice"},
    "columns/parquet_answers.py": {"single_choice"},
    "actions/plan.py": {"has_lead", "label_is_mask", "single_choice"},
    "actions/reading.py": {"has_quorum"},
    "demo/figures.py": {"label_is_mask", "single_choice"},
    "doctor/buckets.py": {"label_is_mask"},
    "doctor/job_files.py": {"label_is_mask", "single_choice"},
    "doctor/roles.py": {"label_is_mask"},
    "formats/fiftyone.py": {"label_is_mask", "single_choice"},
    "formats/imports/job_folder.py": {"label_is_mask", "single_choice"},
    "formats/labeled.py": {"label_is_mask"},
    "formats/tools/cvat.py": {"label_is_mask"},
    "formats/tools/labelstudio.py": {"label_is_mask", "single_choice"},
    "history/auxiliary_inputs.py": {"label_is_mask", "takes_auxiliary_inputs"},
    "history/explanation.py": {"independent_objects"},
    "history/shard_labels.py": {"single_choice"},
    "jobs/page_inputs.py": {"label_is_mask"},
    "jobs/request.py": {"label_is_mask"},
    "jobs/run.py": {"label_is_mask"},
    "metrics/class_balance.py": {"label_is_mask"},
    "metrics/copying.py": {"units_are_alike"},
    "metrics/confidence_maps.py": {"single_choice"},
    "metrics/workers.py": {"label_is_mask"},
    "portal/mask_pictures.py": {"label_is_mask"},
    "portal/owner_report.py": {"single_choice"},
    "portal/owner_status.py": {"label_is_mask"},
    "report/templates/balance.html.jinja": {"label_is_mask"},
    "report/templates/confidence.html.jinja": {"label_is_mask"},
    "report/templates/confusion.html.jinja": {"label_is_mask"},
    "rounds/gold.py": {"single_choice", "takes_auxiliary_inputs"},
    "rounds/planning.py": {"has_lead"},
    "rounds/verification.py": {"single_choice"},
    "simulation/behavior.py": {"label_is_mask"},
}
"""Every module that asks, with what. A method of the type is better than another line here."""

CONSTANTS = {re.sub(r"\W", "_", name).upper() for name in NAMES} | {"SINGLE_LABEL", "MULTI_LABEL"}


def modules():
    for file in sorted([*LIBRARY.rglob("*.py"), *RUNNER.rglob("*.py")]):
        if not any(file.is_relative_to(room) for room in ROOMS):
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


def test_where_a_type_is_asked_yes_or_no():
    files = [*RUNNER.rglob("*.py"), *RUNNER.rglob("*.jinja")]
    asked = {}
    for file in files:
        words = re.findall(r"\.(\w+)", file.read_text(encoding="utf-8"))
        if not file.is_relative_to(RUNNER / "tasks") and (found := TRAITS.intersection(words)):
            asked[file.relative_to(RUNNER).as_posix()] = found
    assert asked == ASKED
