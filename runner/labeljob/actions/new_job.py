"""What the commands that begin a job do alike: its name, its label attribute, its settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from groundtruth.settings import TAG_PREFIX, Settings
from labeljob.jobs.description import JobError
from labeljob.jobs.request import attribute_problems
from labeljob.tasks.base import JobType


def derive_job_name(text: str) -> str:
    """A file's or a folder's name, as far as a labeling job can be called so.

    Examples
    --------
    >>> derive_job_name("My photos_2026"), derive_job_name("...")
    ('My-photos-2026', 'job')
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:63].strip("-") or "job"


def check_attribute(name: str | None, task: JobType) -> str:
    """The label attribute name that an option gives, else the job type's; raises `JobError`."""
    attribute = name or task.label_attribute
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}", attribute):
        raise JobError(f"--attribute {attribute!r} is not 1 to 127 letters, digits and hyphens")
    for problem in attribute_problems(attribute, task):
        raise JobError(f"--attribute {problem.text}")
    return attribute


def collect_tags(
    settings: Mapping[str, object], texts: Iterable[str], *, task: JobType
) -> dict[str, str]:
    """The settings of one job as its tags.

    `settings` are by name, None where an option was not given; `texts` are those of ``--tag``,
    ``KEY=VALUE``. Raises `JobError` if one is of no such form, or no good setting.
    """
    tags = {
        f"{TAG_PREFIX}{key}": str(value) for key, value in settings.items() if value is not None
    }
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise JobError(f"--tag {text!r} is not KEY=VALUE")
        if tags.setdefault(key, value) != value:
            raise JobError(f"--tag {text!r}: {key} is {tags[key]!r} already")
    _, problems = Settings().for_job(tags, algorithms=task.algorithms)
    if problems:
        raise JobError("; ".join(problems))
    return tags
