"""Synthetic worker responses: true Ground Truth files from crews of stated habits, any size."""

from labeljob.synthesis.crew import HABITS, SyntheticWorker, hire_crew
from labeljob.synthesis.generation import Disturbances, Synthesis, Synthesized

__all__ = [
    "HABITS",
    "Disturbances",
    "Synthesis",
    "Synthesized",
    "SyntheticWorker",
    "hire_crew",
]
