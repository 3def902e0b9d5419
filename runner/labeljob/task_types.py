"""The former name of `JobType`, until no module uses it."""

from labeljob.tasks import registry
from labeljob.tasks.base import JobType as TaskType

__all__ = ["TaskType", "registry"]
