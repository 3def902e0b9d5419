"""The `labeljob` command line."""

from __future__ import annotations

import typer

from labeljob.commands import (
    calibrate,
    demo,
    doctor,
    explain,
    finish,
    invoke,
    labels,
    manifest,
    replay,
    report,
    request,
    run,
    synthesize,
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
app.command("doctor")(doctor.doctor)
app.command("request")(request.request)
app.command("invoke")(invoke.invoke)


def main() -> None:
    """Run the command line."""
    app()
