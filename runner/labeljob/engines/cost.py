"""What a replay by shards takes: a model of time and money, not a measurement.

Its arithmetic, for `n` shards that make `s` steps, `a` at once:

* A shard's step takes `STEP_SECONDS` and the job type's seconds for each answer of the shard; of
  masks also `ANSWER_FILE_SECONDS` for each answer, and in one of the steps `MASK_SECONDS` for each
  mask.
* Adding up takes `STEP_SECONDS` and `SUM_SECONDS` for each shard.
* Time on AWS is `s` times: `MAP_SECONDS`, the shards in ceil(n / a) turns, and the sum.
* Lambda is paid for all of these seconds, times its memory, and for s x (n + 1) requests.
* Step Functions is paid for the transitions of standard workflows: for each shard of a step the
  start of its child execution and that execution's one state, for each step the map, the sum and
  the choice, and twice for begin and end.
* S3 is paid for what shards and sums read, write and list, and for what goes up and comes back; of
  masks also for each answer in each step, if all are files in S3, and for each mask.
* Reading answers, making shards and writing labels is done on this machine, by its processes.

Free tiers, logs, storage (cents for days), keys of KMS and transfers to another region or out of
AWS are left out, and so are attempts that failed. Removing objects costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from groundtruth.sharding.steps import Steps

REGION, PRICED_AT = "us-east-1", "2026-05"
"""Of the list prices, which are in dollars, for x86 and the first tier.

The date is that of the newest page that was looked at. None of them is the service's own price list
of that day: compare before much is started.
"""

GB_SECOND, LAMBDA_REQUEST = 0.0000166667, 0.20e-6
"""Of x86; of arm64 a GB-second is 0.0000133334. Copied prices of May 2026 (git.mcrn.ar/mariano/
lambda_local_runner, docs/lambdas-md/lambda-13-cost.md), and cloudchipr.com/blog/aws-lambda-pricing
of 2024."""

TRANSITION = 0.025e-3
"""aws.amazon.com/step-functions/pricing (a copy without a date), and wring.co/blog/aws-step-
functions-pricing-guide of March 2026. That the start of a child execution is one:
docs.aws.amazon.com/step-functions/latest/dg/concepts-transitions.html."""

S3_WRITE, S3_READ = 0.005e-3, 0.0004e-3
"""Of a request that writes or lists, and of one that reads: c3x.dev/blog/s3-request-fees-explained
(without a date)."""

MEMORY_GB = 3008 / 1024
"""`ReplayMemorySize` of the template, unless it was changed."""

AT_ONCE = 500
"""Shards that the state machine has run at a time."""

STEP_SECONDS, SUM_SECONDS, MAP_SECONDS = 1.0, 0.002, 10.0
"""Assumed: a function's requests to S3 and its share of cold starts; reading a shard's counts, 16
at a time; how long Step Functions takes to begin and to end a map."""

ANSWER_FILE_SECONDS, MASK_SECONDS = 0.005, 0.05
"""Assumed: reading an answer's file, 16 at a time; writing a mask."""

SLOWER = 2.0
"""Assumed: how much longer an answer takes on Lambda than on the processor it was measured on."""

OWN_SECONDS = 7e-6
"""CPU seconds of an answer on this machine for reading it, its shard and its label's share."""

START_SECONDS = 3.0
"""CPU seconds of the command itself."""

TYPICAL_ROUNDS = 14
"""Rounds until a crew that is right in 80 % of its answers is settled, at 10^6 answers."""

NEVER = 10_000
"""More rounds than any algorithm makes."""

READS, WRITES = 5, 2
"""Requests to S3 of a shard's step: is it done, plan, state, sums, shard; state and counts."""

KEYS_OF_A_LIST = 1000


