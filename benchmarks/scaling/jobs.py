"""A finished job with as many answers as wanted, written fast, to measure `labeljob` with.

    python -m benchmarks.scaling.jobs FOLDER --answers 1000000
        [--labels 8] [--parquet FILE] [--per-object 5] [--classes 5] [--workers 200] [--seed 0]

FOLDER gets an output manifest with the labels of a plurality vote, in the built-in style, and the
consolidation requests that led to them: 50 data objects each, as the service makes them. With
`--labels` an answer is a set of labels. `--parquet` also writes the answers as one table.

The same options write the same bytes, and a smaller job is the beginning of a larger one. A worker
is right as often as the worker's skill says, which is drawn from a beta distribution with mean 0.8.
Memory stays the same however many answers there are.
"""

import argparse
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

BATCH = 50
"""Data objects of a request."""

CHUNK = 1_000 * BATCH
"""Data objects that are made at once, and of which one generator decides."""

NAMES = ("ant", "bee", "cat", "dog", "eel")
SKILL = (8.0, 2.0)
"""Parameters of the beta distribution of a worker's chance to be right."""

STARTED, EVERY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(seconds=70)
"""When the first request came, and the time from one to the next."""

LABELS_OF_AN_OBJECT = 2.5
REQUESTS = "annotations/consolidated-annotation/consolidation-request/iteration-1"
MANIFEST = "manifests/output/output.manifest"
IMAGES = "s3://labeljob/images"


@dataclass(frozen=True, kw_only=True)
class JobSize:
    """How large a job is, and what decides on its answers.

    Attributes
    ----------
    answers : int
        At least `per_object`; what is left over when it is divided by that is left out.
    per_object : int
        Answers of a data object, each of another worker.
    classes : int
        How many classes there are; of several labels an object, how many labels.
    several : bool
        Whether an answer is a set of labels.
    workers : int
        At least `per_object`.
    seed : int
        Decides on everything that is drawn.
    """

    answers: int
    per_object: int = 5
    classes: int = 5
    several: bool = False
    workers: int = 200
    seed: int = 0

    @property
    def n_objects(self) -> int:
        """Data objects."""
        return self.answers // self.per_object

    @property
    def names(self) -> list[str]:
        """The classes, in label order."""
        more = (f"class-{number:03}" for number in range(len(NAMES), self.classes))
        return [*NAMES[: self.classes], *more]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Answers to consecutive data objects.

    Attributes
    ----------
    first : int
        The first data object.
    workers : ndarray of int, shape (n_objects, per_object)
    answers : ndarray of int, shape (n_objects, per_object)
        The class or, as bits, the set of labels.
    """

    first: int
    workers: NDArray[np.int64]
    answers: NDArray[np.int64]


def make_chunks(size: JobSize) -> Iterator[Chunk]:
    """The answers of a job, some data objects at a time."""
    skills = np.random.default_rng(size.seed).beta(*SKILL, size.workers)
    for number, first in enumerate(range(0, size.n_objects, CHUNK)):
        # All of a chunk is drawn, so that a smaller job has the same answers.
        rng = np.random.default_rng([size.seed, number])
        # Neighbors on a circle of workers, from a random start: nobody answers twice.
        start = rng.integers(0, size.workers, (CHUNK, 1))
        step = np.arange(size.per_object) * (size.workers // size.per_object)
        workers = (start + step) % size.workers
        draw = _draw_sets if size.several else _draw_classes
        answers = draw(rng, skills[workers], size.classes)
        n_objects = min(CHUNK, size.n_objects - first)
        yield Chunk(first, workers[:n_objects], answers[:n_objects])


def _draw_classes(
    rng: np.random.Generator, skills: NDArray[np.float64], n_classes: int
) -> NDArray[np.int64]:
    truths = rng.integers(0, n_classes, (len(skills), 1))
    wrong = (truths + rng.integers(1, max(n_classes, 2), skills.shape)) % n_classes
    return np.where(rng.random(skills.shape) < skills, truths, wrong)


def _draw_sets(
    rng: np.random.Generator, skills: NDArray[np.float64], n_labels: int
) -> NDArray[np.int64]:
    share = min(LABELS_OF_AN_OBJECT / n_labels, 0.5)
    truths = rng.random((len(skills), 1, n_labels)) < share
    errs = rng.random((*skills.shape, n_labels)) < (1 - skills[..., None]) / 2
    picked = truths ^ errs
    sets: NDArray[np.int64] = picked @ (1 << np.arange(n_labels))
    return np.where(sets, sets, 1 << rng.integers(0, n_labels, sets.shape))


def write_job(size: JobSize, folder: Path) -> None:
    """Write a job's manifest and requests into a folder, which is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / REQUESTS).mkdir(parents=True)
    manifest = folder / MANIFEST
    manifest.parent.mkdir(parents=True)
    n_sets = 1 << size.classes if size.several else size.classes
    contents = [_content(size, answer) for answer in range(n_sets)]
    ids = [f"private.us-west-2.{worker:016x}" for worker in range(size.workers)]
    # One worker's answer as the request has it: there are few different ones.
    texts = [
        f'{{"workerId": "{worker}", "annotationData": {{"content": {content}}}}}'
        for worker in ids
        for content in contents
    ]
    with manifest.open("w", encoding="utf-8", newline="\n") as lines:
        for chunk in make_chunks(size):
            codes = (chunk.workers * n_sets + chunk.answers).tolist()
            labels = _vote(size, chunk)
            for start in range(0, len(codes), BATCH):
                first = chunk.first + start
                called = STARTED + first // BATCH * EVERY
                batch = codes[start : start + BATCH]
                body = ", ".join(
                    f'{{"datasetObjectId": "{number}", '
                    f'"dataObject": {{"s3Uri": "{IMAGES}/{number}.jpg"}}, '
                    f'"annotations": [{", ".join([texts[code] for code in row])}]}}'
                    for number, row in enumerate(batch, first)
                )
                path = folder / REQUESTS / f"{called:%Y-%m-%d_%H:%M:%S}.json"
                path.write_text(f"[{body}]", encoding="ascii")
                date = f"{called:%Y-%m-%dT%H:%M:%S.%f}"
                lines.writelines(
                    f'{{"source-ref":"{IMAGES}/{number}.jpg",{label}"creation-date":"{date}"}}}}\n'
                    for number, label in enumerate(labels[start : start + BATCH], first)
                )


