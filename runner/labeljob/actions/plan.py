"""`labeljob plan`: what more or fewer workers would cost and gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from labeljob import messages
from labeljob.actions.reading import open_job, print_read_errors, read_all_annotations, read_truth
from labeljob.commands.options import quote_command
from labeljob.commands.plan import MASK_REPLAYS, REPLAYS, PlanOptions
from labeljob.history.job import JobOnFile
from labeljob.jobs.description import JobError
from labeljob.rounds import LEAD, MOST_WORKERS
from labeljob.rounds.class_frequencies import (
    DRAWS,
    MEASURED,
    GoldAdvice,
    GoldGain,
    advise_gold_for,
)
from labeljob.rounds.planning import (
    CLOSE,
    Estimate,
    Plan,
    estimate_plans,
    list_plans,
    recommend,
)
from labeljob.tasks.base import JobType


def plan(options: PlanOptions) -> None:
    """Do what `labeljob plan` does."""
    result = _estimate(options)
    if options.as_json:
        messages.print_json(result.as_json())
    elif options.as_csv:
        messages.print_csv(result.rows())
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
    goal: float | None

    @property
    def recommended(self) -> Estimate:
        return recommend(self.estimates, self.goal)

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
            "recommended": str(self.recommended.plan),
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
        goal=options.goal,
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
    _report_recommendation(result)


def _report_recommendation(result: _Result) -> None:
    """The plan that is recommended, why, and how a job is told to follow it."""
    best, goal = result.recommended, result.goal
    reached = goal is not None and best.quality >= goal
    if goal is not None and not reached:
        messages.warning(f"no plan reaches {goal:g}; clearer instructions may, or workers to trust")
    low, high = best.interval
    why = f"the fewest answers that reach {goal:g}" if reached else f"within {CLOSE} of the best"
    messages.done(
        f"recommended: {best.plan}. {best.answers:.2f} answers each, quality {best.quality:.3f} "
        f"({low:.3f} to {high:.3f}), {why}"
    )
    if best.plan.lead:
        messages.done(
            f"how: {best.plan.start} workers for each data object, then labeljob requeue what is "
            "unsure and labeljob pool the rounds; labeljob portal adds workers by itself "
            "(--min-confidence and --max-workers)"
        )
    else:
        workers = messages.format_count(best.plan.start, "worker")
        messages.done(f"how: {workers} for each data object, as labeljob request --workers has it")


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
