"""What a job on one machine is, kept so that the run can be resumed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from groundtruth.errors import GroundTruthError
from groundtruth.settings import TAG_PREFIX
from labeljob.application import ACCOUNT, REGION
from labeljob.output_files import write_text
from labeljob.tasks.base import JobType
from labeljob.tasks.registry import find_job_type

ITERATION = "iteration-1"

PEOPLE = "people"
"""The crew of a job that people answer in the portal."""

# What the command line calls a field; `--` and its name if it is not here.
_OPTIONS = {
    "name": "--job-name",
    "manifest": "the manifest",
    "manifest_digest": "what the manifest holds",
    "crew": "--workers",
    "task_description": "--description",
    "time_limit": "--task-time-limit",
    "source": "SOURCE",
}
_OPTIONS_OF_TAGS = {
    "algorithm": "--algorithm",
    "output-style": "--output-style",
    "quorum": "--quorum",
    "min-confidence": "--min-confidence",
    "skip-labeled-objects": "--skip-labeled",
}


@dataclass(frozen=True)
class JobLayout:
    """URIs of a job's files."""

    root: str  # ``<S3OutputPath>/<JobName>``, without a slash at its end

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


class JobError(GroundTruthError):
    """A job cannot be run or resumed as asked."""


@dataclass(frozen=True, kw_only=True)
class JobDescription:
    """All that decides what a run writes."""

    name: str
    task: JobType
    labels: tuple[str, ...]
    attribute: str  # the label attribute name
    output: str  # `S3OutputPath`, without a slash at its end
    # manifest, manifest_digest: path of the input manifest, absolute, and SHA-256 of its content
    manifest: str
    manifest_digest: str = ""
    crew: str  # the workers, as the command line says it
    per_object: int  # workers for each data object
    seed: int = 0
    started: datetime  # when the job began, in UTC. The job's clock counts from here.
    truth: str = ""  # path of the truth file; empty to invent one
    batch_size: int = 50  # data objects in one call of the ACS function, 1 to 50
    # the job's tags: settings for this job alone
    tags: Mapping[str, str] = field(default_factory=dict)
    # path of the file that worker skill is kept in; empty for one of the job's own
    skill_file: str = ""
    # What follows is of a job whose workers are people. title, task_description: what they read
    title: str = ""
    task_description: str = ""
    time_limit: int = 0  # seconds that a worker has for a task
    availability: int = 0  # seconds after which the job ends with the answers it has
    template: str = ""  # path of the worker page, absolute; empty for that of the job type
    # folder of the photographs that the manifest was made of, absolute; empty if it was given
    source: str = ""
    # folder with copies of the images that the manifest names, absolute; empty if there is none
    images: str = ""
    # of a job that was imported, what its tool calls things; see `ForeignImages.origin`
    origin: Mapping[str, str] = field(default_factory=dict)
    # workers for a data object whose label stays below the job's min-confidence, at least
    # `per_object`; 0 to ask no further worker
    max_workers: int = 0

    @property
    def arn(self) -> str:
        """The job's ARN; the service writes the name in lower case."""
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{self.name.lower()}"

    @property
    def layout(self) -> JobLayout:
        """Where the job's files are."""
        return JobLayout(f"{self.output}/{self.name}")

    @property
    def label_file(self) -> str:
        """URI of the label category file."""
        return f"{self.output}/{self.name}.labels.json"

    def as_json(self) -> dict[str, Any]:
        """The description in the shape of DescribeLabelingJob, and what is only ours."""
        return {
            "LabelingJobName": self.name,
            "LabelingJobArn": self.arn,
            "LabelAttributeName": self.attribute,
            "LabelCategoryConfigS3Uri": self.label_file,
            "CreationTime": self.started.isoformat(),
            "OutputConfig": {"S3OutputPath": self.output},
            "HumanTaskConfig": {
                "NumberOfHumanWorkersPerDataObject": self.per_object,
                **self._human_task(),
            },
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(self.tags.items())],
            "LocalRun": {
                "Task": self.task.name,
                "Labels": list(self.labels),
                "Manifest": self.manifest,
                "ManifestSha256": self.manifest_digest,
                "Workers": self.crew,
                "Seed": self.seed,
                "Truth": self.truth,
                "BatchSize": self.batch_size,
                "SkillFile": self.skill_file,
                "Source": self.source,
                "Images": self.images,
                "Origin": dict(self.origin),
                "MaxWorkers": self.max_workers,
            },
        }

    def _human_task(self) -> dict[str, Any]:
        """What people are told of the job, and how long they have."""
        if self.crew != PEOPLE:
            return {}
        return {
            "TaskTitle": self.title,
            "TaskDescription": self.task_description,
            "TaskTimeLimitInSeconds": self.time_limit,
            "TaskAvailabilityLifetimeInSeconds": self.availability,
            "UiConfig": {"UiTemplateS3Uri": self.template},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        run = values["LocalRun"]
        human = values["HumanTaskConfig"]
        return cls(
            name=values["LabelingJobName"],
            task=find_job_type(run["Task"]),
            labels=tuple(run["Labels"]),
            attribute=values["LabelAttributeName"],
            output=values["OutputConfig"]["S3OutputPath"],
            manifest=run["Manifest"],
            manifest_digest=run["ManifestSha256"],
            crew=run["Workers"],
            per_object=human["NumberOfHumanWorkersPerDataObject"],
            seed=run["Seed"],
            truth=run["Truth"],
            batch_size=run["BatchSize"],
            skill_file=run.get("SkillFile", ""),
            tags={tag["Key"]: tag["Value"] for tag in values["Tags"]},
            started=datetime.fromisoformat(values["CreationTime"]),
            title=human.get("TaskTitle", ""),
            task_description=human.get("TaskDescription", ""),
            time_limit=human.get("TaskTimeLimitInSeconds", 0),
            availability=human.get("TaskAvailabilityLifetimeInSeconds", 0),
            template=human.get("UiConfig", {}).get("UiTemplateS3Uri", ""),
            source=run.get("Source", ""),
            images=run.get("Images", ""),
            origin=run.get("Origin", {}),
            max_workers=run.get("MaxWorkers", 0),
        )

    def differences(self, other: Self) -> list[str]:
        """The fields in which a job differs from another, but for when it started."""
        own, others = vars(self), vars(other)
        return [key for key in own if key != "started" and own[key] != others[key]]


def check_name(name: str) -> None:
    """Raise `JobError` unless a labeling job can be called so."""
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name):
        raise JobError(f"{name!r} cannot be a job's name: 1 to 63 letters, digits, hyphens")


