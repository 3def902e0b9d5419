"""Options that several commands share, and how a command takes its options as one dataclass."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import shlex
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from groundtruth.tasks.registry import TASKS

if TYPE_CHECKING:
    from labeljob.tasks.base import JobType as JobType
else:
    JobType = Any
    """Typer reads the annotations of options; job types, and NumPy with them, it must not load."""

Options = TypeVar("Options")


def takes_options(function: Callable[[Options], None]) -> Callable[..., None]:
    """Make a function of one frozen dataclass, its parameter `options`, a command of Typer's.

    Each field of the dataclass is an option or an argument: its annotation says which. They
    appear in the order in which the class names them; what it inherits without naming comes last.
    A `GroundTruthError` ends the command with its text, in one line.
    """
    options_type: Any = get_type_hints(function)["options"]
    annotations = get_type_hints(options_type, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(options_type) if field.init}
    names = dict.fromkeys(
        name for base in options_type.__mro__ for name in inspect.get_annotations(base)
    )

    @functools.wraps(function)
    def command(**values: Any) -> None:
        from labeljob import messages  # here, since it loads Rich

        with messages.exit_on_error():
            function(options_type(**values))

    signature = inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_default(fields[name]),
                annotation=annotations[name],
            )
            for name in names
            if name in fields
        ]
    )
    vars(command)["__signature__"] = signature
    return command


def _default(field: dataclasses.Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default


def file_option(help_text: str, *names: str, **more: Any) -> Any:
    """An option that names an existing file; it is called as the field unless names are given."""
    return typer.Option(*names, metavar="FILE", exists=True, dir_okay=False, help=help_text, **more)


def job_type_option(text: str, *names: str, **more: Any) -> Any:
    """An option that names a job type; its choices, which help and completion list, are registered.

    `text` is the help; `names` such as ``--task``, the field's if left out; `more` is Typer's.
    """
    return typer.Option(
        *names,
        help=text,
        metavar=f"<{'|'.join(TASKS)}>",
        parser=_parse_job_type,
        autocompletion=lambda: list(TASKS),
        **more,
    )


def _parse_job_type(value: str) -> JobType:
    from labeljob.tasks.registry import UnknownJobTypeError, find_job_type

    try:
        return find_job_type(value)
    except UnknownJobTypeError as error:
        raise typer.BadParameter(str(error)) from error


def algorithm_option(default: str) -> Any:
    """The option ``--algorithm``: of all job types together, as the type may be in the files."""
    return typer.Option(
        help=f"How answers are consolidated. [default: {default}]",
        metavar=f"<{'|'.join(_list_algorithms())}>",
        parser=_parse_algorithm,
        autocompletion=_list_algorithms,
    )


def _list_algorithms() -> list[str]:
    return list(dict.fromkeys(name for task in TASKS.values() for name in task.algorithms))


def _parse_algorithm(value: str) -> str:
    if value not in _list_algorithms():
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(_list_algorithms())}")
    return value


def output_option(help_text: str, metavar: str | None = None, **more: Any) -> Any:
    """The option ``--output`` or ``-o``."""
    return typer.Option("--output", "-o", metavar=metavar, help=help_text, **more)


Job = Annotated[
    str,
    typer.Argument(
        metavar="JOB",
        help="The job's folder, with its manifests/ and annotations/, or that folder in S3.",
        show_default=False,
    ),
]
Task = Annotated[JobType | None, job_type_option("Job type. [default: what the labels are]")]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|NAMES",
        help="Label category file, or names with commas. [default: what the labels tell]",
    ),
]
Attribute = Annotated[str | None, typer.Option(help="Label attribute name. [default: the job's]")]
AnswerField = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="The form's own input that carries the label, such as a select; or several inputs, "
        "with blanks between them. [default: the job's]",
    ),
]
Endpoint = Annotated[str | None, typer.Option(help="S3 server, if it is not AWS's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")]
Algorithm = Annotated[str | None, algorithm_option("the job's, else the job type's")]
NewAlgorithm = Annotated[str | None, algorithm_option("the job type's")]
Truth = Annotated[
    Path | None, file_option("True labels, to score against: JSON Lines, JSON or CSV.", "--truth")
]
LabelManifest = Annotated[
    Path | None,
    file_option("Manifest of a replay or a pool, whose labels count instead of the job's."),
]
Images = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder with copies of the job's images. [default: where the job and its manifest "
        "say]",
    ),
]
BatchSize = Annotated[
    int, typer.Option(min=1, max=50, help="Data objects per call of the ACS function.")
]


class EngineName(StrEnum):
    """Where a whole job is consolidated."""

    PROCESSES = "processes"
    DASK = "dask"
    RAY = "ray"
    AWS = "aws"


On = Annotated[
    EngineName,
    typer.Option(
        "--on",
        help="Where it is consolidated: in processes of this machine, on a Dask or Ray cluster "
        "(the extras dask and ray), or in the stack on AWS.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Processes that are started on this machine. [default: one a core]"),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="A Dask or Ray cluster that runs already, such as tcp://10.0.0.7:8786 or "
        "10.0.0.7:6379: its machines need the same version of labeljob, and read and write the "
        "same files. With --on aws: the name of the stack. [default: a cluster is started on "
        "this machine]"
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Decides every random choice.")]
NewTask = Annotated[JobType, job_type_option("What workers are asked to do.", show_default=False)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How finished jobs are read."""

    task: Task = None
    labels: Labels = None
    attribute: Attribute = None
    answer_field: AnswerField = None
    endpoint_url: Endpoint = None
    as_json: AsJson = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobOptions(ReadingOptions):
    """A finished job, and how it is read."""

    job: Job


def quote_command(options: JobOptions, command: str, *arguments: str) -> str:
    """A command about the same job for a shell, with the same job type, attribute and server."""
    read_as = {
        "--task": options.task and options.task.name,
        "--attribute": options.attribute,
        "--answer-field": options.answer_field,
        "--endpoint-url": options.endpoint_url,
    }
    given = [text for name, value in read_as.items() if value for text in (name, value)]
    return shlex.join(["labeljob", *command.split(), options.job, *arguments, *given])
