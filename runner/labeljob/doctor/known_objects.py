"""The job's gold labels: whether their file can be used, and whether the job should have some."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from groundtruth.auxiliary_inputs import AuxiliaryLabels, parse_auxiliary_labels
from groundtruth.errors import ContractError
from groundtruth.settings import TAG_PREFIX
from labeljob.doctor.findings import Absent, Finding, NotChecked, error, not_checked, ok, warning
from labeljob.doctor.planned_job import MANIFEST, PlannedJob
from labeljob.messages import format_count
from labeljob.rounds.class_frequencies import FEWEST_KNOWN, advise_gold

_TAG = f"{TAG_PREFIX}gold-labels-s3-uri"
_PARAMETER = "GoldLabelsS3Uri"


def gold_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the gold labels of a job and, where it has two classes, without them.

    Labels that the manifest's lines have from earlier jobs tell whether one of two is rare.
    """
    uri = job.tags.get(_TAG) or (job.stack.parameters.get(_PARAMETER) if job.stack else None)
    known = 0
    if uri:
        try:
            gold = parse_auxiliary_labels(job.aws.body(uri), path=uri)
        except NotChecked as reason:
            yield not_checked(uri, reason)
            return
        except Absent:
            yield error("gold-absent", uri, "is not there", fix=f"upload it, or correct {_TAG}")
            return
        except ContractError as problem:
            text = str(problem).removeprefix(f"{uri}, ")
            fix = 'one JSON object on each line: {"source-ref": "s3://…", "label": "…"}'
            yield error("gold-unreadable", uri, text, fix=fix)
            return
        known = _count_known(job, gold)
        yield ok(uri, f"gold labels can be read; {format_count(known, 'image')} of the job's")
    if job.task is None or not job.task.is_two_class(job.labels) or not job.images:
        return
    chosen = {name: job.labels_before.get(name, 0) for name in job.labels}
    advice = advise_gold(job.task, chosen, objects=len(job.images), known=known)
    if advice is not None:
        text = (
            f"of the labels that lines have already, {advice.share:.0%} are {advice.rare!r}, and "
            f"{known or 'no'} known objects tell how rare that is; votes do not"
        )
        yield warning("gold-advised", "gold labels", text, fix=_how_to_draw(job, advice.objects))
    elif not any(chosen.values()) and known < FEWEST_KNOWN:
        text = "two classes: labeljob report says, once there are answers, if known objects help"
        yield ok("gold labels", text)


def _count_known(job: PlannedJob, gold: AuxiliaryLabels) -> int:
    return sum(gold.of(str(image.line - 1), image.uri) is not None for image in job.images)


def _how_to_draw(job: PlannedJob, count: int) -> str:
    """Commands that draw known objects of the job's manifest."""
    local, uri = job.local.get(MANIFEST), job.text(MANIFEST) or ""
    file = str(local) if local else uri.rpartition("/")[2]
    draw = ["labeljob", "gold", "draw", file, "--count", str(count), "--output", "gold.jsonl"]
    commands = [] if local else [shlex.join(["aws", "s3", "cp", uri, "."])]
    return (
        "\n".join([*commands, shlex.join(draw)])
        + f"\nwrite the true labels into it, upload it, and give the job the tag {_TAG}"
    )
