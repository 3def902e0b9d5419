"""The commands of `labeljob`: a module each, loaded when its command is called."""

from __future__ import annotations

import importlib
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from labeljob.extras import EXTRA_OF, explain_missing

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter, Parameter

# Name, where it is (a function, or an app of several commands) and its line in the help.
COMMANDS = {
    "demo": ("demo:demo", "Run a job of each type on photographs that are here."),
    "manifest": ("manifest:manifest", "Make the input manifest of a job from images."),
    "labels": ("labels:labels", "Make the label category file of a job."),
    "run": ("run:run", "Run a whole job on this machine, with simulated workers."),
    "synthesize": ("synthesize:synthesize", "Write the files of a job with synthetic answers."),
    "portal": ("portal:app", "Let a private team label in a browser."),
    "team": ("team:app", "Add, remove and list the people who label in a portal."),
    "finish": ("finish:finish", "Write a finished job's manifest in the built-in shape."),
    "replay": ("replay:replay", "Consolidate a finished job again, and show what changes."),
    "report": ("report:report", "Write a page about a finished job and its workers."),
    "explain": ("explain:explain", "Show why a data object has its label."),
    "calibrate": ("calibrate:calibrate", "Fit confidences to labels whose truth is known."),
    "gold": ("gold:app", "Draw known objects, mix them in, score workers, take them out."),
    "requeue": ("requeue:requeue_objects", "Write the manifest of what should be labeled again."),
    "verified": ("verified:show_verified", "Write what a verification found right and wrong."),
    "pool": ("pool:pool_rounds", "Consolidate the answers of several rounds together."),
    "plan": ("plan:plan", "Estimate from a pilot what more or fewer workers gain."),
    "tables": ("tables:tables", "Write a job as tables of objects, answers and workers."),
    "export": ("export:export", "Write labels for training, or for another labeling tool."),
    "import": ("import_:import_command", "Make a finished job of Label Studio's or CVAT's export."),
    "doctor": ("doctor:doctor", "Check a planned job and its stack before it is created."),
    "request": ("request:request", "Print a job's CreateLabelingJob request."),
    "invoke": ("invoke:invoke", "Invoke a built function in Lambda's emulator."),
}

HEADINGS = {
    "demo": "Label",
    "finish": "Look at a finished job",
    "gold": "Further rounds",
    "tables": "Other formats and tools",
    "doctor": "Ground Truth and its functions",
}
"""What the help calls the commands from this one on."""

_WORDS = {"dir": "FOLDER", "file": "FILE", "float": "NUMBER", "int": "NUMBER", "path": "PATH"}
"""What the help calls values, by what Typer calls them."""


class LazyGroup(TyperGroup):
    """Commands that are loaded when they are called: their list needs none of them."""

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, Command | None, list[str]]:
        """The command that the arguments name, loaded, and what is left of them."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else command, rest

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the list of commands into the help, under `HEADINGS`."""
        width = max(map(len, COMMANDS))
        starts = [*map(list(COMMANDS).index, HEADINGS), len(COMMANDS)]
        rows = [(name.ljust(width), text) for name, (_, text) in COMMANDS.items()]
        for heading, (start, end) in zip(HEADINGS.values(), pairwise(starts), strict=True):
            with formatter.section(heading):
                formatter.write_dl(rows[start:end])

    def invoke(self, ctx: Context) -> object:
        """Run the command; a value that cannot be read is said without Pydantic's own words.

        Where a module is missing that an extra brings, it is said how to get that.
        """
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            module = (error.name or "").partition(".")[0]
            if module not in EXTRA_OF:
                raise
            command = f"{ctx.command_path} {ctx.invoked_subcommand}"
            typer.echo(f"error: {explain_missing(module, command)}", err=True)
            raise typer.Exit(1) from error
        except typer.BadParameter as error:
            error.message = error.message.replace("Value error, ", "")
            raise


def load_command(name: str) -> Command:
    """The command of a name in `COMMANDS`, from its module."""
    from labeljob.commands.defaults import ConfiguredCommand

    module, _, attribute = COMMANDS[name][0].partition(":")
    target = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
    if not isinstance(target, typer.Typer):
        # As plain text: Rich takes "[default: the job's]" for markup, and leaves it out.
        function, target = target, typer.Typer(add_completion=False, rich_markup_mode=None)
        target.command(name, cls=ConfiguredCommand)(function)
    command = typer.main.get_command(target)
    for one in (command, *getattr(command, "commands", {}).values()):
        text, example, line = (one.help or "").partition("Example: ")
        if example:  # \b keeps it in one line, to be copied
            one.help = f"{text}\b\n{example}{' '.join(line.split())}"
        for parameter in one.params:
            _name_value(parameter)
    return command


def _name_value(parameter: Parameter) -> None:
    """Have the help say FILE and NUMBER, where Typer says <file> and <int range>."""
    if isinstance(parameter, TyperArgument):
        vars(parameter)["display_type_rich"] = lambda ctx: None  # its name says what it is
    elif isinstance(parameter, TyperOption) and not (parameter.is_flag or parameter.metavar):
        kind = parameter.type_descriptor
        if not kind.is_choice:
            shown = kind.ranged_type_name if kind.is_ranged else parameter.bare_type()
            parameter.metavar = _WORDS.get(kind.path_type if kind.is_path else shown, "TEXT")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"labeljob {version('groundtruth-consolidation')}")
        raise typer.Exit


app = typer.Typer(
    name="labeljob",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _name, (_, _help) in COMMANDS.items():
    app.command(_name, help=_help)(lambda: None)


@app.callback()
def labeljob(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Run, check and prepare Ground Truth labeling jobs on one machine."""
