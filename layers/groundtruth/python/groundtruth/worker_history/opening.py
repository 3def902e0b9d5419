"""Which store the environment names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from groundtruth.worker_history.store import SkillStore

SKILL_FILE_VARIABLE = "GROUNDTRUTH_SKILL_FILE"
"""Variable that names a file to use instead of DynamoDB: how a job runs on one machine."""


def open_skills(environ: Mapping[str, str], *, table_name: str) -> SkillStore | None:
    """The store that the environment names: a file, or a table; None for neither.

    Parameters
    ----------
    environ : mapping of str to str
        The function's environment.
    table_name : str
        Name of the DynamoDB table; empty for none.
    """
    if file := environ.get(SKILL_FILE_VARIABLE, ""):
        from groundtruth.worker_history.jsonl import JsonFileSkills

        return JsonFileSkills(Path(file))
    if table_name:
        from groundtruth.worker_history.dynamodb import DynamoDbSkills

        return DynamoDbSkills(table_name)
    return None
