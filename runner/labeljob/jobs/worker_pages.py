"""Worker pages: a Liquid template and a task input become the HTML that a worker sees.

Ground Truth renders the page of ``UiTemplateS3Uri`` for each task. This module does the same on
one machine, with the filters that AWS documents ("Adding automation with Liquid"): `escape`,
`escape_once`, `skip_autoescape`, `to_json` and `grant_read_access`, on top of Shopify's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from liquid import Environment, FalsyStrictUndefined, Markup
from liquid.exceptions import (
    FilterArgumentError,
    LiquidError,
    TemplateNotFoundError,
    UndefinedError,
)
from liquid.undefined import is_undefined

from groundtruth.errors import GroundTruthError

_FILTERS_OF_THE_PYTHON_LIBRARY_ALONE = ("safe", "escapejs")


class PageError(GroundTruthError):
    """A worker page cannot be rendered; the text names the line and what is wrong there.

    Attributes
    ----------
    line : int or None
        Line of the template, from 1, where it is known.
    """

    def __init__(self, problem: str, *, line: int | None) -> None:
        super().__init__(
            f"worker page, line {line}: {problem}" if line else f"worker page: {problem}"
        )
        self.line = line


def render_page(
    template: str, task_input: Mapping[str, Any], *, grant_read_access: Callable[[str], str]
) -> str:
    """Render a worker page to HTML as Ground Truth would; raises `PageError`.

    Values are HTML-escaped unless `skip_autoescape` says otherwise. An unknown filter is an
    error, and so is a variable that the task input does not have, unless the page only asks
    whether it is there (``{% if %}``, ``| default:``).

    Examples
    --------
    >>> page = '<img src="{{ task.input.taskObject | grant_read_access }}">'
    >>> task_input = {"taskObject": "s3://bucket/cat.jpg"}
    >>> render_page(page, task_input, grant_read_access=lambda uri: f"/store/{uri[5:]}")
    '<img src="/store/bucket/cat.jpg">'
    """
    try:
        page = _environment(grant_read_access).from_string(template)
        return page.render(task={"input": task_input})
    except TemplateNotFoundError as error:
        problem = f"a page is one file and cannot include {error.message}"
        raise PageError(problem, line=_line_of(error, template)) from error
    except LiquidError as error:
        raise PageError(str(error.message), line=_line_of(error, template)) from error


def _environment(grant_read_access: Callable[[str], str]) -> Environment:
    environment = Environment(autoescape=True, undefined=FalsyStrictUndefined)
    for name in _FILTERS_OF_THE_PYTHON_LIBRARY_ALONE:
        del environment.filters[name]

    def granted(value: object) -> str:
        return grant_read_access(_s3_uri(value))

    environment.add_filter("grant_read_access", granted)
    environment.add_filter("skip_autoescape", _skip_autoescape)
    environment.add_filter("to_json", _to_json)
    return environment


def _s3_uri(value: object) -> str:
    _must_be_defined(value)
    if not isinstance(value, str) or not value:
        raise FilterArgumentError("grant_read_access takes the URI of an image", token=None)
    return str(value)


def _skip_autoescape(value: object) -> Markup:
    _must_be_defined(value)
    return Markup(str(value))


def _to_json(value: object) -> str:
    _must_be_defined(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=_jsonable)
    except (TypeError, ValueError) as error:
        raise FilterArgumentError(
            f"to_json cannot write this as JSON: {error}", token=None
        ) from error


def _jsonable(value: object) -> Any:
    _must_be_defined(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, range):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _must_be_defined(value: object) -> None:
    if isinstance(value, FalsyStrictUndefined) and is_undefined(value):
        raise UndefinedError(value.msg, token=value.token)


def _line_of(error: LiquidError, template: str) -> int | None:
    if error.token is None or error.token.start_index < 0:
        return None
    return template.count("\n", 0, error.token.start_index) + 1
