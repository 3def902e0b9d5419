"""The database does what a plain model does, whatever workers and owner do in whatever order."""

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from labeljob.portal import assignments
from labeljob.portal.assignments import (
    add_job,
    ask_one_more,
    can_go_back,
    expire,
    get_job_state,
    release,
    reopen_last,
    reserve,
    set_job_state,
    skip,
    submit,
    take,
)
from labeljob.portal.database import Database
from labeljob.portal.progress import count_by_worker, count_objects
from tests.runner.portal.clocks import Clock

LIMIT = 100.0
KEPT_LONGER = 60.0
N_OBJECTS = 4
WANTED = 2
MOST = 3

workers = st.sampled_from(["ann", "bob", "cid", "dan"])
numbers = st.integers(0, N_OBJECTS - 1)


@dataclass
class ModelObject:
    """What the model knows of one data object."""

    position: int
    wanted: int = WANTED
    state: str = "open"
    called: bool = False
    hold_until: float = 0.0
    answers: dict[str, tuple[float, str]] = field(default_factory=dict)
    leases: dict[str, tuple[float, bool]] = field(default_factory=dict)
    skips: dict[str, float] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    reopened: set[str] = field(default_factory=set)

    @property
    def room(self):
        return self.state == "open" and len(self.answers) + len(self.leases) < self.wanted

    @property
    def takes_answers(self):
        return self.state in ("open", "complete") and not self.called


