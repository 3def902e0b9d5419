"""The example events, and batches put together from their parts."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from groundtruth.consolidation import Outcome, consolidate_batch
from groundtruth.jobs import JobContexts, LabelingJob
from groundtruth.settings import Settings
from groundtruth.tasks.base import Task
from groundtruth.tasks.classification.task import ImageMultiClass
from groundtruth.tasks.multilabel.task import ImageMultiClassMultiLabel
from groundtruth.tasks.segmentation.task import SemanticSegmentation
from groundtruth.worker_history.store import SkillStore
from tests.memory_store import KnownJobs, MemoryStore

EVENTS = Path(__file__).resolve().parent.parent / "events"
JOB_TYPES = ("image_multi_class", "image_multi_class_multi_label", "semantic_segmentation")
PRE_FUNCTIONS = tuple(f"pre_{job_type}" for job_type in JOB_TYPES)
ACS_FUNCTIONS = tuple(f"acs_{job_type}" for job_type in JOB_TYPES)
TASKS: Mapping[str, Task[Any]] = {
    "acs_image_multi_class": ImageMultiClass(),
    "acs_image_multi_class_multi_label": ImageMultiClassMultiLabel(),
    "acs_semantic_segmentation": SemanticSegmentation(),
}


def example(function: str, part: str) -> Any:
    """A part (``event``, ``payload``, ``response``) of a function's example."""
    return json.loads((EVENTS / function / f"{part}.json").read_bytes())


def payload_of(answers: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """A payload in which worker ``w1``, ``w2``, … gave the answers listed for each object.

    A text or a list is an annotation's content as it comes; a mapping with ``annotationData``
    is the whole annotation, and any other mapping is the content before it became a text.
    """
    return [
        {
            "datasetObjectId": object_id,
            "dataObject": {"s3Uri": f"s3://bucket/images/{object_id}.png"},
            "annotations": [
                _annotation(f"w{at}", answer) for at, answer in enumerate(contents, start=1)
            ],
        }
        for object_id, contents in answers.items()
    ]


def _annotation(worker_id: str, answer: Any) -> dict[str, Any]:
    if isinstance(answer, dict) and "annotationData" in answer:
        return {"workerId": worker_id} | answer
    content = json.dumps(answer) if isinstance(answer, dict) else answer
    return {"workerId": worker_id, "annotationData": {"content": content}}


def consolidate(
    function: str,
    payload: Any,
    *,
    store: MemoryStore | None = None,
    job: LabelingJob | None = None,
    classes: Sequence[str] | None = None,
    event: Mapping[str, Any] | None = None,
    skills: SkillStore | None = None,
    deadline: Callable[[], float] | None = None,
    **settings: Any,
) -> Outcome:
    """What becomes of a payload (bytes, or what they decode to) sent with the example event.

    `classes` replace the event's, and an empty list removes them; `event` overrides its keys.
    The algorithm is plain `majority` unless the settings say otherwise.
    """
    store = store or MemoryStore()
    settings.setdefault("consolidation_algorithm", "majority")
    message = example(function, "event") | dict(event or {})
    if classes is not None:
        message["labelCategories"] = list(classes)
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    store.objects.setdefault(message["payload"]["s3Uri"], body)
    jobs = JobContexts(Settings(**settings), KnownJobs(job or LabelingJob()), store)
    return consolidate_batch(
        message, task=TASKS[function], store=store, jobs=jobs, skills=skills, deadline=deadline
    )


def labels_of(outcome: Outcome, attribute: str) -> dict[str, Any]:
    """The value of the label attribute of each data object, by its id."""
    return {
        item["datasetObjectId"]: item["consolidatedAnnotation"]["content"][attribute]
        for item in outcome.response
    }


def rejected(label: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Worker and reason of each answer of an `object` style label that was not used."""
    return [(item["worker-id"], item["reason"]) for item in label["answers"]["set-aside"]]
