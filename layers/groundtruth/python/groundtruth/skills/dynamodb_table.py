"""One DynamoDB table: requests that are repeated while there is time, errors translated."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched, chain
from threading import Lock
from typing import Any

from groundtruth.skills.store import SkillStoreError

KEYS_PER_REQUEST = 100
CONNECT_SECONDS = 1
READ_SECONDS = 2
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 0.8

_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
}
"""Codes of errors, and of the reasons why a transaction was cancelled, that pass."""

type Item = Mapping[str, Any]


class Cancelled(Exception):
    """A transaction did not happen, and will not by being repeated.

    Attributes
    ----------
    codes : list of str
        For each action why, or ``None`` (the text).
    """

    def __init__(self, codes: list[str]) -> None:
        super().__init__(", ".join(sorted(set(codes) - {"None"})))
        self.codes = codes


class Deadline:
    """Time for one call of the store, shared by all its requests.

    Parameters
    ----------
    seconds : float
        No request begins later than this from now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def pauses(self) -> Iterator[None]:
        """Once at once, then again after ever longer random pauses, until time is up."""
        longest, pause = FIRST_PAUSE, 0.0
        while time.monotonic() + pause < self._end:
            time.sleep(pause)
            yield
            pause = random.uniform(0, longest)
            longest = min(2 * longest, LONGEST_PAUSE)


class Table:
    """A table; its client is made on first use, and threads may share it.

    Parameters
    ----------
    name : str
        The table's name or ARN.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._opened: Any = None
        self._lock = Lock()

    def deadline(self, seconds: float) -> Deadline:
        """Time for requests, which begins once there is a client to send them."""
        with _translated("opening a client"):
            self._client()
        return Deadline(seconds)

    def get(self, keys: Sequence[Item], deadline: Deadline) -> list[Item]:
        """Items of the keys that there are, as written by all writes that ended before."""
        found: list[Item] = []
        for some in batched(keys, KEYS_PER_REQUEST, strict=False):
            wanted: Sequence[Item] = some
            for _ in deadline.pauses():
                request = {self.name: {"Keys": list(wanted), "ConsistentRead": True}}
                answer = self._call("batch_get_item", deadline, RequestItems=request)
                found += chain.from_iterable(answer["Responses"].values())
                left = (answer.get("UnprocessedKeys") or {}).values()
                wanted = [key for table in left for key in table["Keys"]]
                if not wanted:
                    break
            else:
                raise SkillStoreError("batch_get_item: not all keys in time", reason="throttled")
        return found

    def put_new(self, items: Sequence[Item], deadline: Deadline) -> bool:
        """Write items that are not there yet, all of them or none; False if one is there."""
        actions = [self.new(item) for item in items]
        try:
            if len(actions) == 1:
                self._call("put_item", deadline, **actions[0]["Put"])
            else:
                self.transact(actions, deadline)
        except Cancelled as error:
            if "ConditionalCheckFailed" in error.codes:
                return False
            raise SkillStoreError(f"a transaction failed: {error}", reason="refused") from error
        return True

    def new(self, item: Item) -> dict[str, Any]:
        """Action of a transaction that writes an item if it is not there yet."""
        condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        return {"Put": {"TableName": self.name, "Item": item, **condition}}

    def increase(self, key: Item, numbers: Mapping[str, int]) -> dict[str, Any]:
        """Action of a transaction that adds to attributes; the item is made if need be."""
        names = {f"#{place}": name for place, name in enumerate(numbers)}
        values = {f":{place}": {"N": str(number)} for place, number in enumerate(numbers.values())}
        terms = ",".join(f"#{place} :{place}" for place in range(len(numbers)))
        return {
            "Update": {
                "TableName": self.name,
                "Key": key,
                "UpdateExpression": f"ADD {terms}",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }

    def transact(self, actions: Sequence[Any], deadline: Deadline) -> None:
        """Do all actions or none.

        Parameters
        ----------
        actions : sequence
            Of `new` and `increase`, at most 100, each of another item.
        deadline : Deadline
            Time left.

        Raises
        ------
        Cancelled
            If an action is refused for good.
        SkillStoreError
            If it is not known to have been done.
        """
        token = str(uuid.uuid4())  # by which the service knows a repetition
        self._call(
            "transact_write_items",
            deadline,
            TransactItems=list(actions),
            ClientRequestToken=token,
        )

    def _call(self, operation: str, deadline: Deadline, **arguments: Any) -> Any:
        """Answer of a request that is repeated as long as that may help."""
        last = SkillStoreError(f"{operation}: no time was left", reason="throttled")
        for _ in deadline.pauses():
            try:
                with _translated(operation):
                    return getattr(self._client(), operation)(**arguments)
            except SkillStoreError as error:
                if error.reason not in ("throttled", "unavailable"):
                    raise
                last = error
        raise last

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                import boto3
                from botocore.config import Config

                config = Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"mode": "standard", "total_max_attempts": 1},
                )
                self._opened = boto3.session.Session().client("dynamodb", config=config)
            return self._opened


@contextmanager
def _translated(operation: str) -> Iterator[None]:
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    try:
        yield
    except exceptions.ClientError as error:
        raise _meaning(operation, error.response) from error
    except (
        exceptions.ChecksumError,
        exceptions.ConnectionError,
        exceptions.HTTPClientError,
        ResponseParserError,
    ) as error:
        raise SkillStoreError(f"{operation}: {error}", reason="unavailable") from error
    except exceptions.BotoCoreError as error:
        raise SkillStoreError(f"{operation}: {error}", reason="refused") from error


def _meaning(operation: str, response: Mapping[str, Any]) -> Exception:
    """What an error response of the service means."""
    code = response["Error"].get("Code", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reasons = [reason.get("Code") or "None" for reason in response.get("CancellationReasons", ())]
    if code == "ConditionalCheckFailedException":
        return Cancelled(["ConditionalCheckFailed"])
    if reasons and not set(reasons) - {"None"} <= _THROTTLED:
        return Cancelled(reasons)
    text = f"{operation}: {code} {', '.join(sorted(set(reasons) - {'None'}))}".rstrip()
    if code in _THROTTLED or reasons:
        return SkillStoreError(text, reason="throttled")
    return SkillStoreError(text, reason="unavailable" if status >= 500 else "refused")
