"""`labeljob portal`: a private team labels in a browser, served by this machine."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from groundtruth.contract.fields import checked_labels
from groundtruth.errors import GroundTruthError
from labeljob import messages
from labeljob.actions.manifest import report_left_out
from labeljob.actions.new_job import check_attribute, collect_tags, derive_job_name
from labeljob.actions.portal_access import (
    read_access_settings,
    read_oidc_settings,
    warn_of_reach,
)
from labeljob.actions.reading import check_quorum, parse_labels
from labeljob.actions.team import ADDRESS
from labeljob.jobs import request
from labeljob.jobs.description import (
    PEOPLE,
    JobDescription,
    JobError,
    check_name,
    load_description,
    now,
)
from labeljob.jobs.images import FoundImage, local_images
from labeljob.jobs.input_manifest import make_manifest, relative_to
from labeljob.jobs.job_location import JOBS_FOLDER, Place, open_place
from labeljob.jobs.label_categories import check_labels
from labeljob.output_files import write_text
from labeljob.portal.portal_job import make_title
from labeljob.tasks.base import JobType

if TYPE_CHECKING:
    from labeljob.portal.access import Access
    from labeljob.portal.portal import Portal
from labeljob.commands.portal import AVAILABILITY, TIME_LIMIT, PortalOptions

OWNER = "owner@localhost"
TRIAL_WORKER = "worker@localhost"


def portal(options: PortalOptions) -> None:
    """Do what `labeljob portal` does."""
    from labeljob.portal.portal import Portal

    options, resumed = _locate(options)
    place = open_place(str(options.output), endpoint_url=None)
    wanted = _describe_job(_plan_round(options, place), resumed, place)
    with Portal(options.output, wanted=wanted, settle=options.settle) as opened:
        job = opened.begin(wanted) if wanted else None
        if job is None and not opened.jobs:
            raise JobError(
                f"{opened.folder} has no job yet; name a folder of photographs, or --manifest"
            )
        _report_jobs(opened, first=job.name if job else None)
        _serve(opened, options)


def _locate(options: PortalOptions) -> tuple[PortalOptions, JobDescription | None]:
    """The options with the folder of jobs that SOURCE names, and the job if it names one."""
    source = options.source
    if source is None:
        return options, None
    if options.manifest is not None:
        raise typer.BadParameter("give a folder of photographs or --manifest, not both")
    if not source.is_dir():
        raise typer.BadParameter(
            f"{source} is no folder; a manifest is given with --manifest, photographs in a folder"
        )
    folder = source.resolve()
    if (folder / JOBS_FOLDER).is_dir():
        return replace(options, source=None, output=folder), None
    for store in folder.parents:
        known = load_description(store / JOBS_FOLDER, folder.name)
        if known and known.layout.root == f"s3://{folder.relative_to(store).as_posix()}":
            return replace(options, source=None, output=store, job_name=known.name), known
    if (folder / "annotations").is_dir() and (folder / "manifests").is_dir():
        raise JobError(
            f"{source} is the folder of a job that no portal began; to label its data objects "
            "again, write their manifest with `labeljob requeue` and give it with --manifest"
        )
    return options, None


def _plan_round(options: PortalOptions, place: Place) -> PortalOptions:
    """The options with what --adjust or --verify leaves open, and a manifest for that job."""
    from labeljob.rounds.earlier_labels import EARLIER_TAG, plan_adjustment, read_earlier_labels
    from labeljob.rounds.verification import plan_verification

    if options.adjust is None and options.verify is None:
        return options
    if options.manifest is None or (options.adjust and options.verify):
        raise typer.BadParameter("--adjust or --verify goes with --manifest, one of the two")
    earlier = read_earlier_labels(options.manifest, options.adjust or options.verify or "")
    labels = _read_labels(options.labels) if options.labels else earlier.labels
    plan = plan_adjustment if options.adjust else plan_verification
    planned = plan(earlier, labels)
    name = options.job_name or derive_job_name(planned.name)
    check_name(name)
    path = Path(place.shown(f"{place.output}/{name}.manifest"))
    text = earlier.make_manifest(path.parent, labeled_only=planned.labeled_only)
    known = load_description(place.jobs, name)
    if known and known.manifest_digest != hashlib.sha256(text.encode()).hexdigest():
        raise JobError(f"job {name} was begun with another manifest; give another --job-name")
    write_text(path, text)
    if (n_without := len(earlier.lines) - earlier.n_labeled) and planned.labeled_only:
        left = messages.format_count(n_without, "data object")
        messages.note(f"{left} of {options.manifest} without a label left out")
    if options.task not in (None, planned.task):
        raise typer.BadParameter(f"such a job is of the type {planned.task}; leave --task out")
    return replace(
        options,
        manifest=path,
        images=options.images or earlier.images,
        task=planned.task,
        labels=list(planned.labels),
        job_name=name,
        attribute=options.attribute or planned.attribute,
        title=options.title or f"{planned.title}: {name}",
        description=options.description or planned.description,
        template=options.template or planned.template,
        tag=[*(options.tag or ()), f"{EARLIER_TAG}={earlier.attribute}"],
    )


def _describe_job(
    options: PortalOptions, resumed: JobDescription | None, place: Place
) -> JobDescription | None:
    """The job that the options describe; None if they name none."""
    source = options.source or options.manifest
    if resumed is None and source is None:
        if options.job_name or options.task or options.labels:
            problem = "a job needs SOURCE, a folder of photographs, or --manifest"
            if options.labels and Path(options.labels[-1]).is_dir():
                problem += f"; {options.labels[-1]} was taken for a label: name it before --labels"
            raise typer.BadParameter(problem)
        return None
    if resumed is None and source is not None:
        name = options.job_name or derive_job_name(
            source.resolve().name if options.source else source.name.split(".")[0]
        )
        check_name(name)
        resumed = load_description(place.jobs, name)
        if resumed is None:
            return _describe_new(options, name, place)
    return _describe_again(options, resumed) if resumed else None


def _describe_new(options: PortalOptions, name: str, place: Place) -> JobDescription:
    """A job that is not there yet; its manifest is made."""
    task = options.task
    if task is None or not options.labels:
        raise typer.BadParameter(f"there is no job {name} yet; a new one needs --task and --labels")
    labels = _read_labels(options.labels)
    findings = check_labels(labels, task=task)
    for sentence in findings.warnings:
        messages.warning(sentence)
    if findings.problems:
        raise JobError(f"--labels: {'; '.join(findings.problems)}")
    description = JobDescription(
        name=name,
        task=task,
        labels=labels,
        attribute=check_attribute(options.attribute, task),
        output=place.output,
        manifest="",
        crew=PEOPLE,
        per_object=1,
        started=now(),
        tags=_collect_tags(options, task),
        title=make_title(task, name),
        task_description=task.request_description,
        time_limit=TIME_LIMIT,
        availability=AVAILABILITY,
        source=str(options.source.resolve()) if options.source else "",
    )
    description = _apply_options(options, description)
    if options.source:
        manifest = Path(place.shown(f"{place.output}/{name}.manifest"))
        _make_manifest(options.source, manifest)
        description = replace(description, manifest=str(manifest))
    return _with_digest(description)


def _describe_again(options: PortalOptions, known: JobDescription) -> JobDescription:
    """A job that was begun, as the options would have it; `Portal.begin` compares the two."""
    task = options.task or known.task
    tags = _collect_tags(options, task)
    wanted = replace(
        known,
        task=task,
        labels=_read_labels(options.labels) if options.labels else known.labels,
        attribute=options.attribute or known.attribute,
        tags={**known.tags, **tags},
        source=str(options.source.resolve()) if options.source else known.source,
        crew=PEOPLE,
        started=now(),
    )
    if options.source:
        _report_new_photographs(known)
    return _with_digest(_apply_options(options, wanted))


def _apply_options(options: PortalOptions, description: JobDescription) -> JobDescription:
    """The description with what the options say; raises `JobError` if they contradict."""
    for text, most, option in (
        (options.title, request.MAX_TITLE, "--title"),
        (options.description, request.MAX_DESCRIPTION, "--description"),
    ):
        if text is not None and not 1 <= len(text) <= most:
            raise JobError(f"{option} has {len(text)} characters; 1 to {most} are allowed")
    described = replace(
        description,
        manifest=str(options.manifest.resolve()) if options.manifest else description.manifest,
        images=str(options.images.resolve()) if options.images else description.images,
        template=str(options.template.resolve()) if options.template else description.template,
        per_object=options.workers_per_object or description.per_object,
        max_workers=options.max_workers or description.max_workers,
        time_limit=options.task_time_limit or description.time_limit,
        availability=options.availability or description.availability,
        title=options.title or description.title,
        task_description=options.description or description.task_description,
    )
    if options.max_workers is not None and options.min_confidence is None:
        raise JobError("--max-workers goes with --min-confidence, below which one more is asked")
    if 0 < described.max_workers < described.per_object:
        raise JobError(
            f"--max-workers {described.max_workers} is fewer than the {described.per_object} "
            "workers that each data object gets"
        )
    if described.availability < described.time_limit:
        messages.warning(
            f"the job ends after {described.availability} seconds, and a worker may take "
            f"{described.time_limit} for one task"
        )
    return described


def _with_digest(description: JobDescription) -> JobDescription:
    try:
        body = Path(description.manifest).read_bytes()
    except OSError as error:
        raise JobError(f"{description.manifest} cannot be read: {error.strerror}") from error
    return replace(description, manifest_digest=hashlib.sha256(body).hexdigest())


def _read_labels(words: Sequence[str]) -> tuple[str, ...]:
    """The labels of one word, which may be a file or names with commas, or of several."""
    if len(words) == 1:
        return parse_labels(words[0])
    return checked_labels(list(words), path="--labels")


def _collect_tags(options: PortalOptions, task: JobType) -> dict[str, str]:
    check_quorum(task, options.quorum)
    settings = {
        "algorithm": options.algorithm,
        "quorum": options.quorum,
        "min-confidence": options.min_confidence,
    }
    return collect_tags(settings, options.tag or (), task=task)


def _make_manifest(source: Path, manifest: Path) -> None:
    images = list(local_images(str(source)))
    made = make_manifest(
        messages.progress(images, "Reading images"),
        source_ref=relative_to(manifest.parent),
        attributes={},
    )
    report_left_out(made)
    if not made.lines:
        raise JobError(f"{source} has no photograph that can be labeled; no job was begun")
    write_text(manifest, made.text)


def _report_new_photographs(known: JobDescription) -> None:
    """Say how many photographs of the job's folder came later; those left out are not counted."""
    if not known.source or not Path(known.source).is_dir():
        return
    manifest = Path(known.manifest)
    source_ref = relative_to(manifest.parent)
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.is_file() else []
    in_job = {json.loads(line)["source-ref"] for line in lines}
    images = {
        source_ref(image): image
        for image in local_images(known.source)
        if isinstance(image, FoundImage)
    }
    files = {os.path.realpath(image.place) for ref, image in images.items() if ref in in_job}
    others = [image for image in images.values() if os.path.realpath(image.place) not in files]
    if new := make_manifest(others, source_ref=source_ref, attributes={}).lines:
        messages.note(
            f"{messages.format_count(len(new), 'photograph')} in {known.source} not in job "
            f"{known.name}, added later. Another --job-name labels what was added"
        )


