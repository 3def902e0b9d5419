"""A Hugging Face dataset, saved to disk, with images, labels and masks in it."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from typing import Any

from labeljob.formats.labeled import LabeledImage
from labeljob.formats.target import Target
from labeljob.tasks.base import JobType


def export_huggingface(images: Iterable[LabeledImage], target: Target) -> None:
    """Save a dataset that `datasets.load_from_disk` opens; of parts, a dictionary of datasets.

    Its columns are `image` (empty where the image cannot be read), `object_id`, `source` and
    `confidence`, and `label`, `labels` with `confidences`, or `mask` with `classes`.
    """
    import datasets  # type: ignore[import-untyped]

    def rows(some: Iterable[LabeledImage]) -> Iterator[dict[str, Any]]:
        for image in some:
            if image.content is None:
                target.without_image.append(image.object_id)
            target.counts["labeled images"] += 1
            target.counts["images"] += image.content is not None
            yield _row(image, target.task)

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory(prefix="labeljob-export-") as cache:
        try:
            made = datasets.DatasetDict(
                {
                    split: datasets.Dataset.from_generator(
                        partial(rows, some),
                        features=_features(datasets, target),
                        cache_dir=cache,
                        fingerprint=uuid.uuid4().hex,
                    )
                    for split, some in groupby(images, lambda image: image.split)
                }
            )
        except datasets.exceptions.DatasetGenerationError as error:
            raise error.__cause__ or error from None
        (made if target.splits else made[""]).save_to_disk(str(target.draft))


def _features(datasets: Any, target: Target) -> Any:
    value, one = datasets.Value, datasets.ClassLabel(names=list(target.classes))
    columns: dict[str, Any] = {
        "image": datasets.Image(),
        "object_id": value("string"),
        "source": value("string"),
        "confidence": value("float64"),
    }
    columns |= target.task.dataset_columns(datasets, one)
    return datasets.Features(columns)


def _row(image: LabeledImage, task: JobType) -> dict[str, Any]:
    content = {"bytes": image.content, "path": image.name} if image.content is not None else None
    return {
        "image": content,
        "object_id": image.object_id,
        "source": image.source,
        "confidence": image.label.confidence,
        **task.dataset_row(image),
    }
