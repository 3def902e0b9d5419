"""What workers said of data objects, read as the consolidation reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from groundtruth.annotations import AnswerReader, Answers, Entry, RejectedAnswer
from groundtruth.contract.acs import Annotation, DataObject
from groundtruth.settings import Settings
from groundtruth.storage.s3 import ObjectStore
from labeljob.history.comments import read_comments
from labeljob.jobs.description import JobDescription
from labeljob.portal.disk_cache import digest

CANNOT_LABEL_REASONS = {
    "image-broken": "The image is broken or does not load",
    "image-unclear": "It is too dark, too blurred or too small to tell",
    "no-label-fits": "No label fits",
    "other": "Another reason",
}
"""Why a task cannot be labelled: the reason in the answer, and the words for people."""


@dataclass(frozen=True, kw_only=True)
class ReadAnswer:
    """One worker's answer."""

    worker_id: str
    classes: tuple[str, ...] = ()  # what it says; empty if it does not count
    text: str = ""  # the same in words
    rejected: RejectedAnswer | None = None  # why it does not count; None if it does
    comment: str = ""  # what the worker wrote beside it

    def as_json(self) -> dict[str, Any]:
        """The answer for the owner's pages, without who gave it."""
        rejected = self.rejected
        return {
            "classes": list(self.classes),
            "text": self.text,
            "rejected": rejected and {"reason": rejected.reason, "detail": rejected.detail},
            "comment": self.comment,
        }


_MOST_KNOWN = 5_000  # texts of answers whose classes are kept
_MOST_SAID = 5_000  # data objects of which is kept what their answers say


class JobAnswerReader:
    """Reads answers to the data objects of one job."""

    def __init__(self, description: JobDescription, store: ObjectStore) -> None:
        self._task = description.task
        self._store = store
        core = self._task.library
        self._settings, _ = Settings().for_job(description.tags, algorithms=core.algorithms)
        self.choices = core.all_classes(description.labels, self._settings)
        self._names = self._task.unit_classes(self.choices)
        self._known: dict[str, tuple[str, ...]] = {}
        self._said: dict[str, list[ReadAnswer]] = {}

    def read(
        self, objects: Iterable[tuple[str, Mapping[str, str]]]
    ) -> Iterator[tuple[str, list[ReadAnswer]]]:
        """Read the answers to data objects: each has its id, and JSON texts by worker.

        What they say is kept, for of masks it takes long to find out.
        """
        keyed = [(object_id, texts, _make_key(texts)) for object_id, texts in objects]
        known = {key: said for _, _, key in keyed if (said := self._said.get(key)) is not None}
        unread = {object_id: key for object_id, _, key in keyed if key not in known}
        texts_of = {object_id: texts for object_id, texts, _ in keyed}
        for object_id, said in self._read((name, texts_of[name]) for name in unread):
            known[unread[object_id]] = said
        if len(self._said) + len(unread) > _MOST_SAID:
            self._said.clear()
        self._said |= known
        for object_id, _, key in keyed:
            yield object_id, known[key]

    def _read(
        self, objects: Iterable[tuple[str, Mapping[str, str]]]
    ) -> Iterator[tuple[str, list[ReadAnswer]]]:
        comments: dict[str, dict[str, str]] = {}

        def entries() -> Iterator[Entry]:
            for object_id, texts in objects:
                annotations = tuple(
                    Annotation(worker_id=worker, content=text, uri=None)
                    for worker, text in texts.items()
                )
                comments[object_id] = read_comments(annotations)
                yield Entry(DataObject(object_id=object_id, source=None, annotations=annotations))

        def decode(content: Any) -> Any:
            return self._task.library.decode(content, self.choices, self._settings)

        for decoded in AnswerReader(self._store).read(entries(), decode):
            yield decoded.object_id, self._describe(decoded, comments.pop(decoded.object_id))

    def find_classes(self, text: str) -> tuple[str, ...]:
        """The classes in an answer, a JSON text; none if it does not count.

        Most answers are one of few texts, so what a text says is kept.
        """
        if text not in self._known:
            if len(self._known) == _MOST_KNOWN:
                self._known.clear()
            self._known[text] = next(self._read([("", {"worker": text})]))[1][0].classes
        return self._known[text]

    def read_one(self, answer: Any) -> ReadAnswer:
        """Read an answer that nobody has given yet."""
        text = json.dumps(answer)
        return next(self._read([("preview", {"preview": text})]))[1][0]

    def _describe(self, decoded: Answers[Any], comments: Mapping[str, str]) -> list[ReadAnswer]:
        rejected = list(decoded.rejected)
        choices = self._task.to_choices(decoded, self.choices, rejected)
        usable = [
            ReadAnswer(
                worker_id=worker,
                classes=tuple(self._task.name_choices(said, self._names)),
                text=self._task.describe_answer(said, self._names),
                comment=comments.get(worker, ""),
            )
            for worker, said in choices.items()
        ]
        return usable + [
            ReadAnswer(
                worker_id=item.worker_id, rejected=item, comment=comments.get(item.worker_id, "")
            )
            for item in rejected
        ]


def _make_key(texts: Mapping[str, str]) -> str:
    """What stands for all answers to a data object."""
    return digest(json.dumps(list(texts.items())).encode())
