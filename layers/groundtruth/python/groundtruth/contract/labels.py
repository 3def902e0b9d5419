"""The label category file (`LabelCategoryConfigS3Uri`)."""

from __future__ import annotations

from typing import Any

from groundtruth.contract.fields import as_list, as_mapping, embedded_json, join, required_text
from groundtruth.errors import ContractError

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
            as_mapping(item, path=f"{labels_path}[{at}]"), "label", path=f"{labels_path}[{at}]"
        )
        for at, item in enumerate(as_list(message["labels"], path=labels_path))
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
    for at, name in enumerate(as_list(names, path=path)):
        if not isinstance(name, str) or not name:
            raise ContractError("is not the name of a label", path=f"{path}[{at}]")
        if len(name) > MAX_NAME_LENGTH:
            raise ContractError(
                f"has {len(name)} characters, {MAX_NAME_LENGTH} at most", path=f"{path}[{at}]"
            )
        if name in checked:
            raise ContractError(f"{name!r} is there twice", path=f"{path}[{at}]")
        checked.append(name)
    if not checked:
        raise ContractError("names no label", path=path)
    return tuple(checked)


def label_category_file(names: list[str]) -> dict[str, Any]:
    """The content of a label category file for these names."""
    return {"document-version": DOCUMENT_VERSION, "labels": [{"label": name} for name in names]}
