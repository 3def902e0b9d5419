"""The option that names a job type; its choices are those that are registered."""

from __future__ import annotations

from typing import Any

import typer

from labeljob.tasks.base import JobType
from labeljob.tasks.registry import JOB_TYPES, find_job_type


def job_type_option(text: str, *names: str, **more: Any) -> Any:
    """The option, with its choices in the help and in the shell's completion.

    Parameters
    ----------
    text : str
        What it is for.
    *names : str
        Such as ``--task``; the parameter's name if left out.
    **more
        What else `typer.Option` takes.
    """
    return typer.Option(
        *names,
        help=text,
        metavar=f"<{'|'.join(JOB_TYPES)}>",
        parser=_parse,
        autocompletion=lambda: list(JOB_TYPES),
        **more,
    )


def _parse(value: str | JobType) -> JobType:
    """Also takes the type itself, which is what a default is."""
    return value if isinstance(value, JobType) else find_job_type(value)
