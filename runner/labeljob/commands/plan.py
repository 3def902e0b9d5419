"""`labeljob plan`: what more or fewer workers would cost and gain."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import typer

from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.history.annotations import read_annotations
from labeljob.rounds.planning import LEAD, MOST_WORKERS, Estimate, Plan, estimate_plans, list_plans
from labeljob.simulation.truth import TruthError
from labeljob.task_types import TaskType

REPLAYS = 200
MASK_REPLAYS = 10

Price = Annotated[
    float | None, typer.Option(min=0, help="Dollars for one answer; adds costs to the table.")
]
Objects = Annotated[
    int | None,
    typer.Option(min=1, help="Data objects the costs are for. [default: those of the pilot]"),
]
Most = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_WORKERS,
        help="Workers at most. [default: 9; without single labels, what the pilot has]",
    ),
]
Lead = Annotated[int, typer.Option(min=1, max=8, help="Votes of the first class over the second.")]
Replays = Annotated[
    int | None,
    typer.Option(min=1, help=f"Random orders. [default: {REPLAYS}; for masks {MASK_REPLAYS}]"),
]
Seed = Annotated[int, typer.Option(help="Decides the random orders.")]


def plan(
    pilot: given.Job,
    price: Price = None,
    objects: Objects = None,
    most: Most = None,
    lead: Lead = LEAD,
    truth: given.TruthFile = None,
    replays: Replays = None,
    seed: Seed = 0,
    task: given.Task = None,
    labels: given.Labels = None,
    attribute: given.Attribute = None,
    endpoint_url: given.Endpoint = None,
    as_json: given.AsJson = False,
) -> None:
    """Estimate from a pilot's answers what 1 to 9 workers cost and gain, and a growing number.

    The pilot's answers are put into random order again and again, and consolidated by majority.
    Labels are judged by --truth, or else by what all the pilot's answers say together.

    Example: labeljob plan birds-job --price 0.012 --objects 20000 --truth true_labels.json
    """
    # The first statement, so that these are the options and nothing else.
    options = SimpleNamespace(**locals())
    with messages.problems_told(TruthError):
        result = _planned(options)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2, ensure_ascii=False))
    else:
        _report(result)


class _Planned(SimpleNamespace):
    """The estimates, and what they were made of."""

    job: Any
    estimates: list[Estimate]
    price: float | None
    objects: int
    against: str
    replays: int

    def rows(self) -> list[dict[str, Any]]:
        single = self.estimates[0]
        return [
            one.as_json(price=self.price, objects=self.objects, single=single)
            for one in self.estimates
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "job": self.job.name,
            "task": self.job.task.value,
            "judged-by": self.against,
            "replays": self.replays,
            "objects": self.objects,
            "price": self.price,
            "plans": self.rows(),
            "damage": self.job.damage.as_json(),
        }


def _planned(options: SimpleNamespace) -> _Planned:
    found = given.opened_by(options, options.pilot)
    truths = given.truths_of(found, options.truth)
    with given.bar("Reading answers", len(found.object_ids())) as advance:
        objects = list(read_annotations(found, advance=advance))
    in_pilot = max((len(one.workers) for one in objects), default=1)
    plans = _plans(found.task, options.most, options.lead, max(1, in_pilot))
    replays = options.replays or (REPLAYS if found.task.classifies else MASK_REPLAYS)
    with given.bar("Replaying", replays) as advance:
        estimates = estimate_plans(
            objects,
            found.task,
            found.unit_classes,
            plans,
            truths=truths,
            replays=replays,
            rng=np.random.default_rng(options.seed),
            advance=advance,
        )
    return _Planned(
        job=found,
        estimates=estimates,
        price=options.price,
        objects=options.objects or len(objects),
        against="truth" if truths else "the label of all the pilot's answers",
        replays=replays,
    )


def _plans(task: TaskType, most: int | None, lead: int, in_pilot: int) -> list[Plan]:
    """All plans; those with a lead also with no more workers than the pilot has."""
    single = task.single_choice
    most = most or (MOST_WORKERS if single else min(MOST_WORKERS, in_pilot))
    plans = list_plans(task, most=most, lead=lead)
    if in_pilot < most:
        plans += [Plan(p.start, p.lead, in_pilot) for p in plans if p.lead and p.start < in_pilot]
    return plans


def _report(result: _Planned) -> None:
    given.tell_damage(result.job.damage)
    headings = ["plan", "answers each", "quality", "95 % interval", "gain over one"]
    if result.price is not None:
        headings += [f"cost of {result.objects}", "one more right costs"]
    shown = [_row(values) for values in result.rows()]
    messages.table(f"Judged by {result.against}", tuple(headings), shown)
    if any(one.extrapolated for one in result.estimates):
        messages.note("* needs more answers than the pilot has: those are drawn from a model")
    if not result.job.task.classifies:
        messages.note("masks have no lead to add workers by; the quality is the mean IoU")


def _row(values: dict[str, Any]) -> tuple[str, ...]:
    low, high = values["interval"]
    row = [
        values["plan"] + (" *" if values["extrapolated"] else ""),
        f"{values['answers-per-object']:.2f}",
        f"{values['quality']:.3f}",
        f"{low:.3f} to {high:.3f}",
        f"{values['gain-over-one-worker']:+.3f}",
    ]
    if "cost" in values:
        right = values["cost-of-one-more-right"]
        row += [f"${values['cost']:.2f}", "-" if right is None else f"${right:.4f}"]
    return tuple(row)