def _report_jobs(opened: Portal, *, first: str | None) -> None:
    """Say what goes to whom and where it is; the worker pages of the other jobs are tried too."""
    from labeljob.portal.earlier_masks import find_mask_problem

    for job in opened.jobs.values():
        if job.name != first and job.state() == "finished":
            continue
        try:
            n_objects = messages.format_count(len(job.lines), "data object")
        except GroundTruthError as error:
            messages.warning(f"job {job.name} cannot be worked on: {error}")
            continue
        described = job.description
        workers = messages.format_count(described.per_object, "worker")
        if described.max_workers:
            workers = f"{described.per_object} to {described.max_workers} workers"
        said = {"finished": ", finished", "paused": ", paused"}.get(job.state(), "")
        messages.done(f"job {job.name}: {n_objects}, each for {workers}{said}")
        messages.done(f"  job files    {job.folder}")
        messages.done(f"  worker page  {job.template}")
        if job.output_manifest:
            messages.done(f"  labels       {job.output_manifest}")
        if job.name != first and (problem := job.find_problem()):
            messages.warning(problem)
            continue
        if problem := job.find_unread_answers():
            messages.warning(problem)
        if problem := job.find_image_problem():
            messages.warning(
                f"{problem}. Workers will not see it: --images FOLDER names copies of what is in S3"
            )
        if problem := find_mask_problem(job):
            messages.warning(
                f"{problem}. Workers are told; --images FOLDER names copies of masks that lie "
                "elsewhere"
            )


