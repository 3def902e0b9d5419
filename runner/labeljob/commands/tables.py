"""`labeljob tables`: a job as Parquet tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.formats.tables import TABLES, write_tables
from labeljob.formats.target import extra
from labeljob.history.annotations import read_annotations

Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FOLDER", file_okay=False, help="Where the tables go."),
]


def tables(
    job: given.Job,
    output: Output = Path("tables"),
    task: given.Task = None,
    labels: given.Labels = None,
    attribute: given.Attribute = None,
    endpoint_url: given.Endpoint = None,
    as_json: given.AsJson = False,
) -> None:
    """Write a job as Parquet tables: objects, answers, workers and pairs of workers.

    Unusable answers are rows too, with the reason. The docs list the columns.

    Example: labeljob tables birds-job -o tables
    """
    with messages.problems_told():
        extra("pyarrow.parquet")
        found = given.opened(
            job, task=task, labels=labels, attribute=attribute, endpoint_url=endpoint_url
        )
        with given.bar("Reading answers", len(found.object_ids())) as advance:
            objects = list(read_annotations(found, advance=advance))
        with given.bar("Writing tables", len(TABLES)) as advance:
            counts = write_tables(found, objects, output, advance=advance)
    if as_json:
        result = {
            "job": found.name,
            "tables": {name: str(output / f"{name}.parquet") for name in counts},
            "rows": counts,
            "damage": found.damage.as_json(),
        }
        typer.echo(json.dumps(result, indent=2))
        return
    given.tell_damage(found.damage)
    for name, count in counts.items():
        messages.done(f"{count:>8} rows  {output / f'{name}.parquet'}")
