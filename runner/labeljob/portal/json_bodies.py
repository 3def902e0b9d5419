"""JSON in the bodies of requests, as far as it can be kept in a file and read again."""

from __future__ import annotations

import json
from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request

_MOST_BYTES_AT_ONCE = 64 * 1024  # of JSON that is read on the event loop


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request; raises `HTTPException` (400) if there is none."""
    body = await request.body()
    try:
        if len(body) > _MOST_BYTES_AT_ONCE:
            values = await to_thread.run_sync(_parse, body)
        else:
            values = _parse(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"The request is not the JSON that is wanted: {error}") from error
    if not isinstance(values, dict):
        raise HTTPException(400, "A JSON object is wanted.")
    return values


def _parse(body: bytes) -> Any:
    """JSON that can be written to a file again; raises `ValueError` or `RecursionError`."""
    values = json.loads(body, parse_constant=_refuse_constant)
    # Half a surrogate pair is no text, and 1e999 no number of JSON.
    json.dumps(values, ensure_ascii=False, allow_nan=False).encode()
    return values


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")
