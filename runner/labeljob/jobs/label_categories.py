"""The label category file: the labels that workers choose from, checked for the job type.

Rules: "Create a labeling job (API)" and "Input data quotas" in the SageMaker developer guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from groundtruth.contract.fields import MAX_NAME_LENGTH, label_category_file
from labeljob.tasks.base import JobType


@dataclass(frozen=True, kw_only=True)
class LabelFindings:
    """What is to be said of a list of labels."""

    problems: tuple[str, ...]  # what Ground Truth or our functions would refuse, one sentence each
    warnings: tuple[str, ...]  # what may surprise, one sentence each


def read_names(text: str) -> list[str]:
    r"""Labels of a text file with one a line; blank lines and outer spaces do not count.

    Examples
    --------
    >>> read_names("cat\n\n  hot dog\n")
    ['cat', 'hot dog']
    """
    return [line.strip() for line in text.removeprefix("\ufeff").split("\n") if line.strip()]


def check_labels(names: Sequence[str], *, task: JobType | None = None) -> LabelFindings:
    """Say what is wrong with labels, all of it at once."""
    problems = [*_count_problems(len(names), task), *_name_problems(names)]
    return LabelFindings(
        problems=tuple(problems),
        warnings=(*_count_warnings(len(names), task), *_name_warnings(names, task)),
    )


def label_category_text(names: Sequence[str]) -> str:
    """The label category file, as JSON.

    Examples
    --------
    >>> print(label_category_text(["cat"]), end="")
    {
      "document-version": "2018-11-28",
      "labels": [
        {
          "label": "cat"
        }
      ]
    }
    """
    return json.dumps(label_category_file(list(names)), indent=2, ensure_ascii=False) + "\n"


def _count_problems(n_labels: int, task: JobType | None) -> Iterator[str]:
    if n_labels == 0:
        yield "there is no label"
    elif task is not None and (problem := task.label_count_problem(n_labels)):
        yield problem


def _name_problems(names: Sequence[str]) -> list[str]:
    problems = []
    for at, name in enumerate(names):
        if not name.strip():
            problems.append(f"label {at + 1} is empty")
        elif len(name) > MAX_NAME_LENGTH:
            start = f"{name[:20]!r}…"
            problems.append(f"label {start} has {len(name)} characters, {MAX_NAME_LENGTH} at most")
        elif not name.isprintable():
            problems.append(f"label {name!r} has a character that cannot be shown")
        if names.index(name) < at:
            problems.append(f"label {name!r} is there twice")
    return problems


def _count_warnings(n_labels: int, task: JobType | None) -> Iterator[str]:
    if task is None:
        if n_labels == 1:
            yield "there is one label, which is enough for segmentation only"
    elif warning := task.label_count_warning(n_labels):
        yield warning


def _name_warnings(names: Sequence[str], task: JobType | None) -> list[str]:
    warnings = []
    seen: dict[str, str] = {}
    for name in dict.fromkeys(names):
        first = seen.setdefault(name.strip().casefold(), name)
        if first != name:
            warnings.append(f"labels {first!r} and {name!r} are easily confused")
        if name != name.strip():
            warnings.append(f"label {name!r} begins or ends with a space")
    return [*warnings, *(task.label_name_warnings(names) if task else ())]
