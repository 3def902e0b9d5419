"""Hostile answers to all three functions: `python -m tests.fuzz.answers 1000000`.

Each batch is the function's example, whose answers (and sometimes the entries around them) were
changed: values replaced, keys dropped and doubled, texts cut, PNGs damaged, sizes claimed. No
batch may raise, no data object may be lost, and the response must be what Lambda's runtime can
write with `AWS_EXECUTION_ENV` set: UTF-8, not ASCII.
"""

import base64
import binascii
import copy
import json
import random
import struct
import sys
from collections.abc import Callable
from typing import Any

from groundtruth.contract.fields import encodable
from groundtruth.errors import ContractError
from groundtruth.jobs import JobContexts, LabelingJob
from groundtruth.pre_annotation import prepare_task
from groundtruth.settings import Settings
from tests.examples import ACS_FUNCTIONS, TASKS, consolidate, example
from tests.memory_store import KnownJobs, MemoryStore

LABEL_FILE = "s3://bucket/labels.json"

HOSTILE_TEXTS = (
    "",
    " ",
    "\ud800",
    "a\udfff b",
    "\x00",
    "🦀" * 3,
    "\ufeff",
    "__proto__",
    "None of the above",
    "a" * 3000,
    "1e999",
    "../../etc",
    "null",
    "[]",
    "{",
    '"\\ud800"',
    '{"label": 1e999}',
    "#gggggg",
    "#fff",
)
HOSTILE_NUMBERS = (
    0,
    -1,
    1,
    2**31,
    2**63,
    10**400,
    -(10**400),
    1.5,
    1e308,
    float("inf"),
    float("nan"),
)
HOSTILE_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    {"": ""},
    [None],
    {"a": {"b": []}},
)


def hostile(rng: random.Random) -> Any:
    """A value that nobody expects."""
    kind = rng.randrange(10)
    if kind < 4:
        return rng.choice(HOSTILE_TEXTS)
    if kind < 7:
        return rng.choice(HOSTILE_NUMBERS)
    if kind < 9:
        return copy.deepcopy(rng.choice(HOSTILE_VALUES))
    value: Any = rng.choice(HOSTILE_TEXTS)
    for _ in range(rng.choice((1, 5, 60))):
        value = [value] if rng.random() < 0.5 else {rng.choice(HOSTILE_TEXTS): value}
    return value


def mutate(value: Any, rng: random.Random) -> Any:
    """The value, changed in one place or a few."""
    if rng.random() < 0.12:
        return hostile(rng)
    if isinstance(value, dict) and value:
        key = rng.choice(list(value))
        changed = dict(value)
        act = rng.randrange(8)
        if act == 0:
            del changed[key]
        elif act == 1:
            changed[rng.choice(HOSTILE_TEXTS)] = changed.pop(key)
        elif act == 2:
            changed[rng.choice(HOSTILE_TEXTS)] = copy.deepcopy(value[key])
        else:
            changed[key] = mutate(value[key], rng)
        return changed
    if isinstance(value, list) and value:
        place = rng.randrange(len(value))
        changed_list = list(value)
        if rng.random() < 0.2:
            changed_list.insert(place, copy.deepcopy(value[place]))
        else:
            changed_list[place] = mutate(value[place], rng)
        return changed_list
    if isinstance(value, str) and len(value) > 60:
        return mutate_png(value, rng)
    return hostile(rng)


def mutate_png(text: str, rng: random.Random) -> str:
    """A damaged PNG in base64, with right checksums half of the time."""
    try:
        png = bytearray(base64.b64decode(text))
    except binascii.Error:
        return text[: rng.randrange(len(text))]
    act = rng.randrange(5)
    if act == 0 and len(png) > 29:  # claims another size, depth or kind, with a right checksum
        field = rng.choice((16, 20, 24, 25, 26, 28))
        if field < 24:
            png[field : field + 4] = struct.pack(">I", rng.choice((0, 1, 17, 10_000, 2**31 - 1)))
        else:
            png[field] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        png[29:33] = struct.pack(">I", binascii.crc32(png[12:29]))
    elif act == 1:
        png = png[: rng.randrange(len(png))]
    else:
        for _ in range(rng.choice((1, 3, 20))):
            if png:
                png[rng.randrange(len(png))] = rng.randrange(256)
    return base64.b64encode(png).decode()


