"""One picture of a whole job, for a person to open."""

import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg

from labeljob.crowd.profiles import SimulatedWorker
from labeljob.crowd.truth import read_truth
from labeljob.demo.labels_figure import labels_figure
from labeljob.demo.masks_figure import masks_figure
from labeljob.demo.material import DemoJob
from labeljob.demo.results import read_results


def draw(
    job: DemoJob,
    job_folder: Path,
    *,
    store: Path,
    out: Path,
    crew: Sequence[SimulatedWorker] = (),
) -> Path:
    """Draw the overview of one job.

    Parameters
    ----------
    job : DemoJob
        What the job was about: task, labels, truth.
    job_folder : Path
        What it left behind: ``manifests/output/output.manifest`` and
        ``annotations/worker-response/``.
    store : Path
        The folder that stands for S3; ``s3://bucket/key`` lies at ``<store>/bucket/key``.
    out : Path
        The PNG to write.
    crew : sequence of SimulatedWorker, optional
        Tells the kind of each worker beside the worker's id.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    OSError
        If a file of the job is missing.
    labeljob.crowd.truth.TruthError
        If the truth file cannot be used.
    """
    category_file = json.loads(job.labels.read_text(encoding="utf-8"))
    labels = [entry["label"] for entry in category_file["labels"]]
    truth = read_truth(job.truth, job.task, labels)
    objects = read_results(job_folder, job.label_attribute_name)
    if job.task == "semantic-segmentation":
        figure = masks_figure(job.name, objects, labels=labels, truth=truth, store=store, crew=crew)
    else:
        figure = labels_figure(job.name, objects, truth=truth, store=store)
    FigureCanvasAgg(figure)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110, facecolor="white")
    return out
