"""Flipped bytes in worker history: `python -m tests.fuzz.damaged_history 10000`.

Each time a byte of the file is changed and a batch consolidated with it: no batch may fail.
"""

import random
import sys
import tempfile
from pathlib import Path

from groundtruth.worker_history.jsonl import JsonFileSkills
from tests.examples import ACS_FUNCTIONS, TASKS, consolidate, example


def keep_example(function: str, path: Path, algorithm: str) -> None:
    """Write the history of one batch of the function's example."""
    consolidate(
        function,
        example(function, "payload"),
        skills=JsonFileSkills(path),
        consolidation_algorithm=algorithm,
    )


def flip(content: bytes, rng: random.Random) -> bytes:
    """Change a byte or a few, or cut the end."""
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 3, 10))):
        place = rng.randrange(len(damaged))
        if rng.random() < 0.5:
            damaged[place] ^= 1 << rng.randrange(8)
        else:
            damaged[place] = rng.choice(b'0123456789:"-e.,[]{}a\xff')
    return bytes(damaged[: rng.randrange(len(damaged))] if rng.random() < 0.05 else damaged)


def fuzz(function: str, n_flips: int, seed: int) -> int:
    """Consolidate a later batch with damaged history; how many batches left a note."""
    rng, noted = random.Random(f"{function} {seed}"), 0
    algorithm = "weighted" if function == "acs_semantic_segmentation" else "calibrated"
    assert algorithm in TASKS[function].algorithms
    later = [item | {"datasetObjectId": "later"} for item in example(function, "payload")[:1]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "skill.jsonl"
        keep_example(function, path, algorithm)
        content = path.read_bytes()
        for _ in range(n_flips):
            path.write_bytes(flip(content, rng))
            outcome = consolidate(
                function, later, skills=JsonFileSkills(path), consolidation_algorithm=algorithm
            )
            assert [item["datasetObjectId"] for item in outcome.response] == ["later"]
            assert all(0.0 <= label.confidence <= 1.0 for label in outcome.labels)
            noted += bool(outcome.skill_note)
    return noted


if __name__ == "__main__":
    for name in ACS_FUNCTIONS:
        flips = int(sys.argv[1]) // len(ACS_FUNCTIONS)
        notes = fuzz(name, flips, seed=0)
        sys.stdout.write(f"{name}: {flips} damaged histories, {notes} noted, no batch failed\n")
