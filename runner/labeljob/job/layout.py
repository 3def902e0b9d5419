"""Where Ground Truth puts the files of a labeling job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ITERATION = "iteration-1"


@dataclass(frozen=True)
class JobLayout:
    """URIs of a job's files.

    Attributes
    ----------
    root : str
        ``<S3OutputPath>/<JobName>``, without a slash at its end.
    """

    root: str

    @property
    def annotations(self) -> str:
        """The folder that an event calls `outputConfig`."""
        return f"{self.root}/annotations"

    @property
    def output_manifest(self) -> str:
        """The job's result."""
        return f"{self.root}/manifests/output/output.manifest"

    @property
    def masks(self) -> str:
        """The folder of consolidated masks."""
        return f"{self.annotations}/consolidated-annotation/output"

    def worker_response(self, object_id: str, at: datetime) -> str:
        """The answers of all workers to one data object."""
        return f"{self.annotations}/worker-response/{ITERATION}/{object_id}/{file_time(at)}.json"

    def request(self, at: datetime) -> str:
        """The payload of one call of the ACS function."""
        folder = f"{self.annotations}/consolidated-annotation/consolidation-request"
        return f"{folder}/{ITERATION}/{file_time(at)}.json"

    def response(self, at: datetime) -> str:
        """What the ACS function answered to it."""
        folder = f"{self.annotations}/consolidated-annotation/consolidation-response"
        return f"{folder}/{ITERATION}/{file_time(at)}.json"


def file_time(moment: datetime) -> str:
    """A moment as the service writes it into file names: ``2026-03-02_10:15:28``."""
    return moment.strftime("%Y-%m-%d_%H:%M:%S")


def answer_time(moment: datetime) -> str:
    """A moment as the service writes it into answers: ``2026-03-02T10:15:28.123Z``."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def metadata_time(moment: datetime) -> str:
    """A moment as the service writes it into metadata: ``2026-03-02T10:15:28.123000``."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")
