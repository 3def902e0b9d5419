"""Batches as large as Ground Truth makes them: 50 data objects with 9 answers each."""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.batches import MASKS, MULTI, SINGLE
from tests.examples import example
from tests.masks import answer, drawn

OBJECTS, WORKERS = 50, 9
LETTERS = {"water": "w", "boat": "b", "quay": "q"}


def full_payload(
    function: str, *, objects: int = OBJECTS, seed: int = 0, scale: int = 1
) -> list[dict[str, Any]]:
    """Answers of nine workers to each data object, mostly alike; the names begin with the seed."""
    classes = example(function, "event")["labelCategories"]
    draw = random.Random(f"{function} {seed}")

    def answered(true: str) -> str:
        return content(function, draw, true, classes, scale)

    return [
        one_object(f"{seed}-{number}", answered, draw.choice(classes)) for number in range(objects)
    ]


def one_object(name: str, answered: Callable[[str], str], true: str) -> dict[str, Any]:
    """One data object with its nine answers."""
    return {
        "datasetObjectId": name,
        "dataObject": {"s3Uri": f"s3://bucket/images/{name}.png"},
        "annotations": [
            {"workerId": f"w{at}", "annotationData": {"content": answered(true)}}
            for at in range(WORKERS)
        ],
    }


def content(function: str, draw: random.Random, true: str, classes: list[str], scale: int) -> str:
    """One worker's answer, right four times out of five."""
    chosen = true if draw.random() < 0.8 else draw.choice(classes)
    if function == SINGLE:
        return json.dumps({"crowd-image-classifier": {"label": chosen}})
    if function == MULTI:
        return json.dumps({"crowd-image-classifier-multi-select": {"labels": [chosen]}})
    rows = ("..." + "".join(draw.choices([LETTERS[chosen], "."], [9, 1], k=9)) for _ in range(4))
    return json.dumps(answer(drawn(" ".join(rows), scale=scale)))


def event_of(function: str, number: int = 0) -> dict[str, Any]:
    """The function's example event with a payload of its own."""
    uri = f"s3://example-groundtruth-bucket/requests/2026-05-04_09:{number:02}:00.json"
    return example(function, "event") | {"payload": {"s3Uri": uri}}


ALL = (SINGLE, MULTI, MASKS)
