"""Names for workers that do not tell who they are."""

from __future__ import annotations

import hashlib
import hmac

PREFIX = "worker-"
DIGITS = 16


def pseudonym(worker_id: str, key: str) -> str:
    """A worker's pseudonym: the same for the same key, another for another.

    Parameters
    ----------
    worker_id : str
        The id; the empty one, of an answer that names no worker, stays empty.
    key : str
        Who knows it can tell whose pseudonym it is, by trying all ids.

    Examples
    --------
    >>> pseudonym("private.us-west-2.1a2b3c4d5e6f7081", "labeling-job/tide-pools-01")
    'worker-2106e48b47b59673'
    """
    if not worker_id:
        return ""
    digest = hmac.new(key.encode(), worker_id.encode(errors="surrogatepass"), hashlib.sha256)
    return f"{PREFIX}{digest.hexdigest()[:DIGITS]}"