def description_path(folder: Path, name: str) -> Path:
    """The file that describes a job."""
    return folder / f"{name.lower()}.json"


def load_description(folder: Path, name: str) -> JobDescription | None:
    """The description of a job that was begun; None if none was; raises `JobError`."""
    path = description_path(folder, name)
    try:
        description = JobDescription.from_json(json.loads(path.read_text(encoding="utf-8")))
        return _follow_move(description, folder.parent)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JobError(f"{path} does not describe a job ({error}); remove it") from error


def _follow_move(description: JobDescription, store: Path) -> JobDescription:
    """The description with the manifest that is inside its store, if the store was moved."""
    own = store / description.output.removeprefix("s3://") / f"{description.name}.manifest"
    if Path(description.manifest).is_file() or not own.is_file():
        return description
    return replace(description, manifest=str(own))


def save_description(folder: Path, description: JobDescription) -> None:
    """Write a job's description where `load_description` finds it; raises `OutputError`."""
    text = json.dumps(description.as_json(), indent=2) + "\n"
    write_text(description_path(folder, description.name), text)


def begin_or_resume(
    folder: Path, wanted: JobDescription, *, may_be_fresh: bool = True
) -> JobDescription:
    """The job as it was begun, or begun now; raises `JobError`.

    `may_be_fresh` says whether the command has an option to begin it anew.
    """
    known = load_description(folder, wanted.name)
    if known is None:
        save_description(folder, wanted)
        return wanted
    if options := _name_options(known, wanted):
        fresh = ", or --fresh to begin it anew" if may_be_fresh else ""
        raise JobError(
            f"job {wanted.name} was begun with other options ({', '.join(options)}). "
            f"Give those again, or another --job-name{fresh}"
        )
    return known


def _name_options(known: JobDescription, wanted: JobDescription) -> list[str]:
    """What of the command line makes one job differ from another, in the command's words."""
    different = known.differences(wanted)
    if "manifest" in different:
        different.remove("manifest_digest")
    names: list[str] = []
    for field_name in different:
        if field_name == "tags":
            names += _name_tags(known.tags, wanted.tags)
        elif field_name == "crew" and PEOPLE in (known.crew, wanted.crew):
            names.append("people or simulated workers")
        elif field_name == "per_object" and wanted.crew == PEOPLE:
            names.append("--workers-per-object")
        else:
            names.append(_OPTIONS.get(field_name, f"--{field_name.replace('_', '-')}"))
    return names


def _name_tags(known: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    keys = [key for key in {**known, **wanted} if known.get(key) != wanted.get(key)]
    return [_OPTIONS_OF_TAGS.get(key.removeprefix(TAG_PREFIX), f"--tag {key}") for key in keys]


def now() -> datetime:
    """The moment, in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
