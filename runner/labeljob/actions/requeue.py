"""`labeljob requeue`: the manifest and the request of a job's next round."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from groundtruth.errors import ContractError
from labeljob import messages
from labeljob.commands.requeue import RequeueOptions
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import find_job
from labeljob.jobs.request import Problem, model_problems, rule_problems
from labeljob.output_files import write_text
from labeljob.rounds.requeue import RequeueResult, make_next_request, requeue


def requeue_objects(options: RequeueOptions) -> None:
    """Do what `labeljob requeue` does."""
    if options.request is None and (options.manifest_uri or options.job_name or options.workers):
        raise JobError("--manifest-uri, --job-name and --workers go with --request")
    location = find_job(options.job, endpoint_url=options.endpoint_url)
    with messages.console.status("Looking for unsure labels"):
        requeued = requeue(
            location,
            below=options.below,
            attribute=options.attribute,
            manifest=options.manifest,
            task=options.task,
        )
    output = options.output or Path(f"{location.name}-requeue.manifest")
    request = _next_request(options.request, options) if options.request else None
    write_text(output, requeued.manifest.decode("utf-8"))
    request_file = output.with_name(f"{output.stem}.request.json")
    if request is not None:
        write_text(request_file, json.dumps(request, indent=2, ensure_ascii=False) + "\n")
    if options.as_json:
        messages.print_json({**requeued.as_json(), "manifest": str(output), "request": request})
    else:
        _report(requeued, output, request, request_file)


def _next_request(path: Path, options: RequeueOptions) -> dict[str, Any]:
    """The next request, once nothing is wrong with it."""
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ContractError(f"is not JSON ({error})", path=str(path)) from error
    if not isinstance(old, dict):
        raise ContractError("is no JSON object", path=str(path))
    try:
        request = make_next_request(
            old,
            manifest_uri=options.manifest_uri,
            name=options.job_name,
            workers=options.workers,
        )
    except ContractError as error:
        raise ContractError(str(error), path=str(path)) from error
    problems: list[Problem] = list(model_problems(request))
    problems += rule_problems(request, options.task) if options.task else []
    if problems:
        raise ContractError("; ".join(map(str, problems)), path="the next request")
    return request


def _report(requeued: RequeueResult, manifest: Path, request: Any, request_file: Path) -> None:
    unsure = requeued.requeued - requeued.unlabeled
    messages.done(
        f"to label again: {requeued.requeued} of "
        f"{messages.format_count(requeued.objects, 'data object')} ({requeued.unlabeled} without "
        f"a label, {unsure} with a confidence below {requeued.below})"
    )
    messages.done(f"labels    {requeued.attribute} of {requeued.job}")
    messages.done(f"manifest  {manifest}")
    if requeued.of_others:
        messages.note(
            f"data objects with a label of another job, which are left: {requeued.of_others}"
        )
    if requeued.unknown:
        messages.note(f"labels without a confidence, which are left: {requeued.unknown}")
    if requeued.zero and requeued.below:
        messages.note(
            f"labels with the confidence 0: {requeued.zero}. Ground Truth writes 0 where one "
            "worker answered, so it does not tell how sure they are; --below 0 leaves them"
        )
    if not requeued.requeued:
        messages.note("the manifest is empty: there is nothing to label again")
    if request is not None:
        uri = request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
        messages.done(f"request   {request_file}  job {request['LabelingJobName']}")
        messages.note(f"the request reads {uri}; upload {manifest} there first")