@dataclass(frozen=True, kw_only=True)
class Work:
    """How much there is to do.

    Attributes
    ----------
    objects, answers, shards : int
        How many.
    steps, most_steps : int
        Steps that are typical, and that there are at most.
    answer_seconds : float
        CPU seconds of an answer in a step.
    answer_files, masks : int
        Answers that each step reads from files of their own, and masks that are written.
    """

    objects: int
    answers: int
    shards: int
    steps: int
    most_steps: int
    answer_seconds: float
    answer_files: int = 0
    masks: int = 0


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What AWS is paid for, in dollars, and the minutes that it takes."""

    minutes: float
    lambda_time: float
    lambda_requests: float
    transitions: float
    s3_requests: float

    @property
    def total(self) -> float:
        """All items together."""
        return self.lambda_time + self.lambda_requests + self.transitions + self.s3_requests

    def items(self) -> dict[str, float]:
        """Dollars by item, and in all."""
        return {
            "lambda-gb-seconds": self.lambda_time,
            "lambda-requests": self.lambda_requests,
            "step-functions-transitions": self.transitions,
            "s3-requests": self.s3_requests,
            "total": self.total,
        }


def count_steps(steps: Steps, rounds: int = NEVER) -> int:
    """How many steps an algorithm makes if it is settled after so many rounds, or never."""
    made, step = 0, steps.next_step("", -1, math.inf)
    while step is not None:
        step = steps.next_step(step, made, math.inf if made < rounds else 0.0)
        made += 1
    return made


def estimate_minutes(work: Work, n_workers: int, *, steps: int) -> float:
    """Minutes on processes of this machine, or of a cluster of machines like it.

    Parameters
    ----------
    work : Work
        What there is to do.
    n_workers : int
        Processes, at least 1.
    steps : int
        How many steps are made.

    Examples
    --------
    10^8 answers on eight cores:

    >>> work = Work(objects=20_000_000, answers=10**8, shards=400, steps=17, most_steps=63,
    ...             answer_seconds=0.25e-6)
    >>> round(estimate_minutes(work, 8, steps=work.steps), 1)
    2.4
    """
    seconds = work.answers * (OWN_SECONDS + steps * work.answer_seconds)
    return (START_SECONDS + seconds / max(1, min(n_workers, work.shards))) / 60


def estimate_bill(
    work: Work, *, steps: int, memory_gb: float = MEMORY_GB, at_once: int = AT_ONCE
) -> Bill:
    """What the steps of a replay cost on AWS, and how long they take there.

    Parameters
    ----------
    work : Work
        What there is to do.
    steps : int
        How many steps are made.
    memory_gb : float
        Memory of the function, in GB of 2^30 bytes.
    at_once : int
        Shards at a time, at least 1.

    Examples
    --------
    One class for each image, 10^8 answers in 400 shards, 17 steps:

    >>> work = Work(objects=20_000_000, answers=10**8, shards=400, steps=17, most_steps=63,
    ...             answer_seconds=0.25e-6)
    >>> bill = estimate_bill(work, steps=work.steps)
    >>> for name, dollars in bill.items().items():
    ...     print(f"{name:28}{dollars:8.2f}")
    lambda-gb-seconds               0.38
    lambda-requests                 0.00
    step-functions-transitions      0.34
    s3-requests                     0.09
    total                           0.81
    >>> round(bill.minutes, 1)
    3.7

    10^6 masks with five answers each, 256 to a shard, in two steps:

    >>> work = Work(objects=10**6, answers=5 * 10**6, shards=3_907, steps=2, most_steps=2,
    ...             answer_seconds=5e-3, answer_files=5 * 10**6, masks=10**6)
    >>> bill = estimate_bill(work, steps=work.steps)
    >>> for name, dollars in bill.items().items():
    ...     print(f"{name:28}{dollars:8.2f}")
    lambda-gb-seconds              10.18
    lambda-requests                 0.00
    step-functions-transitions      0.39
    s3-requests                     9.54
    total                          20.11
    >>> round(bill.minutes, 1)
    7.7
    """
    shards = work.shards
    of_shards = (
        shards * STEP_SECONDS
        + SLOWER * work.answers * work.answer_seconds
        + work.answer_files * ANSWER_FILE_SECONDS
        + work.masks * MASK_SECONDS / steps
    )
    of_sum = STEP_SECONDS + shards * SUM_SECONDS
    turns = math.ceil(shards / at_once)
    step_seconds = MAP_SECONDS + turns * of_shards / shards + of_sum
    lists = math.ceil(2 * shards / KEYS_OF_A_LIST)
    writes = steps * (shards * WRITES + lists + 3) + 2 * shards + work.masks
    # What sums read, and what comes back: the last state and the masks.
    reads = steps * (shards * (READS + 1) + 3 + work.answer_files) + shards + work.masks
    return Bill(
        minutes=steps * step_seconds / 60,
        lambda_time=steps * (of_shards + of_sum) * memory_gb * GB_SECOND,
        lambda_requests=steps * (shards + 1) * LAMBDA_REQUEST,
        transitions=(steps * (2 * shards + 3) + 2) * TRANSITION,
        s3_requests=writes * S3_WRITE + reads * S3_READ,
    )


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What `labeljob replay --dry-run` tells.

    Attributes
    ----------
    work : Work
        What there is to do.
    minutes : (float, float)
        Typical and at most, all in all.
    bills : (Bill, Bill) or None
        The same for AWS; None on other engines.
    """

    work: Work
    minutes: tuple[float, float]
    bills: tuple[Bill, Bill] | None

    def as_json(self) -> dict[str, Any]:
        """The estimate for ``--json``."""
        work = self.work
        values: dict[str, Any] = {
            "objects": work.objects,
            "answers": work.answers,
            "shards": work.shards,
            # Of the command's words: each goes over all shards once.
            "rounds": _pair(work.steps, work.most_steps),
            "minutes": _pair(*(round(value, 2) for value in self.minutes)),
            "model": ASSUMED,
        }
        if self.bills:
            values["dollars"] = _pair(*(_round(bill) for bill in self.bills))
            values["prices"] = {"region": REGION, "date": PRICED_AT, "kind": "list prices"}
        return values

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """The estimate as a table: what, typically, at most."""
        work = self.work
        for name in ("objects", "answers", "shards"):
            count = str(getattr(work, name))
            yield name, count, count
        yield "rounds over all shards", str(work.steps), str(work.most_steps)
        typical_minutes, most_minutes = (f"{value:.1f}" for value in self.minutes)
        yield "minutes", typical_minutes, most_minutes
        if self.bills:
            typical, most = (bill.items() for bill in self.bills)
            for name in typical:
                yield f"dollars: {name}", f"{typical[name]:.2f}", f"{most[name]:.2f}"


