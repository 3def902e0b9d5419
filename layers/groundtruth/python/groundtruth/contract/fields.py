"""Taking fields out of a JSON message, with the place in the error.

Each function takes the message, the key and the path of the message from the root (empty for
the root itself) and returns the value or raises `ContractError` at ``path.key``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from groundtruth.errors import ContractError

_BYTE_ORDER_MARK = "\ufeff"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def embedded_json(body: bytes | str, *, path: str) -> Any:
    """Parse the JSON of a file or of a text inside a message.

    Raises
    ------
    ContractError
        If it is not UTF-8, not JSON, or beyond what can be read: nested too deeply, a number
        too long.
    """
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        value = json.loads(text.removeprefix(_BYTE_ORDER_MARK))
        return encodable(value) if _SURROGATE_ESCAPE.search(text) else value
    except UnicodeDecodeError as error:
        raise ContractError(f"is not UTF-8 text ({error.reason})", path=path) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise ContractError(f"is not JSON ({error.msg}, {where})", path=path) from error
    except ValueError as error:  # of what is JSON, only a number of thousands of digits
        raise ContractError("is JSON with a number too long to be read", path=path) from error
    except RecursionError as error:
        raise ContractError("is JSON nested too deeply", path=path) from error


def encodable(value: Any) -> Any:
    r"""A JSON value whose texts can all be written as UTF-8.

    JSON can hold half of a surrogate pair (``"\ud800"``), which no encoding can: Lambda's runtime
    fails on it while it writes a response. Each becomes U+FFFD, the replacement character.

    Examples
    --------
    >>> encodable({"worker": ["ann\ud800"]})
    {'worker': ['ann�']}
    """
    if isinstance(value, str):
        return (
            value
            if value.isascii()
            else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    if isinstance(value, list):
        return [encodable(item) for item in value]
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    return value


def check_numbers(value: Any, *, path: str) -> None:
    """Refuse a number that JSON cannot write: what was 1e999 or NaN in the input.

    Raises
    ------
    ContractError
        If there is one, with its place.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ContractError(
            "is a number that JSON cannot write (NaN, or beyond 1.8e308): correct the line",
            path=path,
        )
    if isinstance(value, Mapping):
        for key, item in value.items():
            check_numbers(item, path=join(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_numbers(item, path=f"{path}[{index}]")


def join(path: str, key: str) -> str:
    """Path of a field inside the message at `path`."""
    return f"{path}.{key}" if path else key


def as_mapping(value: Any, *, path: str) -> Mapping[str, Any]:
    """The value, if it is a JSON object."""
    if not isinstance(value, Mapping):
        raise ContractError(f"is {_kind(value)}, not an object", path=path or "event")
    return value


def as_list(value: Any, *, path: str) -> Sequence[Any]:
    """The value, if it is a JSON array."""
    if not isinstance(value, list):
        raise ContractError(f"is {_kind(value)}, not an array", path=path)
    return value


def required_text(message: Mapping[str, Any], key: str, *, path: str = "") -> str:
    """A field that must be a text with something in it."""
    if key not in message:
        raise ContractError("is missing", path=join(path, key))
    value = message[key]
    if not isinstance(value, str) or not value:
        raise ContractError(f"is {_kind(value)}, not a text", path=join(path, key))
    return value


def optional_text(message: Mapping[str, Any], key: str, *, path: str = "") -> str | None:
    """A field that may be absent, null or empty, and is a text otherwise."""
    value = message.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ContractError(f"is {_kind(value)}, not a text", path=join(path, key))
    return value


def s3_uri_of(message: Mapping[str, Any]) -> Any:
    """The S3 URI of a message, in the spelling of the service or of its sample code."""
    return message.get("s3Uri") or message.get("s3uri")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if value == "":
        return "empty"
    names = {bool: "a boolean", str: "a text", list: "an array", dict: "an object"}
    return names.get(type(value), "a number")
