"""A labeling job that is over: where its files are and what is to be made of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from groundtruth.finishing.builtin_shape import JOB_NAME_PREFIX
from groundtruth.finishing.pseudonyms import pseudonym
from groundtruth.labeling_jobs import LabelingJob

OUTPUT_MANIFEST = "output.manifest"
FINISHED_MANIFEST = "finished.manifest"
REQUEUE_MANIFEST = "requeue.manifest"
SUMMARY = "summary.json"

_OUR_FUNCTION = re.compile(
    r":function:[^:]+-ACS-(ImageMultiClass|ImageMultiClassMultiLabel|SemanticSegmentation)(:|$)"
)


@dataclass(frozen=True, kw_only=True)
class EndedJob:
    """A labeling job that is Completed, Stopped or Failed.

    Attributes
    ----------
    root : str
        S3 URI of the job's folder, ``<S3OutputPath>/<JobName>``, without a slash at its end.
    name : str or None
        The job's name; None for that of the folder.
    status : str
        As the service calls it; empty if it is not known.
    attribute : str or None
        The label attribute name; None to take it from the responses.
    output_manifest : str or None
        S3 URI of the service's manifest; None for where it always is.
    input_manifest : str or Path or None
        S3 URI or file of the input manifest, for a job without an output manifest.
    classes : tuple of str or None
        The classes in label order; None to take it from the labels.
    task : str or None
        The job type, to refuse any other; None for the one that is found.
    min_confidence : float
        Objects whose label has less, in [0, 1], are queued again. A lone worker's label has 0 in
        the `builtin` style.
    kms_key : str or None
        The key to write with.
    ours : bool
        Whether the job is known to have run with these functions.
    worker_id_key : str
        Secret from which the summary makes pseudonyms of workers; empty for the job's name, which
        anybody knows.
    plain_worker_ids : bool
        Whether the summary holds workers' ids as they are.
    """

    root: str
    name: str | None = None
    status: str = ""
    attribute: str | None = None
    output_manifest: str | None = None
    input_manifest: str | Path | None = None
    classes: tuple[str, ...] | None = None
    task: str | None = None
    min_confidence: float = 0.0
    kms_key: str | None = None
    ours: bool = False
    worker_id_key: str = field(default="", repr=False)
    plain_worker_ids: bool = False

    @property
    def job_name(self) -> str:
        """The job's name as built-in metadata have it: ``labeling-job/<lower-case name>``."""
        name = self.name or self.root.rpartition("/")[2]
        return f"{JOB_NAME_PREFIX}{name.lower()}"

    @property
    def manifest_uri(self) -> str:
        """Where the service's output manifest is, or would be."""
        return self.output_manifest or f"{self.root}/manifests/output/{OUTPUT_MANIFEST}"

    @property
    def responses_prefix(self) -> str:
        """What the URIs of all response files begin with."""
        return f"{self.root}/annotations/consolidated-annotation/consolidation-response/"

    def worker_name(self, worker_id: str) -> str:
        """What the summary calls a worker."""
        key = self.worker_id_key or self.job_name
        return worker_id if self.plain_worker_ids else pseudonym(worker_id, key)

    def beside(self, name: str) -> str:
        """URI of a file beside the service's manifest."""
        return f"{self.manifest_uri.rpartition('/')[0]}/{name}"


def ran_our_function(job: LabelingJob) -> bool:
    """Whether a job's consolidation function is called as those of this application are.

    The built-in functions are called the same but for the prefix.

    Examples
    --------
    >>> arn = "arn:aws:lambda:us-west-2:{}:function:{}"
    >>> ours = arn.format("111122223333", "SageMaker-birds-ACS-ImageMultiClass:live")
    >>> ran_our_function(LabelingJob(consolidation_function_arn=ours))
    True
    >>> builtin = arn.format("081040173940", "ACS-ImageMultiClass")
    >>> ran_our_function(LabelingJob(consolidation_function_arn=builtin))
    False
    """
    return bool(_OUR_FUNCTION.search(job.consolidation_function_arn or ""))
