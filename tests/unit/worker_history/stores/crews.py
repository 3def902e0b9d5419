"""What batches of a size teach."""

import random
from datetime import UTC, datetime

from groundtruth.worker_history.store import SkillKey

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
KEY = SkillKey("image-multi-class", tuple(f"class {n}" for n in range(10)), 90.0)


def names(n_workers):
    return [f"private.us-east-1.{n:016x}" for n in range(n_workers)]


def batch(n_objects, n_workers, *, answers=9, cells=3, seed=0):
    """Each answer is spread over up to three cells, as that of an uncertain object is."""
    draw = random.Random(seed)
    crew = names(n_workers)
    return {
        f"{seed}-{number}": {
            worker: {f"{draw.randrange(10)}:{draw.randrange(10)}": 0.25 for _ in range(cells)}
            for worker in draw.sample(crew, min(answers, n_workers))
        }
        for number in range(n_objects)
    }


def sums(*batches):
    total = {}
    for updates in batches:
        for workers in updates.values():
            for worker, cells in workers.items():
                known = total.setdefault(worker, {})
                for cell, amount in cells.items():
                    known[cell] = known.get(cell, 0.0) + amount
    return total
