"""`labeljob tables`: a job as tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from labeljob.commands.options import JobOptions, output_option, takes_options


@dataclass(frozen=True, kw_only=True)
class TablesOptions(JobOptions):
    """Options of `labeljob tables`."""

    output: Annotated[Path, output_option("Where the tables go.", "FOLDER", file_okay=False)] = (
        Path("tables")
    )


@takes_options
def tables(options: TablesOptions) -> None:
    """Write a job as tables in Parquet and CSV: objects, answers, workers, pairs of workers.

    Unusable answers are rows too, with the reason. The docs list the columns.

    Example: labeljob tables birds-job -o tables
    """
    from labeljob.actions import tables as action

    action.tables(options)
