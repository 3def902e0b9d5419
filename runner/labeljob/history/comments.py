"""What workers write beside their answers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from groundtruth.contract.acs import Annotation
from groundtruth.contract.fields import embedded_json
from groundtruth.errors import ContractError
from labeljob.output_files import escape_halves

_COMMENT = re.compile(r"comment|remark|feedback|\bnotes?\b|crowd-text-?area", re.IGNORECASE)
"""Names of what workers write beside an answer: AWS's ``workerComment``, and those of forms."""


def read_comments(annotations: Iterable[Annotation]) -> dict[str, str]:
    """What workers wrote beside their answers to one data object, by worker.

    A worker's several comments are lines. Answers that are nowhere but in S3 are not asked.
    """
    comments: dict[str, dict[str, None]] = defaultdict(dict)
    for item in annotations:
        for text in find_comments(item.content):
            comments[item.worker_id][escape_halves(text)] = None
    return {worker: "\n".join(texts) for worker, texts in comments.items()}


def find_comments(content: Any) -> Iterator[str]:
    """The texts beside the value of a form's input, or within it, that are named as comments."""
    try:
        while isinstance(content, str | bytes):
            content = embedded_json(content, path="answer")
    except ContractError:
        return
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    for name, value in content.items() if isinstance(content, dict) else ():
        inner = value.items() if isinstance(value, dict) else ()
        for own, found in ((name, value), *inner):
            if _COMMENT.search(own):
                texts = found if isinstance(found, list) else [found]
                yield from (one.strip() for one in texts if isinstance(one, str) and one.strip())