def _content(size: JobSize, answer: int) -> str:
    """An answer's content, as the text of JSON within JSON."""
    if not size.several:
        return json.dumps(json.dumps({"crowd-image-classifier": {"label": size.names[answer]}}))
    value = {"labels": _named(size, answer)}
    return json.dumps(json.dumps({"crowd-image-classifier-multi-select": value}))


def _named(size: JobSize, answer: int) -> list[str]:
    return [name for index, name in enumerate(size.names) if answer >> index & 1]


def _vote(size: JobSize, chunk: Chunk) -> list[str]:
    """Each object's label by a plurality vote, without the date and what follows it."""
    chosen = chunk.answers[..., None]
    classes = np.arange(size.classes)
    votes = (chosen >> classes & 1 if size.several else chosen == classes).sum(axis=1)
    if not size.several:
        best = votes.argmax(axis=1)
        keys = best * (size.per_object + 1) + votes.max(axis=1)
        known = {
            key: _class_label(size, *divmod(key, size.per_object + 1))
            for key in np.unique(keys).tolist()
        }
        return [known[key] for key in keys.tolist()]
    rows, numbers = np.unique(votes, axis=0, return_inverse=True)
    texts = [_set_label(size, row) for row in rows.tolist()]
    return [texts[number] for number in numbers.ravel().tolist()]


def _class_label(size: JobSize, best: int, votes: int) -> str:
    metadata = {
        "confidence": votes / size.per_object,
        "class-name": size.names[best],
        **_origin("image-classification"),
    }
    return _label(best, metadata)


def _set_label(size: JobSize, votes: Sequence[int]) -> str:
    least = min(max(votes), size.per_object // 2 + 1)  # a majority, if any label has one
    kept = [index for index, count in enumerate(votes) if count >= least]
    metadata = {
        "class-map": {str(index): size.names[index] for index in kept},
        "confidence-map": {str(index): votes[index] / size.per_object for index in kept},
        **_origin("image-classification-multilabel"),
    }
    return _label(kept, metadata)


def _origin(kind: str) -> dict[str, str]:
    return {
        "job-name": "labeling-job/synthetic",
        "human-annotated": "yes",
        "type": f"groundtruth/{kind}",
    }


def _label(value: Any, metadata: dict[str, Any]) -> str:
    text = json.dumps({"label": value, "label-metadata": metadata}, separators=(",", ":"))
    return f"{text[1:-2]},"


def write_parquet(size: JobSize, path: Path) -> None:
    """Write a job's answers as one table: ``task``, ``worker``, ``label`` and ``source``."""
    ids = pa.array([f"private.us-west-2.{worker:016x}" for worker in range(size.workers)])
    kind = pa.list_(pa.string()) if size.several else pa.dictionary(pa.int32(), pa.string())
    columns = {
        "task": pa.string(),
        "worker": pa.dictionary(pa.int32(), pa.string()),
        "label": kind,
        "source": pa.string(),
    }
    schema = pa.schema(list(columns.items()))
    with pq.ParquetWriter(path, schema) as writer:
        for chunk in make_chunks(size):
            numbers = np.arange(chunk.first, chunk.first + len(chunk.workers))
            tasks = pa.array(numbers.repeat(size.per_object)).cast(pa.string())
            answers = chunk.answers.ravel()
            values = [
                tasks,
                pa.DictionaryArray.from_arrays(pa.array(chunk.workers.ravel(), pa.int32()), ids),
                pa.array([_named(size, answer) for answer in answers.tolist()], kind)
                if size.several
                else pa.DictionaryArray.from_arrays(pa.array(answers, pa.int32()), size.names),
                pa.compute.binary_join_element_wise(f"{IMAGES}/", tasks, ".jpg", ""),
            ]
            writer.write_table(pa.table(values, schema))


def main() -> None:
    """Write the job that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="is replaced")
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--per-object", type=int, default=JobSize.per_object)
    parser.add_argument("--classes", type=int, default=JobSize.classes)
    parser.add_argument("--labels", type=int, help="labels, of which an answer is a set")
    parser.add_argument("--workers", type=int, default=JobSize.workers)
    parser.add_argument("--seed", type=int, default=JobSize.seed)
    parser.add_argument("--parquet", type=Path, help="also write the answers as a table")
    options = parser.parse_args()
    size = JobSize(
        answers=options.answers,
        per_object=options.per_object,
        classes=options.labels or options.classes,
        several=options.labels is not None,
        workers=options.workers,
        seed=options.seed,
    )
    if not 1 <= size.per_object <= min(size.workers, size.answers):
        parser.error("--per-object is at least 1, and at most --workers and --answers")
    write_job(size, options.folder)
    if options.parquet:
        write_parquet(size, options.parquet)


if __name__ == "__main__":
    main()
