"""A simulated crowd: workers of stated skill who answer as the stock pages do."""

from labeljob.crowd.answers import answer, timing
from labeljob.crowd.profiles import CrewError, SimulatedWorker, assign, hire
from labeljob.crowd.truth import TASKS, Truth, TruthError, invented_truth, read_truth

__all__ = [
    "TASKS",
    "CrewError",
    "SimulatedWorker",
    "Truth",
    "TruthError",
    "answer",
    "assign",
    "hire",
    "invented_truth",
    "read_truth",
    "timing",
]
