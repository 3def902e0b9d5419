"""`labeljob.toml`: defaults of options, of the working folder and of a job."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperOption

if TYPE_CHECKING:
    from typer._click import Context

FILE = "labeljob.toml"

_JOBS = ("job", "jobs", "source", "manifest")
"""Parameters that may name a job, or what it is made of."""


@dataclass(frozen=True)
class _Default:
    option: str  # as the command line has it
    value: Any
    file: Path


class ConfiguredCommand(TyperCommand):
    """A command whose options may have defaults in `FILE`.

    It is read in the working folder, beside the job that the command line names, and in the job's
    own folder; the last one that names an option counts, and the command line before them all.
    """

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read the command line, and the defaults of what it leaves out."""
        if ctx.resilient_parsing or "--help" in args:
            return super().parse_args(ctx, args)
        defaults = self._read_defaults(ctx, args)
        ctx.default_map = {name: default.value for name, default in defaults.items()}
        try:
            rest = super().parse_args(ctx, args)
        except typer.BadParameter as error:
            name = error.param.name if error.param else None
            if name in defaults and ctx.default_map[name] == defaults[name].value:
                error.message += f" (in {defaults[name].file}, unless the command line gives it)"
            raise
        for name, default in defaults.items():
            source = ctx.get_parameter_source(name)
            if source and source.name == "DEFAULT_MAP":
                typer.echo(f"note: {default.option} {default.value} from {default.file}", err=True)
        return rest

    def _read_defaults(self, ctx: Context, args: list[str]) -> dict[str, _Default]:
        """Defaults by the names of the command's parameters."""
        files = [file for file in self._find_files(ctx, args) if file.is_file()]
        options = {
            name.removeprefix("--"): option
            for option in self.params
            if isinstance(option, TyperOption)
            for name in option.opts
            if name.startswith("--")
        }
        words = ctx.command_path.split()[1:]
        group = getattr(ctx.parent.command, "commands", ()) if ctx.parent and words[1:] else ()
        found = {}
        for file in files:
            for key, value in _read_table(file, words, set(options), set(group)).items():
                option = options[key]
                if (value is True or value is False) != bool(option.is_flag):
                    what = "true or false" if option.is_flag else "a value"
                    raise typer.BadParameter(f"{key} is {value!r}, not {what}", param=option)
                found[option.name] = _Default(f"--{key}", _to_words(value, option), file)
        return found

    def _find_files(self, ctx: Context, args: list[str]) -> Iterator[Path]:
        yield Path(FILE)
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for name in _JOBS:
            value = given.get(name)
            for text in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(text, str) and Path(text).exists():
                    path = Path(text).absolute()
                    if path.parent != Path.cwd():
                        yield path.parent / FILE
                    if path != Path.cwd():
                        yield path / FILE


def _to_words(value: Any, option: TyperOption) -> Any:
    """A value as the command line would have it."""
    if option.is_flag:
        return value
    values = [str(item) for item in (value if isinstance(value, list) else [value])]
    return values if option.multiple else ",".join(values)


def _read_table(file: Path, words: list[str], options: set[str], group: set[str]) -> dict[str, Any]:
    """What a file says of a command: its own table, over what stands before all tables.

    `group` are the commands that begin with the same word, if that is none by itself.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from error
    common = {key: value for key, value in document.items() if not isinstance(value, dict)}
    own: Any = document
    for number, word in enumerate(words, 1):
        own = own.get(word, {})
        if not isinstance(own, dict):
            table = ".".join(words[:number])
            raise typer.BadParameter(
                f"{file}: {table} is a command: its options stand in [{table}]"
            )
        known = options if number == len(words) else group
        for key in own.keys() - known:
            table, names = ".".join(words[:number]), ", ".join(sorted(known))
            raise typer.BadParameter(f"{file}: [{table}] has no {key}; it has {names}")
    _check_names(file, document, common.keys() - options)
    return {key: value for key, value in {**common, **own}.items() if key in options}


def _check_names(file: Path, document: Mapping[str, Any], keys: set[str]) -> None:
    """Refuse a table of no command, and keys that are no option of any."""
    from labeljob.commands import COMMANDS, load_command

    for name, value in document.items():
        if isinstance(value, dict) and name not in COMMANDS:
            raise typer.BadParameter(f"{file}: [{name}] is no command; see labeljob --help")
    if keys:
        commands = [load_command(name) for name in COMMANDS]
        commands += [part for one in commands for part in getattr(one, "commands", {}).values()]
        known = {name[2:] for one in commands for option in one.params for name in option.opts}
        for key in sorted(keys - known):
            raise typer.BadParameter(f"{file}: {key} is no option of any command")
