"""Hostile answers to all three handlers: `python -m tests.fuzz.answers 1000000`.

Each batch is the function's example, whose answers (and sometimes the entries around them) were
changed: every value replaced by every hostile one, keys dropped and doubled, texts cut or nested
deep, PNGs damaged or bombs, sizes claimed, ids repeated. The handlers are those of functions/, in
the environment that Lambda gives them. No batch may raise, no data object may be lost, and the
response must be what Lambda's runtime can write with `AWS_EXECUTION_ENV` set: UTF-8, not ASCII.
"""

import base64
import binascii
import contextlib
import copy
import functools
import importlib.util
import io
import json
import os
import random
import re
import shutil
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from groundtruth.contract.fields import encodable
from groundtruth.errors import ContractError, GroundTruthError
from groundtruth.jobs import JOBS_FOLDER_VARIABLE, JobContexts, LabelingJob
from groundtruth.pre_annotation import prepare_task
from groundtruth.settings import Settings
from groundtruth.storage.s3 import STORE_FOLDER_VARIABLE, split_uri
from tests.examples import ACS_FUNCTIONS, EVENTS, TASKS, example
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
    40_000,
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
    if rng.random() < 0.002:
        return bomb(rng.choice((2_000, 20_000)))
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


@functools.cache
def bomb(side: int) -> str:
    """A small PNG of many pixels, all alike, in base64."""
    deflate = zlib.compressobj()
    rows = b"".join(deflate.compress(bytes(side + 1)) for _ in range(side)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")):
        png += struct.pack(">I", len(body)) + name + body
        png += struct.pack(">I", binascii.crc32(name + body))
    return base64.b64encode(png).decode()


def mutate_text(text: str, rng: random.Random) -> str:
    """JSON, or nearly so, as `json.dumps` does not write it."""
    act = rng.randrange(6)
    if act == 0:
        return text[: rng.randrange(len(text) + 1)]
    if act == 1 and len(text) > 2:  # every key twice
        return f"{text[:-1]},{text[1:]}"
    if act == 2:
        depth = rng.choice((100, 1_000, 100_000))
        opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
        return opening * depth + text + closing * rng.choice((depth, depth - 1))
    if act == 3:  # more digits than Python reads
        return re.sub(r"\d+", "9" * 5_000, text, count=1)
    if act == 4:
        return re.sub(r"\d+", rng.choice(("NaN", "Infinity", "-Infinity", "1e999")), text, count=1)
    return rng.choice(("\ufeff", "\x00", "//\n", " " * 10_000)) + text


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a JSON value, the whole first."""
    yield ()
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from ((key, *rest) for rest in paths(value[key]))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The JSON value with something else at a path."""
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


def systematic(templates: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every template with every hostile value at every path, in its content and around it."""
    values = (*HOSTILE_TEXTS, *HOSTILE_NUMBERS, *HOSTILE_VALUES)
    for annotation in templates:
        content = json.loads(annotation["annotationData"]["content"])
        for value in values:
            for path in paths(content):
                text = json.dumps(put(content, path, value))
                yield put(annotation, ("annotationData", "content"), text)
            for path in paths(annotation):
                if path:
                    yield put(annotation, path, value)


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
    if rng.random() < 0.08:
        text = mutate_text(text, rng)
    changed["annotationData"]["content"] = text
    return changed


def is_json(text: str) -> bool:
    """Whether a text is JSON; the examples hold a broken answer too."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


class Handlers:
    """A function's own handler for each algorithm and style, with folders for S3 and SageMaker."""

    def __init__(self, function: str, folder: Path) -> None:
        self.event = example(function, "event")
        self.styles = ("object", "builtin")
        self.algorithms = tuple(TASKS[function].algorithms)
        self._function, self._folder = function, folder
        self._context = SimpleNamespace(
            function_name=function,
            memory_limit_in_mb=512,
            invoked_function_arn=f"arn:aws:lambda:us-east-1:111122223333:function:{function}",
            aws_request_id="00000000-0000-4000-8000-000000000000",
            get_remaining_time_in_millis=lambda: 60_000,
        )
        name = self.event["labelingJobArn"].rpartition("/")[2]
        (folder / "jobs").mkdir()
        (folder / "jobs" / f"{name}.json").write_text('{"LabelAttributeName": "label"}')

    @functools.cache  # noqa: B019 - as long as the process
    def handler(self, algorithm: str, style: str) -> Callable[[Any, Any], Any]:
        path = EVENTS.parent / "functions" / self._function / "app.py"
        spec = importlib.util.spec_from_file_location(f"fuzzed_{self._function}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        variables = {
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "CONSOLIDATION_ALGORITHM": algorithm,
            "OUTPUT_STYLE": style,
            "POWERTOOLS_SERVICE_NAME": "fuzzed",
            "STACK_NAME": "fuzzed",
            STORE_FOLDER_VARIABLE: str(self._folder / "objects"),
            JOBS_FOLDER_VARIABLE: str(self._folder / "jobs"),
        }
        with patch.dict(os.environ, variables):
            spec.loader.exec_module(module)
        handler: Callable[[Any, Any], Any] = module.lambda_handler
        return handler

    def invoke(
        self, body: bytes, *, algorithm: str, style: str = "object", **changes: Any
    ) -> list[dict[str, Any]]:
        """The response to a payload, or what the handler raises."""
        shutil.rmtree(self._folder / "objects", ignore_errors=True)
        event = {**self.event, **changes}
        payload = self._folder / "objects" / "/".join(split_uri(self.event["payload"]["s3Uri"]))
        payload.parent.mkdir(parents=True)
        payload.write_bytes(body)
        with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")):
            response: list[dict[str, Any]] = self.handler(algorithm, style)(event, self._context)
        return response


def fuzz(function: str, n_answers: int, seed: int) -> int:
    """Send answers in batches of about 150; how many were sent. Raises at the first fault."""
    rng = random.Random(f"{function} {seed}")
    templates = [
        annotation
        for item in example(function, "payload")
        for annotation in item["annotations"]
        if is_json(annotation["annotationData"].get("content", ""))
    ]
    every = list(systematic(templates))
    rng.shuffle(every)
    sent = 0
    with tempfile.TemporaryDirectory() as folder:
        handlers = Handlers(function, Path(folder))
        while sent < n_answers:
            payload: list[dict[str, Any]] = []
            for number in range(30):
                annotations = [
                    (every.pop() if every and rng.random() < 0.5 else None)
                    or mutate_annotation(rng.choice(templates), rng)
                    | ({"workerId": f"w{worker}"} if rng.random() < 0.9 else {})
                    for worker in range(rng.choice((0, 1, 3, 5, 9)))
                ]
                sent += len(annotations)
                object_id = str(number)
                if rng.random() < 0.1:
                    object_id += rng.choice(HOSTILE_TEXTS)
                if payload and rng.random() < 0.02:
                    object_id = payload[-1]["datasetObjectId"]
                payload.append({"datasetObjectId": object_id, "annotations": annotations})
            if rng.random() < 0.05:
                send_broken(handlers, payload, rng)
            changes: dict[str, Any] = {"labelCategories": []} if rng.random() < 0.2 else {}
            response = handlers.invoke(
                json.dumps(payload).encode(),
                algorithm=rng.choice(handlers.algorithms),
                style=rng.choice(handlers.styles),
                **changes,
            )
            ids = dict.fromkeys(encodable(item["datasetObjectId"]) for item in payload)
            check(response, list(ids))
            assert '"unreadable"' not in json.dumps(response), "an answer met an unforeseen error"
    return sent


def send_broken(handlers: Handlers, payload: list[dict[str, Any]], rng: random.Random) -> None:
    """Send a payload and an event that are damaged themselves: they may be refused by name."""
    body = json.dumps(mutate(payload, rng))
    changes = mutate(handlers.event, rng) if rng.random() < 0.5 else {}
    if rng.random() < 0.3:
        body = mutate_text(body, rng)
    try:
        response = handlers.invoke(
            body.encode("utf-8", "surrogatepass"),
            algorithm=handlers.algorithms[0],
            **(changes if isinstance(changes, dict) else {}),
        )
    except GroundTruthError as error:
        str(error).encode()
        return
    writable(response)


def check(response: list[dict[str, Any]], wanted: list[str]) -> None:
    """Every data object once, in order, in what Lambda's runtime can write."""
    assert [item["datasetObjectId"] for item in response] == wanted
    writable(response)


def writable(response: Any) -> None:
    """What Lambda's runtime can write, and a JSON reader read."""
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
        except ContractError as error:
            str(error).encode()
            continue
        writable(response)
    return n_lines


def main(n_answers: int, seed: int, report: Callable[[str], None] = print) -> None:
    report(f"pre-annotation: {fuzz_manifest_lines(n_answers // 10, seed)} manifest lines, no fault")
    for function in ACS_FUNCTIONS:
        sent = fuzz(function, n_answers // len(ACS_FUNCTIONS), seed)
        report(f"{function}: {sent} answers, no fault")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
