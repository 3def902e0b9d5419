"""Jobs of a portal and people who work on them, without a browser."""

import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from labeljob.jobs.description import PEOPLE, JobDescription
from labeljob.portal import assignments
from labeljob.tasks.registry import find_job_type
from tests.runner.image_files import image_bytes

LABELS = ("cat", "dog", "bird")
WORKERS = ("ann", "ben", "cleo")


def make_photos(folder, n_images):
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(n_images):
        (folder / f"{at:03}.png").write_bytes(image_bytes(seed=at, size=(24, 16)))
    return folder


def describe(folder, task="image-multi-class", *, n_images=6, name="zoo", **changes):
    """A job of photographs below a folder, whose path and names are not plain."""
    photos = make_photos(folder / "my photos, Zoë's", n_images)
    manifest = folder / f"{name}.manifest"
    lines = [json.dumps({"source-ref": str(path)}) for path in sorted(photos.iterdir())]
    manifest.write_text("".join(f"{line}\n" for line in lines))
    job_type = find_job_type(task)
    values = {
        "name": name,
        "task": job_type,
        "labels": LABELS,
        "attribute": job_type.label_attribute,
        "output": "s3://labeljob/jobs",
        "manifest": str(manifest),
        "manifest_digest": hashlib.sha256(manifest.read_bytes()).hexdigest(),
        "crew": PEOPLE,
        "per_object": 3,
        "started": datetime.now(UTC).replace(microsecond=0),
        "title": "Zoo",
        "time_limit": 300,
        "availability": 864_000,
        **changes,
    }
    return JobDescription(**values)


def choose(object_id):
    """The class that a data object shows."""
    return int(object_id) % len(LABELS)


def say(task, object_id, *, wrong=False):
    """A whole answer of a worker who sees what a data object shows, or takes it for another."""
    job_type = find_job_type(task)
    at = (choose(object_id) + wrong) % len(LABELS)
    if job_type.label_is_mask:
        said = np.zeros((16, 24), np.uint8)
        said[4:12, 6:18] = at + 1
        return job_type.submit(said, LABELS)
    return job_type.submit(LABELS[at] if job_type.single_choice else [LABELS[at]], LABELS)


def work(portal, job, worker, *, wrong=(), at_most=None):
    """A worker takes tasks and answers until there are none; how many answers were given."""
    count = 0
    while at_most is None or count < at_most:
        lease = assignments.take(
            portal.database, job.name, worker_id(worker), job.description.time_limit
        )
        if lease is None:
            return count
        if job.task_input(lease.object_id) is None:
            continue
        answer = say(job.description.task.name, lease.object_id, wrong=lease.object_id in wrong)
        saved = assignments.submit(
            portal.database, job.name, lease.object_id, worker_id(worker), answer
        )
        assert saved == "saved"
        count += 1
    return count


def worker_id(name):
    return f"private.us-west-2.{name:x<16}"


def join(portal, *names, issuer=None):
    """Make people members of the team."""
    with portal.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO members (worker_id, email, name, sub, role, created, issuer)"
            " VALUES (?, ?, ?, ?, 'worker', 0, ?)",
            [(worker_id(one), f"{one}@example.org", one, f"sub-{one}", issuer) for one in names],
        )


def read_lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def read_mask(body):
    with Image.open(io.BytesIO(body)) as image:
        return np.array(image)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def redo_digest(description):
    """The description of a job whose manifest was written again."""
    digest = hashlib.sha256(Path(description.manifest).read_bytes()).hexdigest()
    return replace(description, manifest_digest=digest)
