"""Fields of a JSON message, with the place in the error, and the label category file.

What reads a field takes the message, the key and the path of the message from the root (empty
for the root itself) and returns the value or raises `ContractError` at ``path.key``.
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


def compact_json(value: Any) -> str:
    """JSON on one line without blanks, as the service writes manifests."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))  # half a character has no UTF-8
    return text


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


DOCUMENT_VERSION = "2018-11-28"
MAX_NAME_LENGTH = 256


def parse_label_categories(body: bytes | str, *, path: str) -> tuple[str, ...]:
    """Names of the classes, in the file's order.

    Parameters
    ----------
    body : bytes or str
        The file: ``{"document-version": "2018-11-28", "labels": [{"label": "cat"}, …]}``.
        Only ``labels[].label`` is read; other keys may be there.
    path : str
        What the file is called in an error, such as its S3 URI.

    Raises
    ------
    ContractError
        If it is not JSON of that shape, or a name is missing, too long or there twice.
    """
    message = as_mapping(embedded_json(body, path=path), path=path)
    labels_path = join(path, "labels")
    if "labels" not in message:
        raise ContractError("is missing", path=labels_path)
    names = [
        required_text(
            as_mapping(item, path=f"{labels_path}[{index}]"),
            "label",
            path=f"{labels_path}[{index}]",
        )
        for index, item in enumerate(as_list(message["labels"], path=labels_path))
    ]
    return checked_labels(names, path=labels_path)


def is_label_name(name: str) -> bool:
    """Whether a text can be a label's name: 1 to 256 characters that can be written as UTF-8.

    Examples
    --------
    >>> is_label_name("Blässhuhn"), is_label_name(""), is_label_name("x" * 257)
    (True, False, False)
    """
    halves = any("\ud800" <= character <= "\udfff" for character in name)
    return 0 < len(name) <= MAX_NAME_LENGTH and not halves


def checked_labels(names: Any, *, path: str) -> tuple[str, ...]:
    """The names, if they are a list of distinct texts of at most 256 characters.

    Raises
    ------
    ContractError
        If there is none, or one is not a text, empty, too long or there twice.
    """
    checked: list[str] = []
    for index, name in enumerate(as_list(names, path=path)):
        if not isinstance(name, str) or not name:
            raise ContractError("is not the name of a label", path=f"{path}[{index}]")
        if len(name) > MAX_NAME_LENGTH:
            raise ContractError(
                f"has {len(name)} characters, {MAX_NAME_LENGTH} at most", path=f"{path}[{index}]"
            )
        if name in checked:
            raise ContractError(f"{name!r} is there twice", path=f"{path}[{index}]")
        checked.append(name)
    if not checked:
        raise ContractError("names no label", path=path)
    return tuple(checked)


def label_category_file(names: list[str]) -> dict[str, Any]:
    """The content of a label category file for these names."""
    return {"document-version": DOCUMENT_VERSION, "labels": [{"label": name} for name in names]}
