"""Invokes a function as built by `sam build`, with an event and the objects that it reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groundtruth.errors import GroundTruthError
from groundtruth.jobs import job_name
from groundtruth.sharding.steps import PLAN
from labeljob.application import application_folder
from labeljob.emulator import BUILD_FOLDER, BuiltApplication, EmbeddedAws, EmulatedFunction
from labeljob.emulator.embedded_aws import LOCALHOST, Address

LABEL_CATEGORIES = "s3://emulated-labeling-job/label-categories.json"
"""Where a PRE function finds the label category file of the emulated job."""


class EventError(GroundTruthError):
    """An event, or the file it refers to, cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What came of an invocation."""

    response: Any  # the function's response, a JSON value
    # the objects that the function wrote, by their S3 URI
    written: Mapping[str, bytes] = field(default_factory=dict)
    log: str = ""  # what the function and the emulator wrote to their logs


def invoke_built(
    function: str,
    event: Path | None = None,
    *,
    application: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Invocation:
    """Invoke a built function once, in the Lambda emulator.

    An embedded S3 holds what the event refers to. For an ACS function that is ``payload.json``,
    at the event's own ``payload.s3Uri``; for a PRE function it is ``label_categories.json``,
    which the emulated labeling job names; for the finisher it is ``output.manifest`` and
    ``label_categories.json``, where the job described in ``labeling_job.json`` has them; for a
    shard of a replay it is ``plan.json``, and ``shard.json`` where the item has the shard.

    `event` is the example under ``events/`` if left out; what it refers to is taken from the same
    folder, or else from the example. `application` is the folder of template.yaml, `environment`
    variables instead of those in the template, such as ``{"OUTPUT_STYLE": "builtin"}``.

    Raises `BuildError` if there is no build or it has no such function, `EventError` if the event
    or the file it refers to cannot be read, `EmulatorError` if the emulator cannot be started, and
    `FunctionError` if the function fails.
    """
    application = application or application_folder()
    build = BuiltApplication(application / BUILD_FOLDER)
    build.function(function)
    event = event or application / "events" / function / "event.json"
    with serve_event(function, event, application=application) as (aws, written):
        variables = {**aws.environment, **(environment or {})}
        with EmulatedFunction(function, build.folder, variables) as emulated:
            response = emulated.invoke(_read_json(event))
            return Invocation(response=response, written=written(), log=emulated.log)


@contextmanager
def serve_event(
    function: str,
    event: Path,
    *,
    application: Path,
    address: Address = (LOCALHOST, 0),
) -> Iterator[tuple[EmbeddedAws, Callable[[], Mapping[str, bytes]]]]:
    """Serve what an event refers to within a ``with`` block.

    The parameters and errors are those of `invoke_built`, which see, and the address to listen
    at. Yields the embedded services, and what tells the objects written since, by S3 URI.
    """
    folders = (event.parent, application / "events" / function)
    objects, jobs = _read_surroundings(_read_json(event), folders)
    with EmbeddedAws(jobs, address=address) as aws:
        for uri, body in objects.items():
            aws.put(uri, body)
        yield aws, lambda: {uri: aws.get(uri) for uri in aws.uris() if uri not in objects}


def _read_surroundings(
    event: Any, folders: Sequence[Path]
) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """The objects that an event refers to, and the labeling jobs that it is of."""
    if isinstance(event, dict) and "detail-type" in event:
        return _read_ended_job(event, folders)
    if isinstance(event, dict) and isinstance(event.get("item"), dict):
        return _read_plan(event["item"], folders), {}
    uri = _payload_uri(event)
    name = "label_categories.json" if uri is None else "payload.json"
    uri = uri or LABEL_CATEGORIES
    return {uri: _read_from(folders, name)}, _describe_jobs(event, uri)


def _read_ended_job(
    event: Mapping[str, Any], folders: Sequence[Path]
) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    described = json.loads(_read_from(folders, "labeling_job.json"))
    manifest = described["LabelingJobOutput"]["OutputDatasetS3Uri"]
    objects = {manifest: _read_from(folders, "output.manifest")}
    if labels := described.get("LabelCategoryConfigS3Uri"):
        objects[labels] = _read_from(folders, "label_categories.json")
    return objects, {job_name(str(arn)).lower(): described for arn in event.get("resources", ())}


def _read_plan(item: Mapping[str, Any], folders: Sequence[Path]) -> dict[str, bytes]:
    return {
        f"{item.get('work')}/{PLAN}": _read_from(folders, "plan.json"),
        str(item.get("uri")): _read_from(folders, "shard.json"),
    }


def _read_from(folders: Sequence[Path], name: str) -> bytes:
    """A file of the first folder that has it."""
    files = (folder / name for folder in folders if (folder / name).is_file())
    return _read(next(files, folders[-1] / name))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise EventError(f"{file} cannot be read: {error.strerror}") from error


def _read_json(file: Path) -> Any:
    try:
        return json.loads(_read(file))
    except ValueError as error:
        raise EventError(f"{file} is not JSON: {error}") from error


def _payload_uri(event: Any) -> str | None:
    """Where an ACS event says its payload is; a PRE event has none."""
    payload = event.get("payload") if isinstance(event, dict) else None
    uri = payload.get("s3Uri") if isinstance(payload, dict) else None
    return uri if isinstance(uri, str) else None


def _describe_jobs(event: Any, uri: str) -> dict[str, dict[str, Any]]:
    """DescribeLabelingJob's answer for the event's own job."""
    arn = event.get("labelingJobArn") if isinstance(event, dict) else None
    if not isinstance(arn, str):
        return {}
    described = {"LabelAttributeName": event.get("labelAttributeName", "label"), "Tags": []}
    if uri == LABEL_CATEGORIES:
        described["LabelCategoryConfigS3Uri"] = LABEL_CATEGORIES
    return {job_name(arn).lower(): described}
