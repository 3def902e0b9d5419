"""What can be set, where it comes from, and what each value may be.

A stack parameter becomes a variable of the function's environment, and the variable a field of
`Settings`. A labeling job's own tags override some of them for that job alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from groundtruth.errors import SettingsError

OUTPUT_STYLES = ("object", "builtin")
TIE_BREAKS = ("first", "neighbours")
LARGEST_SIGMA = 3.0
STRENGTHS = (0.001, 100_000.0)


def text(text: str) -> str:
    """Any text."""
    return text


def output_style(text: str) -> str:
    """One of `OUTPUT_STYLES`."""
    if text not in OUTPUT_STYLES:
        raise ValueError(f"is not one of {', '.join(OUTPUT_STYLES)}")
    return text


def algorithm(text: str) -> str:
    """The name of an algorithm; whether a task has it is for the task to say."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", text):
        raise ValueError("is not the name of an algorithm, such as majority")
    return text


def fraction(text: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0.0 <= number <= 1.0:
        raise ValueError("is not a number from 0 to 1")
    return number


def switch(text: str) -> bool:
    """``true`` or ``false``."""
    if text not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return text == "true"


def number(text: str) -> float:
    """A number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value < math.inf:
        raise ValueError("is not a number of 0 or more")
    return value


def strength(text: str) -> float:
    """A number of votes, above 0 and such that sums of votes stay exact enough."""
    value = number(text)
    smallest, largest = STRENGTHS
    if not smallest <= value <= largest:
        raise ValueError(f"is not a number from {smallest:g} to {largest:g}")
    return value


def half_life(text: str) -> float:
    """A number of days, or 0 for none."""
    value = number(text)
    if 0.0 < value < 1.0:
        raise ValueError("is not a number of days, or 0 for none")
    return value


def s3_object(text: str) -> str:
    """The S3 URI of an object."""
    if not re.fullmatch(r"s3://[^/]+/.+", text):
        raise ValueError("is not the S3 URI of an object")
    return text


def sigma(text: str) -> float:
    """A number of pixels that votes are smoothed over."""
    value = number(text)
    if value > LARGEST_SIGMA:
        raise ValueError(f"is not a number from 0 to {LARGEST_SIGMA:g}")
    return value


def tie_break(text: str) -> str:
    """One of `TIE_BREAKS`."""
    if text not in TIE_BREAKS:
        raise ValueError(f"is not one of {', '.join(TIE_BREAKS)}")
    return text


def whole_number(text: str) -> int:
    """A whole number of 0 or more."""
    if not text.isascii() or not text.isdecimal():
        raise ValueError("is not a whole number of 0 or more")
    return int(text)


TAG_PREFIX = "consolidation:"


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "label_category_config_s3_uri": text,
    "output_style": output_style,
    "consolidation_algorithm": algorithm,
    "quorum": fraction,
    "min_confidence": fraction,
    "exclusion_category": text,
    "error_correlation": fraction,
    "posterior_mix": fraction,
    "worker_strength": strength,
    "row_strength": strength,
    "frequency_weight": fraction,
    "vote_smoothing": strength,
    "gold_labels_s3_uri": s3_object,
    "model_answers_s3_uri": s3_object,
    "model_max_weight": fraction,
    "confidence_map_s3_uri": s3_object,
    "smoothing_sigma": sigma,
    "tie_break": tie_break,
    "clean_up_pixels": whole_number,
    "disagreement_map": switch,
    "skip_labeled_objects": switch,
    "skill_table_name": text,
    "skill_half_life_days": half_life,
    "assume_job_role": switch,
    "job_role_arn_pattern": text,
    "kms_key_arn": text,
    "worker_id_key": text,
    "plain_worker_ids": switch,
    "stack_name": text,
}

_OVERRIDABLE = (
    "output_style",
    "quorum",
    "min_confidence",
    "exclusion_category",
    "error_correlation",
    "posterior_mix",
    "worker_strength",
    "row_strength",
    "frequency_weight",
    "vote_smoothing",
    "gold_labels_s3_uri",
    "model_answers_s3_uri",
    "model_max_weight",
    "confidence_map_s3_uri",
    "smoothing_sigma",
    "tie_break",
    "clean_up_pixels",
    "disagreement_map",
    "skip_labeled_objects",
)

JOB_TAGS: Mapping[str, str] = {
    f"{TAG_PREFIX}algorithm": "consolidation_algorithm",
    **{f"{TAG_PREFIX}{name.replace('_', '-')}": name for name in _OVERRIDABLE},
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
    error_correlation : float or None
        How much errors of workers on one object go together, from 0 (independent) to 1; None
        for the algorithm's default, as for the next five.
    posterior_mix : float or None
        Share of the posterior in a calibrated result, in [0, 1]; the rest is the weighted
        share of the votes.
    worker_strength : float or None
        How many votes what is known of all workers counts for in what is known of one.
    row_strength : float or None
        How many votes that counts for in what is known of the worker for one class or label.
    frequency_weight : float or None
        Power, in [0, 1], of the class frequencies in the prior; 0 is a uniform prior.
    vote_smoothing : float or None
        How many votes of mean weight are added to an image's own and spread over its classes.
    gold_labels_s3_uri, model_answers_s3_uri : str
        Side files of known labels and of a model's answers; empty for none.
    model_max_weight : float
        Largest weight of the model's vote, in [0, 1]; 1 is a perfect worker's.
    confidence_map_s3_uri : str
        File of a confidence map; empty for none.
    smoothing_sigma : float
        Standard deviation in pixels, from 0 (none) to 3, of the Gaussian that smooths votes on
        disputed pixels of masks.
    tie_break : str
        Who wins a tied pixel: ``"first"`` (the class listed first) or ``"neighbours"``.
    clean_up_pixels : int
        Regions of a mask with fewer pixels take the class around them; 0 for none.
    disagreement_map : bool
        Whether a picture of where workers disagree is written beside each mask.
    skip_labeled_objects : bool
        Whether a data object that already has this job's label is kept from the workers.
    skill_table_name : str
        DynamoDB table of worker skill; empty for none.
    skill_half_life_days : float
        After how many days what was learned of a worker weighs half; 0 for no decay.
    assume_job_role : bool
        Whether objects are read and written with the event's role instead of our own.
    job_role_arn_pattern : str
        Glob that a role must match before it is assumed.
    kms_key_arn : str
        Key for what we write, where the event names none; empty for the bucket's default.
    worker_id_key : str
        Secret from which a job's summary makes pseudonyms of workers; empty for the job's name.
    plain_worker_ids : bool
        Whether a job's summary holds workers' ids as they are.
    stack_name : str
        The stack's name, a dimension of the metrics.
    """

    label_category_config_s3_uri: str = ""
    output_style: str = "object"
    consolidation_algorithm: str = ""
    quorum: float = 0.5
    min_confidence: float = 0.5
    exclusion_category: str = ""
    error_correlation: float | None = None
    posterior_mix: float | None = None
    worker_strength: float | None = None
    row_strength: float | None = None
    frequency_weight: float | None = None
    vote_smoothing: float | None = None
    gold_labels_s3_uri: str = ""
    model_answers_s3_uri: str = ""
    model_max_weight: float = 0.5
    confidence_map_s3_uri: str = ""
    smoothing_sigma: float = 0.0
    tie_break: str = "first"
    clean_up_pixels: int = 0
    disagreement_map: bool = False
    skip_labeled_objects: bool = False
    skill_table_name: str = ""
    skill_half_life_days: float = 180.0
    assume_job_role: bool = False
    job_role_arn_pattern: str = ""
    kms_key_arn: str = ""
    worker_id_key: str = field(default="", repr=False)
    plain_worker_ids: bool = False
    stack_name: str = "local"

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
        for one in fields(cls):
            variable = one.name.upper()
            if text := environ.get(variable, ""):
                values[one.name] = _parsed(one.name, text, named=variable)
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
