"""`labeljob plan`: what more or fewer workers would cost and gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer

from labeljob import messages
from labeljob.commands import options as shared
from labeljob.commands.options import JobOptions, quote_command, takes_options
from labeljob.commands.reading import open_job, print_read_errors, read_all_annotations, read_truth
from labeljob.history.job import JobOnFile
from labeljob.jobs.description import JobError
from labeljob.rounds.class_frequencies import (
    DRAWS,
    MEASURED,
    GoldAdvice,
    GoldGain,
    advise_gold_for,
)
from labeljob.rounds.planning import LEAD, MOST_WORKERS, Estimate, Plan, estimate_plans, list_plans
from labeljob.tasks.base import JobType

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
    replays: Annotated[
        int | None,
        typer.Option(min=1, help=f"Random orders. [default: {REPLAYS}; for masks {MASK_REPLAYS}]"),
    ] = None
    seed: Annotated[int, typer.Option(help="Decides the random orders.")] = 0


@takes_options
def plan(options: PlanOptions) -> None:
    """Estimate from a pilot's answers what 1 to 9 workers for each object cost and gain.

    Asking one worker after the other until they agree is estimated too. The pilot's answers are
    put into random order again and again, and consolidated by majority.
    Labels are judged by --truth, or else by what all the pilot's answers say together.
    For single labels it is told, too, what known objects, drawn at random, would do.

    Example: labeljob plan birds-job --price 0.012 --objects 20000 --truth true_labels.json
    """
    result = _estimate(options)
    if options.as_json:
        messages.print_json(result.as_json())
    else:
        _report(result, options)


@dataclass(frozen=True, kw_only=True)
class _Result:
    """The estimates, and what they were made of."""

    job: JobOnFile
    estimates: list[Estimate]
    price: float | None
    objects: int
    judged_by: str
    replays: int
    gold: GoldGain | None
    advice: GoldAdvice | None

    def rows(self) -> list[dict[str, Any]]:
        single = self.estimates[0]
        return [
            row.as_json(price=self.price, objects=self.objects, single=single)
            for row in self.estimates
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "job": self.job.name,
            "task": self.job.task.name,
            "judged-by": self.judged_by,
            "replays": self.replays,
            "objects": self.objects,
            "price": self.price,
            "plans": self.rows(),
            "gold": self.gold.as_json() if self.gold else None,
            "damage": self.job.damage.as_json(),
        }


def _estimate(options: PlanOptions) -> _Result:
    if options.objects and options.price is None:
        raise JobError("--objects goes with --price: the costs are for that many")
    job = open_job(options)
    if options.lead and not job.task.has_lead:
        raise JobError(f"--lead: {job.task} has no lead to add workers by, leave it out")
    truths = read_truth(job, options.truth)
    annotations = read_all_annotations(job)
    in_pilot = max((len(item.workers) for item in annotations), default=1)
    plans = _choose_plans(job.task, options.most, options.lead or LEAD, max(1, in_pilot))
    replays = options.replays or (MASK_REPLAYS if job.task.label_is_mask else REPLAYS)
    with messages.show_progress("Replaying", replays) as advance:
        estimates = estimate_plans(
            annotations,
            job.task,
            job.unit_classes,
            plans,
            truths=truths,
            replays=replays,
            rng=np.random.default_rng(options.seed),
            advance=advance,
        )
    answered = [item for item in annotations if item.workers]
    known = truths or {}
    with messages.console.status("Trying known objects"):
        gold = job.task.estimate_gold_gain(
            [item.workers for item in answered],
            [item.choices for item in answered],
            len(job.unit_classes),
            [
                job.task.truth_choices(known[item.object_id], job.unit_classes)
                if item.object_id in known
                else None
                for item in answered
            ],
            np.random.default_rng(options.seed),
        )
    return _Result(
        gold=gold,
        advice=advise_gold_for(job, annotations),
        job=job,
        estimates=estimates,
        price=options.price,
        objects=options.objects or len(annotations),
        judged_by="truth" if truths else "the label of all the pilot's answers",
        replays=replays,
    )


def _choose_plans(task: JobType, most: int | None, lead: int, in_pilot: int) -> list[Plan]:
    """All plans; those with a lead also with no more workers than the pilot has."""
    single = task.single_choice
    most = most or (MOST_WORKERS if single else min(MOST_WORKERS, in_pilot))
    plans = list_plans(task, most=most, lead=lead)
    if in_pilot < most:
        plans += [Plan(p.start, p.lead, in_pilot) for p in plans if p.lead and p.start < in_pilot]
    return plans


def _report(result: _Result, options: PlanOptions) -> None:
    print_read_errors(result.job.damage)
    headings = ["plan", "answers each", "quality", "95 % interval", "gain over one"]
    if result.price is not None:
        headings += [f"cost of {result.objects}", "one more right costs"]
    rows = [_format_row(values) for values in result.rows()]
    messages.table(f"Judged by {result.judged_by}", tuple(headings), rows)
    if any(row.extrapolated for row in result.estimates):
        messages.note("* needs more answers than the pilot has: those are drawn from a model")
    _report_gold(result, options)
    if not result.job.task.has_lead:
        messages.note("masks have no lead to add workers by; the quality is the mean IoU")


def _report_gold(result: _Result, options: PlanOptions) -> None:
    """What known objects would do: measured with truths, else how much is open, and elsewhere."""
    gold, advice = result.gold, result.advice
    if gold is None:
        return
    what = f"{gold.objects} known objects, drawn at random"
    if gold.before is not None and gold.after is not None and gold.interval is not None:
        low, high = gold.interval
        messages.note(
            f"{what}: accuracy of the others {gold.before:.3f} -> {gold.after:.3f} by calibrated, "
            f"gain {low:+.3f} to {high:+.3f} in 95 % of {DRAWS} draws"
        )
    elif advice is not None:
        messages.note(
            f"{advice.share:.0%} of the answers are {advice.rare}; whether it is that rare, votes "
            f"do not tell, and {gold.open_share:.1%} of the labels hang on it. {what}, tell. "
            f"{MEASURED}; for this job, --truth tells"
        )
    worth = gold.open_share > 0 if gold.interval is None else gold.interval[1] > 0
    if advice is not None and worth:
        file = f"{result.job.name.rpartition('/')[2]}.gold.jsonl"
        draw = quote_command(options, "gold draw", "--count", str(advice.objects), "--output", file)
        messages.note(f"to draw them: {draw}")


def _format_row(values: dict[str, Any]) -> tuple[str, ...]:
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
