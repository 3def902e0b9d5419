"""`labeljob plan`: what more or fewer workers would cost and gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from labeljob.commands import options as shared
from labeljob.commands.options import JobOptions, takes_options
from labeljob.rounds import LEAD, MOST_WORKERS

REPLAYS = 200
MASK_REPLAYS = 10


@dataclass(frozen=True, kw_only=True)
class PlanOptions(JobOptions):
    """Options of `labeljob plan`."""

    price: Annotated[
        float | None, typer.Option(min=0, help="Dollars for one answer; adds costs to the table.")
    ] = None
    objects: Annotated[
        int | None,
        typer.Option(min=1, help="Data objects the costs are for. [default: those of the pilot]"),
    ] = None
    most: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_WORKERS,
            help="Workers at most. [default: 9; without single labels, what the pilot has]",
        ),
    ] = None
    lead: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="Where workers are asked one by one: stop when the first class has so many votes "
            f"more than the second. [default: {LEAD}]",
        ),
    ] = None
    truth: shared.Truth = None
    goal: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Quality that is wanted: the cheapest plan that reaches it is recommended. "
            "[default: what is within 0.01 of the best]",
        ),
    ] = None
    as_csv: shared.AsCsv = False
    replays: Annotated[
        int | None,
        typer.Option(min=1, help=f"Random orders. [default: {REPLAYS}; for masks {MASK_REPLAYS}]"),
    ] = None
    seed: Annotated[int, typer.Option(min=0, help="Decides the random orders.")] = 0


@takes_options
def plan(options: PlanOptions) -> None:
    """Estimate from a pilot's answers what 1 to 9 workers for each object cost and gain.

    Asking one worker after the other until they agree is estimated too. The pilot's answers are
    put into random order again and again, and consolidated by majority.
    Labels are judged by --truth, or else by what all the pilot's answers say together.
    For single labels it is told, too, what known objects, drawn at random, would do.
    The last lines recommend a plan.

    Example: labeljob plan birds-job --price 0.012 --objects 20000 --truth true_labels.json
    """
    from labeljob.actions import plan as action

    action.plan(options)