ASSUMED = (
    f"a model, nothing was started: {TYPICAL_ROUNDS} rounds are typical; "
    f"{OWN_SECONDS * 1e6:.0f} microseconds of a core for an answer on this machine, and on AWS "
    f"{SLOWER:.0f} times what a step took on the machine that was measured; a function has "
    f"{MEMORY_GB:.2f} GB, {AT_ONCE} run at once; no free tier, no failed attempts, no storage"
)


def estimate(work: Work, *, on_aws: bool, n_workers: int) -> Estimate:
    """Estimate a replay.

    Parameters
    ----------
    work : Work
        What there is to do.
    on_aws : bool
        Whether the steps are made there; the rest is done on this machine.
    n_workers : int
        Processes on this machine, or of the cluster.
    """
    steps = (work.steps, work.most_steps)
    if not on_aws:
        typical, most = (estimate_minutes(work, n_workers, steps=count) for count in steps)
        return Estimate(work=work, minutes=(typical, most), bills=None)
    own = estimate_minutes(work, n_workers, steps=0)
    first, last = (estimate_bill(work, steps=count) for count in steps)
    return Estimate(
        work=work,
        minutes=(own + first.minutes, own + last.minutes),
        bills=(first, last),
    )


def _round(bill: Bill) -> dict[str, float]:
    return {name: round(dollars, 4) for name, dollars in bill.items().items()}


def _pair(typical: Any, most: Any) -> Mapping[str, Any]:
    return {"typical": typical, "at-most": most}
