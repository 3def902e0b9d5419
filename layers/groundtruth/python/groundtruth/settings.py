"""What can be set, where it comes from, and what each value may be.

A stack parameter becomes a variable of the function's environment, and the variable a field of
`Settings`. A labeling job's own tags override some of them for that job alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Self, TypeVar

from groundtruth.errors import SettingsError

Value = TypeVar("Value")

OUTPUT_STYLES = ("object", "builtin")
TIE_BREAKS = ("first", "neighbours")
LARGEST_SIGMA = 3.0
STRENGTHS = (0.001, 100_000.0)


def parse_text(text: str) -> str:
    """Any text."""
    return text


def parse_output_style(text: str) -> str:
    """One of `OUTPUT_STYLES`."""
    if text not in OUTPUT_STYLES:
        raise ValueError(f"is not one of {', '.join(OUTPUT_STYLES)}")
    return text


def parse_algorithm(text: str) -> str:
    """The name of an algorithm; whether a task has it is for the task to say."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", text):
        raise ValueError("is not the name of an algorithm, such as majority")
    return text


def parse_fraction(text: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0.0 <= number <= 1.0:
        raise ValueError("is not a number from 0 to 1")
    return number


def parse_switch(text: str) -> bool:
    """``true`` or ``false``."""
    if text not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return text == "true"


def parse_number(text: str) -> float:
    """A number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value < math.inf:
        raise ValueError("is not a number of 0 or more")
    return value


def parse_strength(text: str) -> float:
    """A number of votes, above 0 and such that sums of votes stay exact enough."""
    value = parse_number(text)
    smallest, largest = STRENGTHS
    if not smallest <= value <= largest:
        raise ValueError(f"is not a number from {smallest:g} to {largest:g}")
    return value


def parse_half_life(text: str) -> float:
    """A number of days, or 0 for none."""
    value = parse_number(text)
    if 0.0 < value < 1.0:
        raise ValueError("is not a number of days, or 0 for none")
    return value


def parse_s3_object(text: str) -> str:
    """The S3 URI of an object."""
    if not re.fullmatch(r"s3://[^/]+/.+", text):
        raise ValueError("is not the S3 URI of an object")
    return text


def parse_sigma(text: str) -> float:
    """A number of pixels that votes are smoothed over."""
    value = parse_number(text)
    if value > LARGEST_SIGMA:
        raise ValueError(f"is not a number from 0 to {LARGEST_SIGMA:g}")
    return value


def parse_tie_break(text: str) -> str:
    """One of `TIE_BREAKS`."""
    if text not in TIE_BREAKS:
        raise ValueError(f"is not one of {', '.join(TIE_BREAKS)}")
    return text


def parse_attribute(text: str) -> str:
    """A label attribute name, of any job."""
    if not text or text.startswith("$") or text.endswith("-metadata"):
        raise ValueError("is not a label attribute name, such as label or mask-ref")
    return text


def parse_whole_number(text: str) -> int:
    """A whole number of 0 or more."""
    if not text.isascii() or not text.isdecimal():
        raise ValueError("is not a whole number of 0 or more")
    return int(text)


TAG_PREFIX = "consolidation:"
"""How the tags of a labeling job begin that are for these functions."""


def _setting(
    default: Value,
    parse: Callable[[str], Value],
    *,
    tag: str = "",
    changes_labels: bool = True,
    hash_default: bool = True,
    secret: bool = False,
) -> Any:
    """One row of the table of settings.

    Parameters
    ----------
    default : object
        The value where nothing is set.
    parse : callable
        Turns a text into a value; raises ValueError with what is wrong with the text.
    tag : str
        What the tag of a labeling job that overrides the setting is called, after `TAG_PREFIX`;
        empty if no job may override it.
    changes_labels : bool
        Whether the setting can change a label, so that it is part of the settings' hash.
    hash_default : bool
        Whether the default is part of the hash too. False for what came later, so that the hash
        of jobs that do not set it stays.
    secret : bool
        Whether the value is kept out of logs.
    """
    row = {
        "parse": parse,
        "tag": tag,
        "changes_labels": changes_labels,
        "hash_default": hash_default,
    }
    return field(default=default, repr=not secret, metadata=row)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The table of settings: one row, one variable under `Environment` in template.yaml.

    A row has the name (in capitals the variable's), the default, the parser, the tag of a
    labeling job that overrides it, and whether it can change a label.
    """

    label_category_config_s3_uri: str = _setting("", parse_text, changes_labels=False)
    """Label category file of jobs that name none themselves; empty for none."""

    # Its name stands in a result beside the settings' hash.
    consolidation_algorithm: str = _setting(
        "", parse_algorithm, tag="algorithm", changes_labels=False
    )
    """Name of the algorithm; each task says which it has. Empty for the task's default."""

    output_style: str = _setting(
        "object", parse_output_style, tag="output-style", changes_labels=False
    )
    """``"object"`` (all we know, inside the label attribute) or ``"builtin"`` (what the built-in
    functions return)."""

    quorum: float = _setting(0.5, parse_fraction, tag="quorum")
    """Share of the votes, in [0, 1], that a label of a multi-label task must exceed."""

    min_confidence: float = _setting(0.5, parse_fraction, tag="min-confidence")
    """Confidence in [0, 1] under which a label's status is ``low-confidence``."""

    exclusion_category: str = _setting("", parse_text, tag="exclusion-category")
    """The worker page's "none of the above" of a multi-label task; empty for none."""

    answer_field: str = _setting("", parse_text, tag="answer-field", hash_default=False)
    """The worker page's own input that carries the label, such as a select, or several, with
    blanks between their names; empty for none."""

    error_correlation: float | None = _setting(None, parse_fraction, tag="error-correlation")
    """How much errors of workers on one object go together, from 0 (independent) to 1; None for
    the algorithm's default, as for the next five."""

    posterior_mix: float | None = _setting(None, parse_fraction, tag="posterior-mix")
    """Share of the posterior in a calibrated result, in [0, 1]; the rest is the weighted share
    of the votes."""

    worker_strength: float | None = _setting(None, parse_strength, tag="worker-strength")
    """How many votes what is known of all workers counts for in what is known of one."""

    row_strength: float | None = _setting(None, parse_strength, tag="row-strength")
    """How many votes that counts for in what is known of the worker for one class or label."""

    frequency_weight: float | None = _setting(None, parse_fraction, tag="frequency-weight")
    """Power, in [0, 1], of the class frequencies in the prior; 0 is a uniform prior."""

    vote_smoothing: float | None = _setting(None, parse_strength, tag="vote-smoothing")
    """How many votes of mean weight are added to an image's own and spread over its classes."""

    gold_labels_s3_uri: str = _setting("", parse_s3_object, tag="gold-labels-s3-uri")
    """File of labels that are known beforehand; empty for none."""

    gold_frequencies: bool = _setting(True, parse_switch, tag="gold-frequencies")
    """Whether the objects of that file tell how frequent each class is: they have to be drawn at
    random."""

    model_answers_s3_uri: str = _setting("", parse_s3_object, tag="model-answers-s3-uri")
    """File of a model's answers; empty for none."""

    model_max_weight: float = _setting(0.5, parse_fraction, tag="model-max-weight")
    """Largest weight of the model's vote, in [0, 1]; 1 is a perfect worker's."""

    confidence_map_s3_uri: str = _setting("", parse_s3_object, tag="confidence-map-s3-uri")
    """File of a confidence map; empty for none."""

    smoothing_sigma: float = _setting(0.0, parse_sigma, tag="smoothing-sigma")
    """Standard deviation in pixels, from 0 (none) to 3, of the Gaussian that smooths votes on
    disputed pixels of masks."""

    tie_break: str = _setting("first", parse_tie_break, tag="tie-break")
    """Who wins a tied pixel: ``"first"`` (the class listed first) or ``"neighbours"``."""

    clean_up_pixels: int = _setting(0, parse_whole_number, tag="clean-up-pixels")
    """Regions of a mask with fewer pixels take the class around them; 0 for none."""

    disagreement_map: bool = _setting(False, parse_switch, tag="disagreement-map")
    """Whether a picture of where workers disagree is written beside each mask."""

    skip_labeled_objects: bool = _setting(
        False, parse_switch, tag="skip-labeled-objects", changes_labels=False
    )
    """Whether a data object that already has this job's label is kept from the workers."""

    earlier_attribute: str = _setting(
        "", parse_attribute, tag="earlier-attribute", changes_labels=False
    )
    """Label attribute of an earlier job whose labels workers see, to adjust or to verify them;
    empty for none."""

    skill_table_name: str = _setting("", parse_text, changes_labels=False)
    """DynamoDB table of worker history; empty for none."""

    skill_half_life_days: float = _setting(180.0, parse_half_life)
    """After how many days what was learned of a worker weighs half; 0 for no decay."""

    assume_job_role: bool = _setting(False, parse_switch, changes_labels=False)
    """Whether objects are read and written with the event's role instead of our own."""

    job_role_arn_pattern: str = _setting("", parse_text, changes_labels=False)
    """Glob that a role must match before it is assumed."""

    kms_key_arn: str = _setting("", parse_text, changes_labels=False)
    """Key for what we write, where the event names none; empty for the bucket's default."""

    worker_id_key_secret_arn: str = _setting("", parse_text, changes_labels=False)
    """Secret in Secrets Manager, from whose text a job's summary makes pseudonyms of workers."""

    worker_id_key: str = _setting("", parse_text, changes_labels=False, secret=True)
    """That text itself, for runs off AWS; empty for the secret's, or else the job's name."""

    plain_worker_ids: bool = _setting(False, parse_switch, changes_labels=False)
    """Whether a job's summary holds workers' ids as they are."""

    stack_name: str = _setting("local", parse_text, changes_labels=False)
    """The stack's name, a dimension of the metrics."""

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
        for name in _ROWS:
            if text := environ.get(name.upper(), ""):
                values[name] = _parse(name, text, source=name.upper())
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
                values[JOB_TAGS[key]] = _parse(JOB_TAGS[key], text, source=f"tag {key}")
            except SettingsError as error:
                problems.append(str(error))
        algorithm = values.get("consolidation_algorithm")
        if algorithms and algorithm is not None and algorithm not in algorithms:
            problems.append(
                f"tag {TAG_PREFIX}algorithm={algorithm!r} is not one of {', '.join(algorithms)}"
            )
            del values["consolidation_algorithm"]
        return replace(self, **values), tuple(problems)

    @cached_property
    def label_hash(self) -> str:
        """Twelve hexadecimal digits that change with every setting that can change a label.

        Where objects are and who may read them changes no label and is left out.
        """
        values, defaults = asdict(self), asdict(type(self)())
        kept = {
            name: values[name]
            for name, row in _ROWS.items()
            if row["changes_labels"] and (row["hash_default"] or values[name] != defaults[name])
        }
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:12]


_ROWS: Mapping[str, Mapping[str, Any]] = {row.name: row.metadata for row in fields(Settings)}

JOB_TAGS: Mapping[str, str] = {
    f"{TAG_PREFIX}{row['tag']}": name for name, row in _ROWS.items() if row["tag"]
}
"""Tags of a labeling job that override a setting: tag key -> field."""


def _parse(name: str, text: str, *, source: str) -> Any:
    try:
        return _ROWS[name]["parse"](text)
    except ValueError as error:
        raise SettingsError(f"{source}={text!r} {error}") from error
