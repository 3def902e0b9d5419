"""Which data objects of a finished job should be labeled again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from groundtruth.finishing.labels import FoundLabel
from groundtruth.tasks.base import LOW_CONFIDENCE, NO_USABLE_ANSWER, NOT_PROCESSED, TIE
from labeljob.analysis.ballots import Ballot
from labeljob.analysis.job_on_file import JobOnFile

UNSURE = (TIE, LOW_CONFIDENCE, NO_USABLE_ANSWER, NOT_PROCESSED)


def to_label_again(
    job: JobOnFile, ballots: Sequence[Ballot], labels: Mapping[str, FoundLabel], below: float
) -> list[str]:
    """Data objects without a label, with an unsure one, or with too little confidence."""
    asked = [line.object_id for line in job.lines] or [one.object_id for one in ballots]
    chosen = []
    for object_id in asked:
        label = labels.get(object_id)
        status = label.account.status if label and label.account else ""
        sure = label.confidence if label and label.confidence is not None else -1.0
        if sure < below or status in UNSURE:
            chosen.append(object_id)
    return chosen
