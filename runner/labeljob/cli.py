"""The `labeljob` command line."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from labeljob.commands import (
    calibrate,
    demo,
    doctor,
    explain,
    export,
    finish,
    gold,
    import_,
    invoke,
    labels,
    manifest,
    plan,
    pool,
    replay,
    report,
    request,
    requeue,
    run,
    synthesize,
    tables,
)

app = typer.Typer(
    name="labeljob",
    help="Run, check and prepare Ground Truth labeling jobs on one machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("manifest")(manifest.manifest)
app.command("labels")(labels.labels)
app.command("run")(run.run)
app.command("finish")(finish.finish)
app.command("replay")(replay.replay)
app.command("report")(report.report)
app.command("explain")(explain.explain)
app.command("calibrate")(calibrate.calibrate)
app.command("synthesize")(synthesize.synthesize)
app.add_typer(gold.app, name="gold")
app.command("requeue")(requeue.requeue_objects)
app.command("pool")(pool.pool_rounds)
app.command("plan")(plan.plan)
app.command("tables")(tables.tables)
app.command("export")(export.export)
app.command("import")(import_.import_command)
app.command("doctor")(doctor.doctor)
app.command("request")(request.request)
app.command("invoke")(invoke.invoke)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"labeljob {version('groundtruth-consolidation')}")
        raise typer.Exit


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


def main() -> None:
    """Run the command line."""
    app()
