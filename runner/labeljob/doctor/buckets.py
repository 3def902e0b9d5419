"""The buckets: there, in the job's Region, and readable by the worker page.

Source: "CORS permission requirement" in the SageMaker developer guide: since browsers turn images
by their EXIF data, a bucket of images without a CORS rule fails the tasks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from labeljob.doctor.aws import Absent
from labeljob.doctor.findings import Finding, checked, error, not_checked, ok, warning
from labeljob.doctor.planned_job import MANIFEST, OUTPUT, PAGE, PlannedJob, bucket_of

_EXPOSED = "Access-Control-Allow-Origin"
_RULE = {
    "AllowedHeaders": [],
    "AllowedMethods": ["GET"],
    "AllowedOrigins": ["*"],
    "ExposeHeaders": [_EXPOSED],
}


def bucket_findings(job: PlannedJob) -> Iterator[Finding]:
    """What is to be said of the buckets that the job names."""
    for bucket, what in buckets_of(job).items():
        yield from checked(f"s3://{bucket}", partial(_place, job, bucket, what))
    for bucket in job.image_buckets:
        yield from checked(f"s3://{bucket}", partial(_cors, job, bucket))
    if not job.images:
        yield not_checked("CORS", "the manifest tells no bucket of images")


def buckets_of(job: PlannedJob) -> dict[str, str]:
    """The job's buckets, each with what is in it."""
    named = [
        (bucket_of(job.text(MANIFEST)), "the manifest"),
        (bucket_of(job.labels_uri), "the label category file"),
        (bucket_of(job.text(PAGE)), "the worker page"),
        (bucket_of(job.text(OUTPUT)), "the output"),
        *((bucket, "images") for bucket in job.image_buckets),
    ]
    contents: dict[str, list[str]] = {}
    for bucket, what in named:
        if bucket:
            contents.setdefault(bucket, []).append(what)
    return {bucket: ", ".join(what) for bucket, what in contents.items()}


def _place(job: PlannedJob, bucket: str, what: str) -> Iterator[Finding]:
    try:
        region = job.aws.call("s3", "head_bucket", Bucket=bucket).get("BucketRegion")
    except Absent:
        fix = f"aws s3 mb s3://{bucket} --region {job.region}, or correct the name"
        yield error("bucket-absent", f"s3://{bucket}", f"does not exist ({what})", fix=fix)
        return
    if region is None:
        yield not_checked(f"s3://{bucket}", "S3 does not tell its Region")
    elif job.region is None:
        yield not_checked(f"s3://{bucket}", f"it is in {region}; the job's Region is not known")
    elif region != job.region:
        text = f"is in {region} and the job runs in {job.region} ({what})"
        fix = f"use a bucket in {job.region}, or create the job and the stack in {region}"
        yield error("bucket-region", f"s3://{bucket}", text, fix=fix)
    else:
        yield ok(f"s3://{bucket}", f"is in {region}, as the job ({what})")


def _cors(job: PlannedJob, bucket: str) -> Iterator[Finding]:
    where = f"CORS of s3://{bucket}"
    fix = (
        f"aws s3api put-bucket-cors --bucket {bucket} --cors-configuration "
        f"'{json.dumps({'CORSRules': [_RULE]})}' (it replaces the rules that are there)"
    )
    try:
        rules = job.aws.call("s3", "get_bucket_cors", Bucket=bucket)["CORSRules"]
    except Absent:
        yield error("cors-missing", where, "has no rule, so worker pages cannot show it", fix=fix)
        return
    fitting = [rule for rule in rules if _lets_everybody_read(rule)]
    if not fitting:
        text = "no rule lets every origin (*) GET, so worker pages cannot show its images"
        yield error("cors-missing", where, text, fix=fix)
    elif not any(_EXPOSED in rule.get("ExposeHeaders", ()) for rule in fitting):
        text = f"the rule does not expose {_EXPOSED}, as AWS asks for"
        yield warning("cors-headers", where, text, fix=fix)
    else:
        yield ok(where, "lets every origin GET")


def _lets_everybody_read(rule: dict[str, Any]) -> bool:
    return "GET" in rule.get("AllowedMethods", ()) and "*" in rule.get("AllowedOrigins", ())
