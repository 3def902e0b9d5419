"""What can be set, where it comes from, and what each value may be.

A stack parameter becomes a variable of the function's environment, and the variable a field of
`Settings`. A labeling job's own tags override some of them for that job alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from groundtruth.errors import SettingsError

OUTPUT_STYLES = ("object", "builtin")
TAG_PREFIX = "consolidation:"


def _text(text: str) -> str:
    return text


def _style(text: str) -> str:
    if text not in OUTPUT_STYLES:
        raise ValueError(f"is not one of {', '.join(OUTPUT_STYLES)}")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", text):
        raise ValueError("is not the name of an algorithm, such as majority")
    return text


def _fraction(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0.0 <= number <= 1.0:
        raise ValueError("is not a number from 0 to 1")
    return number


def _switch(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return text == "true"


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "label_category_config_s3_uri": _text,
    "output_style": _style,
    "consolidation_algorithm": _name,
    "quorum": _fraction,
    "min_confidence": _fraction,
    "exclusion_category": _text,
    "skip_labeled_objects": _switch,
    "assume_job_role": _switch,
    "job_role_arn_pattern": _text,
    "kms_key_arn": _text,
}

JOB_TAGS: Mapping[str, str] = {
    f"{TAG_PREFIX}algorithm": "consolidation_algorithm",
    f"{TAG_PREFIX}output-style": "output_style",
    f"{TAG_PREFIX}quorum": "quorum",
    f"{TAG_PREFIX}min-confidence": "min_confidence",
    f"{TAG_PREFIX}exclusion-category": "exclusion_category",
    f"{TAG_PREFIX}skip-labeled-objects": "skip_labeled_objects",
}
"""Tags of a labeling job that override a field: tag key -> field."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field per variable under `Environment` in template.yaml, with its default.

    Attributes
    ----------
    label_category_config_s3_uri : str
        Label category file of jobs that name none themselves; empty for none.
    output_style : str
        ``"object"`` (all we know, inside the label attribute) or ``"builtin"`` (what the
        built-in functions return).
    consolidation_algorithm : str
        Name of the algorithm; each task says which it has. Empty for the task's default.
    quorum : float
        Share of the votes, in [0, 1], that a label of a multi-label task must exceed.
    min_confidence : float
        Confidence in [0, 1] under which a label's status is ``low-confidence``.
    exclusion_category : str
        The worker page's "none of the above" of a multi-label task; empty for none.
    skip_labeled_objects : bool
        Whether a data object that already has this job's label is kept from the workers.
    assume_job_role : bool
        Whether objects are read and written with the event's role instead of our own.
    job_role_arn_pattern : str
        Glob that a role must match before it is assumed.
    kms_key_arn : str
        Key for what we write, where the event names none; empty for the bucket's default.
    """

    label_category_config_s3_uri: str = ""
    output_style: str = "object"
    consolidation_algorithm: str = "majority"
    quorum: float = 0.5
    min_confidence: float = 0.0
    exclusion_category: str = ""
    skip_labeled_objects: bool = False
    assume_job_role: bool = False
    job_role_arn_pattern: str = ""
    kms_key_arn: str = ""

    def __post_init__(self) -> None:
        if self.assume_job_role and not self.job_role_arn_pattern:
            raise SettingsError(
                "ASSUME_JOB_ROLE='true' needs JOB_ROLE_ARN_PATTERN, "
                "such as 'arn:aws:iam::111122223333:role/GroundTruth*'"
            )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Settings of a function's environment; an empty variable means "not set".

        Raises
        ------
        SettingsError
            If a variable has a bad value; the text names the variable and the value.
        """
        values = {}
        for field in fields(cls):
            variable = field.name.upper()
            if text := environ.get(variable, ""):
                values[field.name] = _parsed(field.name, text, named=variable)
        return cls(**values)

    def for_job(
        self, tags: Mapping[str, str], *, algorithms: Sequence[str] = ()
    ) -> tuple[Self, tuple[str, ...]]:
        """Settings of one labeling job, and what is wrong with its tags.

        Parameters
        ----------
        tags : mapping of str to str
            All tags of the job; those without our prefix are not ours to read.
        algorithms : sequence of str, optional
            Names of the task's algorithms; any name is good when there are none.

        Returns
        -------
        settings : Settings
            These, overridden by every good tag.
        problems : tuple of str
            One sentence for each unknown tag and bad value; those are not applied.
        """
        values: dict[str, Any] = {}
        problems = []
        for key, text in sorted(tags.items()):
            if not key.startswith(TAG_PREFIX):
                continue
            if key not in JOB_TAGS:
                problems.append(f"tag {key} is unknown; there are {', '.join(JOB_TAGS)}")
                continue
            try:
                values[JOB_TAGS[key]] = _parsed(JOB_TAGS[key], text, named=f"tag {key}")
            except SettingsError as error:
                problems.append(str(error))
        algorithm = values.get("consolidation_algorithm")
        if algorithms and algorithm is not None and algorithm not in algorithms:
            problems.append(
                f"tag {TAG_PREFIX}algorithm={algorithm!r} is not one of {', '.join(algorithms)}"
            )
            del values["consolidation_algorithm"]
        return replace(self, **values), tuple(problems)


def _parsed(field: str, text: str, *, named: str) -> Any:
    try:
        return _PARSERS[field](text)
    except ValueError as error:
        raise SettingsError(f"{named}={text!r} {error}") from error