class Assignments(RuleBasedStateMachine):
    looked_at_in_order = 32

    def __init__(self):
        super().__init__()
        self.kept_number = assignments._LOOKED_AT_IN_ORDER
        assignments._LOOKED_AT_IN_ORDER = self.looked_at_in_order
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.database = Database(self.folder / "portal.sqlite", clock=self.clock)
        add_job(self.database, "job", map(str, range(N_OBJECTS)), wanted=WANTED)
        self.objects = [ModelObject(position) for position in range(N_OBJECTS)]
        self.state = "running"
        self.answer = 0

    def teardown(self):
        assignments._LOOKED_AT_IN_ORDER = self.kept_number
        self.database.close()
        shutil.rmtree(self.folder)

    # The model

    def tick(self):
        self.clock.time += 1.0
        return self.clock.time

    def end_leases(self):
        for item in self.objects:
            item.leases = {
                worker: lease for worker, lease in item.leases.items() if lease[0] > self.clock.time
            }

    def held(self, worker, *, shown):
        return next(
            (item for item in self.objects if item.leases.get(worker, (0, None))[1] is shown), None
        )

    def went_back_to(self, worker):
        for item in self.objects:
            if worker in item.reopened:
                if item.hold_until > self.clock.time and not item.called:
                    return item
                self.leave_as_it_was(item, worker)
        return None

    def leave_as_it_was(self, item, worker):
        item.reopened.discard(worker)
        if not item.reopened:
            item.hold_until = 0.0

    def choose(self, worker):
        free = [item for item in self.objects if item.room and worker not in item.leases]
        new = [item for item in free if worker not in item.answers and worker not in item.skips]
        if new:
            return min(new, key=lambda item: (-len(item.answers), item.position))
        skipped = [item for item in free if worker in item.skips]
        return min(skipped, key=lambda item: item.skips[worker], default=None)

    def last_answered(self, worker):
        answered = [item for item in self.objects if worker in item.answers]
        return max(answered, key=lambda item: item.answers[worker][0], default=None)

    def agree(self, lease, item):
        assert (lease and lease.object_id) == (item and str(item.position))

    # What workers do

    @rule(worker=workers)
    def take(self, worker):
        now = self.tick()
        lease = take(self.database, "job", worker, LIMIT)
        item = None
        if self.state == "running":
            item = self.went_back_to(worker)
            if item is None:
                self.end_leases()
                item = self.held(worker, shown=True)
                if item is None:
                    item = self.held(worker, shown=False) or self.choose(worker)
                    if item is not None:
                        item.leases[worker] = (now + LIMIT, True)
                        item.asked.add(worker)
            else:
                assert lease.answer == {"label": item.answers[worker][1]}
        self.agree(lease, item)
        if lease is not None:
            assert lease.accepted <= now < lease.expires

    @rule(worker=workers)
    def reserve(self, worker):
        now = self.tick()
        lease = reserve(self.database, "job", worker, LIMIT)
        item = None
        if self.state == "running":
            self.end_leases()
            item = self.held(worker, shown=False)
            if item is None:
                item = self.choose(worker)
                if item is not None:
                    shown = self.held(worker, shown=True)
                    until = shown.leases[worker][0] if shown else now + LIMIT
                    item.leases[worker] = (until + KEPT_LONGER, False)
                    item.asked.add(worker)
        self.agree(lease, item)

    @rule(worker=workers, number=numbers)
    def submit(self, worker, number):
        self.hand_in(worker, self.objects[number])

    @rule(worker=workers)
    def submit_what_is_shown(self, worker):
        changed = (item for item in self.objects if worker in item.reopened)
        item = next(changed, None) or self.held(worker, shown=True)
        if item is not None:
            self.hand_in(worker, item)

    def hand_in(self, worker, item):
        now = self.tick()
        self.answer += 1
        result = submit(
            self.database, "job", str(item.position), worker, {"label": str(self.answer)}
        )
        changed = worker in item.reopened
        if worker in item.answers and not changed:
            expected = "repeated"
        elif worker not in item.asked or self.state == "finished" or not item.takes_answers:
            expected = "closed"
        elif not changed and worker not in item.leases and not item.room:
            expected = "expired"
        else:
            expected = "saved"
            item.answers[worker] = (now, str(self.answer))
            item.leases.pop(worker, None)
            item.skips.pop(worker, None)
            if changed:
                self.leave_as_it_was(item, worker)
            if len(item.answers) >= item.wanted:
                item.state = "complete"
        assert result == expected

    @rule(worker=workers, number=numbers)
    def skip(self, worker, number):
        self.put_off(worker, self.objects[number])

    @rule(worker=workers, skips=st.lists(st.booleans(), min_size=1, max_size=6))
    def work_for_a_while(self, worker, skips):
        for skipped in skips:
            self.take(worker)
            item = self.held(worker, shown=True)
            if item is not None and not item.reopened:
                if skipped:
                    self.put_off(worker, item)
                else:
                    self.hand_in(worker, item)

    def put_off(self, worker, item):
        now = self.tick()
        skipped = skip(self.database, "job", str(item.position), worker)
        assert skipped == (worker in item.reopened or worker in item.leases)
        if worker in item.reopened:
            self.leave_as_it_was(item, worker)
        elif worker in item.leases:
            del item.leases[worker]
            item.skips[worker] = now

    @rule(worker=workers)
    def release(self, worker):
        self.tick()
        number = release(self.database, "job", worker)
        for item in self.objects:
            if worker in item.reopened:
                self.leave_as_it_was(item, worker)
                number -= 1
            if item.leases.pop(worker, None):
                number -= 1
        assert number == 0

    @rule(worker=workers)
    def go_back(self, worker):
        now = self.tick()
        lease = reopen_last(self.database, "job", worker, LIMIT)
        item = None
        if self.state == "running":
            item = self.went_back_to(worker)
            if item is None:
                item = self.last_answered(worker)
                if item is not None and not item.takes_answers:
                    item = None
                if item is not None:
                    self.end_leases()
                    shown = self.held(worker, shown=True)
                    reserved = self.held(worker, shown=False)
                    if shown is not None:
                        if reserved is not None:
                            del reserved.leases[worker]
                        until = max(shown.leases[worker][0], now + LIMIT + KEPT_LONGER)
                        shown.leases[worker] = (until, False)
                    item.reopened.add(worker)
                    item.hold_until = max(item.hold_until, now + LIMIT)
        self.agree(lease, item)

    # What time, the owner and consolidation do

    @rule(seconds=st.sampled_from([1.0, 50.0, LIMIT, LIMIT + KEPT_LONGER]))
    def wait(self, seconds):
        self.clock.time += seconds

    @rule()
    def expire(self):
        self.tick()
        before = sum(len(item.leases) for item in self.objects)
        number = expire(self.database, "job")
        self.end_leases()
        assert number == before - sum(len(item.leases) for item in self.objects)

    @rule(state=st.sampled_from(["running", "running", "paused"]))
    @precondition(lambda self: self.state != "finished")
    def pause_or_resume(self, state):
        set_job_state(self.database, "job", state)
        self.state = state

    @rule()
    @precondition(lambda self: self.answer > 20)
    def finish(self):
        self.tick()
        set_job_state(self.database, "job", "finished")
        self.state = "finished"
        for item in self.objects:
            item.leases.clear()

    @rule(number=numbers)
    def ask_one_more(self, number):
        item = self.objects[number]
        done = ask_one_more(self.database, "job", str(number), most=MOST)
        expected = (
            item.state in ("complete", "consolidated")
            and item.wanted < MOST
            and self.state != "finished"
        )
        assert done == expected
        if expected:
            item.wanted += 1
            item.state, item.called = "open", False

    @rule(number=numbers)
    def consolidate(self, number):
        item = self.objects[number]
        if item.state == "complete" and item.hold_until <= self.clock.time:
            with self.database.transaction() as connection:
                connection.execute(
                    "UPDATE objects SET called = 'now', state = 'consolidated' WHERE object_id = ?",
                    (str(number),),
                )
            item.state, item.called = "consolidated", True

    # What always holds

    @invariant()
    def rows_are_as_in_the_model(self):
        with self.database.read() as connection:
            rows = connection.execute("SELECT * FROM objects ORDER BY position").fetchall()
            answers = connection.execute(
                "SELECT object_id, worker_id, answer FROM assignments WHERE submitted IS NOT NULL"
            ).fetchall()
        for row, item in zip(rows, self.objects, strict=True):
            assert (row["answered"], row["leased"], row["state"], row["room"]) == (
                len(item.answers),
                len(item.leases),
                item.state,
                item.room,
            )
            assert row["answered"] + row["leased"] <= row["wanted"] == item.wanted
            assert row["hold_until"] == item.hold_until
        assert {
            (int(row["object_id"]), row["worker_id"]): json.loads(row["answer"])["label"]
            for row in answers
        } == {
            (item.position, worker): text
            for item in self.objects
            for worker, (_, text) in item.answers.items()
        }

    @invariant()
    def a_worker_holds_at_most_one_shown_and_one_reserved_object(self):
        with self.database.read() as connection:
            held = connection.execute(
                "SELECT count(*) AS number FROM assignments WHERE live GROUP BY worker_id, shown"
            ).fetchall()
        assert all(row["number"] == 1 for row in held)

    @invariant()
    def counts_are_those_of_the_rows(self):
        counts = count_objects(self.database, "job")
        states = [item.state for item in self.objects]
        assert (counts.open, counts.complete, counts.consolidated) == tuple(
            states.count(state) for state in ("open", "complete", "consolidated")
        )
        assert counts.answers == sum(len(item.answers) for item in self.objects)
        assert counts.missing == sum(
            item.wanted - len(item.answers) for item in self.objects if item.state == "open"
        )
        for worker in count_by_worker(self.database, "job"):
            assert worker.answers == sum(worker.worker_id in item.answers for item in self.objects)
            assert worker.skipped == sum(worker.worker_id in item.skips for item in self.objects)

    @invariant()
    def whether_one_can_go_back_is_known(self):
        assert get_job_state(self.database, "job") == self.state
        for worker in ("ann", "bob"):
            item = self.last_answered(worker)
            assert can_go_back(self.database, "job", worker) == (
                self.state == "running" and item is not None and item.takes_answers
            )


class AssignmentsByGroups(Assignments):
    """The next object is sought group by group, as for a worker who has seen thousands."""

    looked_at_in_order = 1


TestAssignments = pytest.mark.slow(Assignments.TestCase)
TestAssignments.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)
TestAssignmentsByGroups = pytest.mark.slow(AssignmentsByGroups.TestCase)
TestAssignmentsByGroups.settings = TestAssignments.settings
