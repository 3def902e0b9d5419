"""Every error this library raises.

GroundTruthError
├── SettingsError      a variable, a stack parameter or a job's tag has a bad value
├── ContractError      a message does not have the shape Ground Truth documents
├── StorageError       an object or a secret cannot be read, or an object not written
├── JobLookupError     a labeling job cannot be described
├── UnknownTaskError   there is no job type of a name
├── SkillStoreError    worker skill cannot be read or kept (in `skills.store`)
└── UnusableAnswer     one worker's answer is set aside; the batch goes on
"""

from collections.abc import Sequence


class GroundTruthError(Exception):
    """Base of all errors of this library."""


class SettingsError(GroundTruthError):
    """A setting has a bad value; the text names the setting and what it may be."""


class UnknownTaskError(GroundTruthError):
    """There is no job type of a name; the text lists those there are."""

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        super().__init__(f"{name!r} is not a job type; there are {', '.join(known)}")


class ContractError(GroundTruthError):
    """A message does not have the shape Ground Truth documents.

    Attributes
    ----------
    path : str
        Where the problem is, from the message's root: ``"payload.s3Uri"``.
    """

    def __init__(self, problem: str, *, path: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class StorageError(GroundTruthError):
    """An object cannot be read or written.

    Attributes
    ----------
    uri : str
        The object's S3 URI, or the secret's ARN.
    reason : str
        ``"not-found"``, ``"access-denied"``, ``"bad-uri"`` or ``"unavailable"`` (a fault
        that may pass: the same call can succeed later).
    """

    def __init__(self, problem: str, *, uri: str, reason: str) -> None:
        super().__init__(f"{uri}: {problem}")
        self.uri = uri
        self.reason = reason


class JobLookupError(GroundTruthError):
    """A labeling job cannot be described.

    Attributes
    ----------
    transient : bool
        Whether the same call can succeed later (throttling, a fault of the service), unlike
        no permission, no such job or no way to the service.
    """

    def __init__(self, problem: str, *, transient: bool = False) -> None:
        super().__init__(problem)
        self.transient = transient


class UnusableAnswer(GroundTruthError):
    """One worker's answer cannot be used and is set aside.

    Attributes
    ----------
    reason : str
        A code in kebab case, the same for all answers with the same fault:
        ``"malformed-json"``.
    detail : str
        What is wrong, in one sentence that quotes no content of the answer.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
