"""Shards consolidated on AWS, by the state machine that the stack has for it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from groundtruth.errors import StorageError
from groundtruth.sharding.plan import Plan, digest_of
from groundtruth.sharding.steps import TOTALS_END, PlanSteps, begin
from groundtruth.storage.s3 import ObjectStore, split_uri
from groundtruth.tasks import registry
from labeljob.engines.driver import Outcome, Progress
from labeljob.jobs.description import JobError
from labeljob.jobs.lambda_arns import StackError, stack_outputs

MACHINE, FOLDER, ANSWERS = "ReplayMachineArn", "ReplayFolder", "ReplayAnswersBucketName"
"""Outputs of the stack."""

POLL = 2.0
"""Seconds between two looks at how far an execution is."""

RUNS = "runs"
"""Below the work folder: what Step Functions itself writes of each step."""

RUN = "run"
"""Below the work folder: what executions are called by as long as that folder is there."""

MOST_EXECUTIONS = 100
"""How often the same plan can be started, when earlier executions of it failed."""


@dataclass(frozen=True, kw_only=True)
class StateMachine:
    """The state machine that a stack has for replays.

    Attributes
    ----------
    arn : str
        Its ARN.
    folder : str
        S3 URI of the folder that it may work in.
    answers_bucket : str
        The bucket whose labeling jobs' answers it reads where they are.
    client : object
        A boto3 client of Step Functions.
    at_once : int
        How many shards are consolidated at a time.
    """

    arn: str
    folder: str
    answers_bucket: str
    client: Any
    at_once: int = 500

    def reads(self, uri: str) -> bool:
        """Whether an answer can stay where it is."""
        return uri.startswith(f"s3://{self.answers_bucket}/") and "/annotations/" in uri


def open_machine(stack: str) -> StateMachine:
    """The state machine of a stack; raises `StackError` if the stack has none."""
    import boto3

    outputs = stack_outputs(stack)
    for name in (MACHINE, FOLDER, ANSWERS):
        if name not in outputs:
            raise StackError(
                f"stack {stack} has no output {name}: deploy this version of it with a "
                "ReplayBucketName"
            )
    arn = outputs[MACHINE]
    client = boto3.client("stepfunctions", region_name=arn.split(":")[3])
    return StateMachine(
        arn=arn, folder=outputs[FOLDER], answers_bucket=outputs[ANSWERS], client=client
    )


def run_plan_on_aws(
    plan: Plan,
    work: str,
    store: ObjectStore,
    machine: StateMachine,
    *,
    plan_steps: PlanSteps = registry.plan_steps,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Consolidate all shards of a plan on AWS; what an earlier execution did is not done again.

    If it is interrupted here, the execution goes on there, and the next call follows it.

    Parameters
    ----------
    plan : Plan
        With its shards, whose files are in the store.
    work : str
        S3 URI of the folder that intermediate results go to, without a slash at its end; below
        the machine's.
    store : ObjectStore
        That bucket.
    machine : StateMachine
        What consolidates.
    plan_steps : callable, optional
        Finds the job type's steps.
    report : callable, optional
        Is told how far a step is.

    Raises
    ------
    JobError
        If the execution failed, or cannot be started or followed.
    StorageError
        If the work folder cannot be read or written here.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    move = begin(plan, work, store, plan_steps)
    try:
        execution = _start(plan, move, machine, _name_run(plan, work, store))
        while (found := machine.client.describe_execution(executionArn=execution))[
            "status"
        ] == "RUNNING":
            move = _follow(plan, move, store, report)
            time.sleep(POLL)
    except (BotoCoreError, ClientError) as error:
        raise JobError(f"Step Functions: {error}") from error
    if found["status"] != "SUCCEEDED":
        raise JobError(
            f"the execution {execution} ended as {found['status']}: "
            f"{found.get('error', 'no error is named')}: {found.get('cause', 'nor a cause')}; "
            "what it has done is kept: start the same command again"
        )
    last = json.loads(found["output"])
    folder = f"{work}/{last['folder']}"
    problems = {item["shard"]: item["problem"] for item in last["failures"]}
    done = {uri.rpartition("/")[2].removesuffix(TOTALS_END) for uri in store.list(f"{folder}/")}
    failures = {
        shard.name: problems.get(shard.name, "failed; its file *.error.json may tell why")
        for shard in plan.shards
        if shard.name not in done
    }
    if len(failures) != last["failed"]:
        raise JobError(
            f"{last['failed']} shards failed in {execution}, but the results of {len(failures)} "
            "are not where they should be: the stack is of another version; deploy this one"
        )
    return Outcome(folder=folder, n_steps=int(last["number"]) + 1, failures=failures)


def _name_run(plan: Plan, work: str, store: ObjectStore) -> str:
    """What tells this run of a plan from an earlier one, whose results have been removed."""
    uri = f"{work}/{RUN}"
    try:
        return store.read(uri).decode()
    except StorageError as error:
        if error.reason not in ("not-found", "access-denied"):
            raise
    name = secrets.token_hex(8)
    store.write(uri, name.encode(), content_type="text/plain", kms_key=plan.kms_key)
    return name


def _start(plan: Plan, move: dict[str, Any], machine: StateMachine, run: str) -> str:
    """Start the plan's execution, or find the one that runs or has done it all; its ARN."""
    key = split_uri(move["work"])[1]
    given = {
        "move": move,
        "workers": machine.at_once,
        "tolerated": 100.0 * plan.tolerated_failures,
        "runs": f"{key}/{RUNS}",
    }
    text = json.dumps(given)
    names = ",".join(shard.name for shard in plan.shards)
    digest = f"{plan.digest}-{digest_of(names.encode(), text.encode(), run.encode())}"
    for attempt in range(MOST_EXECUTIONS):
        name = f"{digest}-{attempt}"
        arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            found = machine.client.describe_execution(executionArn=arn)
        except machine.client.exceptions.ExecutionDoesNotExist:
            started = machine.client.start_execution(
                stateMachineArn=machine.arn, name=name, input=text
            )
            return str(started["executionArn"])
        status = found["status"]
        if status == "RUNNING" or (
            status == "SUCCEEDED" and not json.loads(found["output"])["failed"]
        ):
            return arn
    raise JobError(f"{MOST_EXECUTIONS} executions of this replay failed; use another work folder")


def _follow(
    plan: Plan,
    move: dict[str, Any],
    store: ObjectStore,
    report: Callable[[Progress], None],
) -> dict[str, Any]:
    """Tell how far the last step is that has begun."""
    number, folder = int(move["number"]), str(move["folder"])
    while following := next(iter(store.list(f"{move['work']}/{number + 1:02}-")), None):
        number, folder = number + 1, following.removeprefix(f"{move['work']}/").split("/")[0]
    sizes = {shard.name: shard.n_objects for shard in plan.shards}
    names = {uri.rpartition("/")[2] for uri in store.list(f"{move['work']}/{folder}/")}
    done = [size for name, size in sizes.items() if f"{name}{TOTALS_END}" in names]
    report(
        Progress(
            step=folder.split("-")[1],
            number=number,
            shards=len(done),
            n_shards=len(sizes),
            objects=sum(done),
            n_objects=sum(sizes.values()),
        )
    )
    return {**move, "number": number, "folder": folder}
