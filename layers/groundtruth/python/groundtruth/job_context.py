"""What holds for one labeling job: its classes and its settings, and where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundtruth.contract.labels import parse_label_categories
from groundtruth.errors import ContractError, JobLookupError
from groundtruth.labeling_jobs import LabelingJob, LabelingJobs
from groundtruth.settings import Settings
from groundtruth.side_files import NOTHING_KNOWN, SideLabels, parse_side_labels
from groundtruth.storage import ObjectStore

if TYPE_CHECKING:
    from groundtruth.aggregation.calibration import ConfidenceMap


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """What holds for one labeling job.

    Attributes
    ----------
    settings : Settings
        The stack's defaults, overridden by the job's tags.
    classes : tuple of str or None
        Names of the classes in label order; None if no place names them.
    classes_from : str
        ``"event"``, ``"job"``, ``"stack"`` or ``"nowhere"``.
    label_attribute_name : str or None
        The job's own, if it could be described.
    notes : tuple of str
        What was looked for and not found, and tags that were not understood.
    """

    settings: Settings
    classes: tuple[str, ...] | None
    classes_from: str
    label_attribute_name: str | None
    notes: tuple[str, ...]


class JobContexts:
    """Looks labeling jobs up, once each.

    Parameters
    ----------
    settings : Settings
        The stack's defaults.
    jobs : LabelingJobs
        Where jobs are described.
    store : ObjectStore
        Where label category files are.
    """

    def __init__(self, settings: Settings, jobs: LabelingJobs, store: ObjectStore) -> None:
        self._settings = settings
        self._jobs = jobs
        self._store = store
        self._files: dict[str, tuple[str, ...]] = {}
        self._side_labels: dict[str, SideLabels] = {}
        self._maps: dict[str, ConfidenceMap] = {}

    def of(
        self,
        arn: str,
        *,
        event_classes: Sequence[str] | None = None,
        algorithms: Sequence[str] = (),
    ) -> JobContext:
        """The context of a job.

        Classes are looked for in this order: the event, the job's label category file, the
        stack's default file. A job's tag that names none of `algorithms` is noted and not
        applied.

        Raises
        ------
        JobLookupError
            If the job's description could be had later: its tags may change the result, so
            nothing is guessed.
        StorageError, ContractError
            If a label category file is named and cannot be read.
        """
        notes: list[str] = []
        try:
            job = self._jobs.describe(arn)
        except JobLookupError as error:
            if error.transient:
                raise
            notes.append(str(error))
            job = LabelingJob()
        settings, problems = self._settings.for_job(job.tags, algorithms=algorithms)
        classes, classes_from = self._classes(job, settings, event_classes)
        return JobContext(
            settings=settings,
            classes=classes,
            classes_from=classes_from,
            label_attribute_name=job.label_attribute_name,
            notes=(*notes, *problems),
        )

    def side_labels(self, uri: str) -> SideLabels:
        """What a side file knows, read once; nothing for an empty URI.

        Raises
        ------
        StorageError, ContractError
            If the file cannot be read or understood.
        """
        if not uri:
            return NOTHING_KNOWN
        if uri not in self._side_labels:
            self._side_labels[uri] = parse_side_labels(self._store.read(uri), path=uri)
        return self._side_labels[uri]

    def confidence_map(self, uri: str) -> ConfidenceMap | None:
        """The confidence map of a file, read once; None for an empty URI.

        Raises
        ------
        StorageError, ContractError
            If the file cannot be read or understood.
        """
        if not uri:
            return None
        if uri not in self._maps:
            from groundtruth.confidence_maps import parse_confidence_map

            self._maps[uri] = parse_confidence_map(self._store.read(uri), path=uri)
        return self._maps[uri]

    def _classes(
        self, job: LabelingJob, settings: Settings, event_classes: Sequence[str] | None
    ) -> tuple[tuple[str, ...] | None, str]:
        if event_classes:
            return tuple(event_classes), "event"
        if job.label_category_config_uri:
            return self._file(job.label_category_config_uri), "job"
        if settings.label_category_config_s3_uri:
            return self._file(settings.label_category_config_s3_uri), "stack"
        return None, "nowhere"

    def _file(self, uri: str) -> tuple[str, ...]:
        if uri not in self._files:
            self._files[uri] = parse_label_categories(self._store.read(uri), path=uri)
        return self._files[uri]


def required_classes(context: JobContext) -> tuple[str, ...]:
    """The classes of a job that cannot do without.

    Raises
    ------
    ContractError
        If no place names them; the text names the three places.
    """
    if context.classes is not None:
        return context.classes
    tried = "".join(f" ({note})" for note in context.notes)
    raise ContractError(
        "no label categories were found: neither in the event (labelCategories), nor in the "
        "labeling job (its LabelCategoryConfigS3Uri, which needs the permission "
        "sagemaker:DescribeLabelingJob), nor in the stack (its parameter "
        f"LabelCategoryConfigS3Uri). Set one of the three.{tried}",
        path="labelCategories",
    )
