"""Worker pages: a Liquid template and a task input become the HTML that a worker sees.

Ground Truth renders the page of ``UiTemplateS3Uri`` for each task. This module does the same on
one machine, with the filters that AWS documents ("Adding automation with Liquid"): `escape`,
`escape_once`, `skip_autoescape`, `to_json` and `grant_read_access`, on top of Shopify's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from pathlib import Path
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

    def __init__(self, problem: str, *, line: int | None, name: str = "worker page") -> None:
        super().__init__(f"{name}, line {line}: {problem}" if line else f"{name}: {problem}")
        self.line = line


class WorkerPage:
    """A worker page's template, parsed once and rendered for each task.

    Values are HTML-escaped unless `skip_autoescape` says otherwise. An unknown filter is an
    error, and so is a variable that the task input does not have, unless the page only asks
    whether it is there (``{% if %}``, ``| default:``).

    `name` is the template's file, which errors name. Raises `PageError` if it cannot be parsed.

    Examples
    --------
    >>> page = WorkerPage('<img src="{{ task.input.taskObject | grant_read_access }}">')
    >>> task_input = {"taskObject": "s3://bucket/cat.jpg"}
    >>> page.render(task_input, grant_read_access=lambda uri: f"/store/{uri[5:]}")
    '<img src="/store/bucket/cat.jpg">'
    """

    def __init__(self, template: str, *, name: str = "worker page") -> None:
        self._text = template
        self._name = name
        try:
            self._page = _environment().from_string(template)
        except LiquidError as error:
            raise self._error(error) from error

    def render(
        self, task_input: Mapping[str, Any], *, grant_read_access: Callable[[str], str]
    ) -> str:
        """Render a worker page to HTML as Ground Truth would; raises `PageError`."""
        token = _granting.set(grant_read_access)
        try:
            return self._page.render(task={"input": task_input})
        except LiquidError as error:
            raise self._error(error) from error
        finally:
            _granting.reset(token)

    def check(self, task_input: Mapping[str, Any]) -> None:
        """Raise `PageError` if the page of a task cannot be rendered."""
        self.render(task_input, grant_read_access=lambda uri: uri)

    def _error(self, error: LiquidError) -> PageError:
        problem = str(error.message)
        if isinstance(error, TemplateNotFoundError):
            problem = f"a page is one file and cannot include {problem}"
        return PageError(problem, line=_line_of(error, self._text), name=self._name)


def read_template(path: Path) -> WorkerPage:
    """The page of a template file; raises `PageError` if it cannot be read or parsed."""
    try:
        return WorkerPage(path.read_text(encoding="utf-8"), name=str(path))
    except OSError as error:
        raise PageError(f"cannot be read ({error.strerror})", line=None, name=str(path)) from error
    except UnicodeDecodeError as error:
        raise PageError("is not UTF-8 text", line=None, name=str(path)) from error


def render_page(
    template: str, task_input: Mapping[str, Any], *, grant_read_access: Callable[[str], str]
) -> str:
    """Render a page once, as `WorkerPage` does; raises `PageError`."""
    return WorkerPage(template).render(task_input, grant_read_access=grant_read_access)


_granting: ContextVar[Callable[[str], str]] = ContextVar("grant_read_access")


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=FalsyStrictUndefined)
    for name in _FILTERS_OF_THE_PYTHON_LIBRARY_ALONE:
        del environment.filters[name]
    environment.add_filter("grant_read_access", lambda value: _granting.get()(_s3_uri(value)))
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