def mutate_annotation(annotation: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """One worker's answer, changed inside or around."""
    if rng.random() < 0.15:
        changed = mutate(annotation, rng)
        return (
            changed if isinstance(changed, dict) else {"workerId": "w", "annotationData": changed}
        )
    changed = copy.deepcopy(annotation)
    content = json.loads(changed["annotationData"]["content"])
    for _ in range(rng.choice((1, 1, 2, 4))):
        content = mutate(content, rng)
    text = json.dumps(content)
    if rng.random() < 0.05:
        text = text[: rng.randrange(len(text) + 1)]
    changed["annotationData"]["content"] = text
    return changed


def is_json(text: str) -> bool:
    """Whether a text is JSON; the examples hold a broken answer too."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


def fuzz(function: str, n_answers: int, seed: int) -> int:
    """Send answers in batches of about 150; how many were sent. Raises at the first fault."""
    rng = random.Random(f"{function} {seed}")
    templates = [
        annotation
        for item in example(function, "payload")
        for annotation in item["annotations"]
        if is_json(annotation["annotationData"].get("content", ""))
    ]
    sent = 0
    while sent < n_answers:
        payload = []
        for number in range(30):
            annotations = [
                mutate_annotation(rng.choice(templates), rng)
                | ({"workerId": f"w{worker}"} if rng.random() < 0.9 else {})
                for worker in range(rng.choice((0, 1, 3, 5, 9)))
            ]
            sent += len(annotations)
            object_id = (
                f"{number}{rng.choice(HOSTILE_TEXTS)}" if rng.random() < 0.1 else str(number)
            )
            payload.append({"datasetObjectId": object_id, "annotations": annotations})
        body = json.dumps(payload).encode()
        options: dict[str, Any] = {"classes": []} if rng.random() < 0.2 else {}
        algorithm = rng.choice(list(TASKS[function].algorithms))
        outcome = consolidate(function, body, consolidation_algorithm=algorithm, **options)
        check(outcome.response, [encodable(item["datasetObjectId"]) for item in payload])
        unforeseen = [
            item.detail
            for label in outcome.labels
            for item in label.rejected
            if item.reason == "unreadable"
        ]
        assert not unforeseen, unforeseen
    return sent


def check(response: list[dict[str, Any]], wanted: list[str]) -> None:
    """Every data object once, in order, in what Lambda's runtime can write."""
    assert [item["datasetObjectId"] for item in response] == wanted
    json.dumps(response, ensure_ascii=False, allow_nan=False).encode()


def fuzz_manifest_lines(n_lines: int, seed: int) -> int:
    """Send manifest lines to the pre-annotation path, which answers or says what is wrong."""
    rng = random.Random(seed)
    event = example("pre_image_multi_class", "event")
    store = MemoryStore({LABEL_FILE: b'{"labels": [{"label": "Crab"}, {"label": "Starfish"}]}'})
    jobs = JobContexts(
        Settings(), KnownJobs(LabelingJob(label_category_config_uri=LABEL_FILE)), store
    )
    for _ in range(n_lines):
        line = mutate({**event["dataObject"], "weight": 1.5, "meta": {"a": [1, "b"]}}, rng)
        try:
            response = prepare_task({**event, "dataObject": line}, jobs=jobs)
        except ContractError:
            continue
        json.dumps(response, ensure_ascii=False, allow_nan=False).encode()
    return n_lines


def main(n_answers: int, seed: int, report: Callable[[str], None] = print) -> None:
    report(f"pre-annotation: {fuzz_manifest_lines(n_answers // 10, seed)} manifest lines, no fault")
    for function in ACS_FUNCTIONS:
        sent = fuzz(function, n_answers // len(ACS_FUNCTIONS), seed)
        report(f"{function}: {sent} answers, no fault")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
