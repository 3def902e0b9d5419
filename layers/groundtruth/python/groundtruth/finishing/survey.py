"""Whose job it was, and which classes it has: what has to be known before a line is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from groundtruth.errors import ContractError
from groundtruth.finishing.class_order import ClassesSeen
from groundtruth.finishing.ended_job import EndedJob
from groundtruth.finishing.found_labels import SEGMENTATION
from groundtruth.finishing.manifest_lines import Line
from groundtruth.finishing.resolution import Fate, Resolved


@dataclass(kw_only=True)
class Survey:
    """What the first reading of a manifest finds out.

    Attributes
    ----------
    classes : ClassesSeen
        Of all labels but masks, whose classes have the indices of their pixels.
    task : str or None
        The job type; None without a label.
    labels, not_recognized : int
        Data objects with a label of ours, and with one of another shape.
    object_style, custom : bool
        Whether there is a label of the `object` style, and a line of this custom job.
    """

    classes: ClassesSeen = field(default_factory=ClassesSeen)
    task: str | None = None
    labels: int = 0
    object_style: bool = False
    custom: bool = False
    not_recognized: int = 0

    def add(self, line: Line, found: Resolved, wanted: str | None) -> None:
        """Take in one data object.

        Parameters
        ----------
        line : Line
            Its line.
        found : Resolved
            What became of it.
        wanted : str or None
            The job type it has to be of.

        Raises
        ------
        ContractError
            If its label is of another job type than that, or than those before it.
        """
        self.custom |= found.custom
        self.not_recognized += found.fate is Fate.NOT_RECOGNIZED
        if found.label is None:
            return
        self.labels += 1
        self.object_style |= found.label.account is not None
        self.task = self.task or wanted or found.label.task
        if found.label.task != self.task:
            problem = f"has a label of {found.label.task}, and the job is one of {self.task}"
            raise ContractError(problem, path=f"line {line.number + 1}")
        if self.task != SEGMENTATION:
            self.classes.add(found.label.classes)

    def foreign(self, job: EndedJob) -> str:
        """Why the job is not one of these functions; empty if it is."""
        if self.not_recognized and not self.labels:
            return f"none of its {self.not_recognized} labels is of a shape these functions write"
        if self.object_style or self.custom or job.ours:
            return ""
        return "no label is of these functions and no line is of a custom job"
