"""`labeljob tables`: a job as tables."""

from __future__ import annotations

from labeljob import messages
from labeljob.actions.reading import (
    open_job,
    print_attribute,
    print_read_errors,
    read_all_annotations,
)
from labeljob.commands.tables import TablesOptions
from labeljob.formats.tables import TABLES, write_tables


def tables(options: TablesOptions) -> None:
    """Do what `labeljob tables` does."""
    job = open_job(options, needs_answers=False)
    annotations = read_all_annotations(job)
    with messages.show_progress("Writing tables", len(TABLES)) as advance:
        counts = write_tables(job, annotations, options.output, advance=advance)
    files = {name: options.output / f"{name}.parquet" for name in counts}
    if options.as_json:
        result = {
            "job": job.name,
            "tables": {name: str(file) for name, file in files.items()},
            "csv": {name: str(file.with_suffix(".csv")) for name, file in files.items()},
            "rows": counts,
            "damage": job.damage.as_json(),
        }
        messages.print_json(result, ascii_only=True)
        return
    print_read_errors(job.damage)
    print_attribute(job)
    for name, count in counts.items():
        messages.done(f"{count:>8} rows  {files[name]} and {name}.csv")
