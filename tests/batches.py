"""Batches of image classification put together by worker name, and crews that answer at random."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from groundtruth.consolidation import Outcome
from groundtruth.worker_history.counts import MemorySkills
from groundtruth.worker_history.store import Amounts
from tests.examples import consolidate, example, labels_of

SINGLE = "acs_image_multi_class"
MULTI = "acs_image_multi_class_multi_label"
MASKS = "acs_semantic_segmentation"

Chosen: TypeAlias = str | Sequence[str]


def source(object_id: str) -> str:
    """S3 URI of a data object."""
    return f"s3://bucket/images/{object_id}.png"


def payload(answers: Mapping[str, Mapping[str, Chosen]]) -> list[dict[str, Any]]:
    """A payload in which workers chose a class (a text) or labels (a list) for each object."""
    return [
        {
            "datasetObjectId": object_id,
            "dataObject": {"s3Uri": source(object_id)},
            "annotations": [
                {"workerId": worker, "annotationData": {"content": json.dumps(_form(chosen))}}
                for worker, chosen in given.items()
            ],
        }
        for object_id, given in answers.items()
    ]


def _form(chosen: Chosen) -> dict[str, Any]:
    if isinstance(chosen, str):
        return {"crowd-image-classifier": {"label": chosen}}
    return {"crowd-image-classifier-multi-select": {"labels": list(chosen)}}


def outcome(function: str, answers: Mapping[str, Mapping[str, Chosen]], **options: Any) -> Outcome:
    """What becomes of answers; with the task's default algorithm unless the options name one."""
    options.setdefault("consolidation_algorithm", "")
    return consolidate(function, payload(answers), **options)


def labels(
    function: str, answers: Mapping[str, Mapping[str, Chosen]], **options: Any
) -> dict[str, Any]:
    """The label of each data object, by its id."""
    attribute = example(function, "event")["labelAttributeName"]
    return labels_of(outcome(function, answers, **options), attribute)


@dataclass(frozen=True)
class Crew:
    """Workers who are right with a probability each, and else choose any other class alike.

    Attributes
    ----------
    accuracies : mapping of str to float
        By worker.
    classes : sequence of str
        The classes.
    """

    accuracies: Mapping[str, float]
    classes: Sequence[str]

    def batch(
        self, name: str, n_objects: int, *, per_object: int, seed: int
    ) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
        """Answers of some workers to new objects, and the truth."""
        draw = random.Random(f"{name} {seed}")
        answers: dict[str, dict[str, str]] = {}
        truth = {}
        for number in range(n_objects):
            object_id = f"{name}-{number:02}"
            truth[object_id] = draw.choice(self.classes)
            workers = draw.sample(sorted(self.accuracies), per_object)
            answers[object_id] = {
                worker: self._answer(worker, truth[object_id], draw) for worker in workers
            }
        return answers, truth

    def _answer(self, worker: str, true: str, draw: random.Random) -> str:
        if draw.random() < self.accuracies[worker]:
            return true
        return draw.choice([name for name in self.classes if name != true])


CREW = Crew(
    {"ann": 0.95, "ben": 0.9, "cem": 0.9, "xan": 0.25, "yul": 0.25, "zed": 0.25},
    ("crab", "star", "urchin", "weed"),
)
"""Three careful workers and three who guess."""


ALIKE = Crew(dict.fromkeys(("ann", "ben", "cem", "dan", "eve", "fay"), 0.75), CREW.classes)
"""Six workers who are right in three of four."""


def independent_answers(n_objects: int, *, seed: int = 7) -> dict[str, dict[str, str]]:
    """Five answers to each object, whose errors have nothing to do with each other."""
    return ALIKE.batch("a", n_objects, per_object=5, seed=seed)[0]


def dependent_answers(n_objects: int, *, seed: int = 7) -> dict[str, dict[str, str]]:
    """Six answers to each object: the truth or one wrong class, and a third is hard for all."""
    draw = random.Random(seed)
    answers = {}
    for number in range(n_objects):
        pair = draw.sample(ALIKE.classes, 2)
        right = 0.5 if number % 3 == 0 else 0.95
        answers[f"a-{number:02}"] = {name: pair[draw.random() > right] for name in ALIKE.accuracies}
    return answers


class RecordingSkills(MemorySkills):
    """A store that keeps what it was asked and told last, to the last bit."""

    asked: Sequence[str] = ()
    taught: Mapping[str, Amounts] | None = None

    def history(self, *args: Any, workers: Sequence[str], **rest: Any) -> Any:
        """Keep who was asked for."""
        self.asked = list(workers)
        return super().history(*args, workers=workers, **rest)

    def update_counts(self, *args: Any, updates: Mapping[str, Amounts], **rest: Any) -> None:
        """Keep what was told."""
        self.taught = updates
        super().update_counts(*args, updates=updates, **rest)