def _serve(opened: Portal, options: PortalOptions) -> None:
    """Serve the portal until it is stopped."""
    from labeljob.portal.access import Access
    from labeljob.portal.database_thread import DatabaseThread
    from labeljob.portal.help_tools.object_model import ObjectModel
    from labeljob.portal.server import listen, serve

    model = ObjectModel(options.assist_model) if options.assist_model else None
    longest = max(job.description.time_limit for job in opened.jobs.values())
    settings = read_access_settings(options, longest_task=longest)
    access = Access(
        database=opened.database,
        thread=DatabaseThread(),
        settings=settings,
        oidc=read_oidc_settings(options, os.environ),
    )
    listener = listen(options.host, options.port)
    address = settings.make_address(listener.getsockname()[1])
    warn_of_reach(settings)

    def started() -> None:
        opened.database.set_meta(ADDRESS, address)
        _report_addresses(opened, access, address)

    try:
        serve(opened, access, listener, started=started, model=model)
    finally:
        opened.database.set_meta(ADDRESS, None)
    for job in opened.jobs.values():
        if job.output_manifest:
            messages.done(f"job {job.name} is finished: {job.output_manifest}")
    messages.done("The portal has stopped; the same command goes on.")


def _report_addresses(opened: Portal, access: Access, address: str) -> None:
    """Print where the owner signs in and where a worker tries the page, and how to stop."""
    for kind, email, name in (
        ("owner", OWNER, "Owner"),
        ("worker", TRIAL_WORKER, "A worker to try"),
    ):
        messages.done(f"{kind:<7}{_make_address(opened, access, address, kind, email, name)}")
    if access.settings.is_local:
        messages.done("These two sign you in until the portal stops; tell nobody.")
    messages.done("Others: labeljob team add ann@example.org")
    messages.done("Stop with Ctrl-C; nothing is lost, and the same command goes on.")


def _make_address(
    opened: Portal, access: Access, address: str, kind: str, email: str, name: str
) -> str:
    from labeljob.portal import team

    member = team.find_member(opened.database, email) or team.add_member(
        opened.database, email, role="owner" if kind == "owner" else "worker", name=name
    )
    if access.settings.is_local:
        return f"{address}{access.make_local_link(member)}"
    found = team.find_password(opened.database, email)
    if found is not None and found[1] is not None:
        return f"{address}/sign-in  as {email}"
    return f"{address}{team.make_link(opened.database, member)}"
