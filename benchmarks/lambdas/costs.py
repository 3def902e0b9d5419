"""What 1,000 data objects cost on AWS Lambda: list prices times measured time, nothing else.

The prices are those of the page "AWS Lambda Pricing" (aws.amazon.com/lambda/pricing) for US East
(N. Virginia), first tier, without the free tier, as others quoted that page on `PRICES_OF`; the
page itself was not read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

PRICES_OF = "2026-11-22"
PRICE_SOURCE = "AWS Lambda Pricing, US East (N. Virginia), first tier, no free tier"
USD_PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
USD_PER_REQUEST = 0.0000002
MB_PER_GB = 1024
MB_PER_PROCESSOR = 1769
"""Memory at which Lambda gives a function the time of one whole vCPU, as its guide says."""

PER = 1000


def processor_share(memory_mb: int) -> float:
    """Share of a vCPU that comes with an amount of memory.

    Examples
    --------
    >>> round(processor_share(512), 3)
    0.289
    """
    return memory_mb / MB_PER_PROCESSOR


def billed_ms(durations_ms: Sequence[float]) -> float:
    """Mean of durations of which each is rounded up to a whole millisecond, as AWS bills them.

    Examples
    --------
    >>> billed_ms([0.2, 3.5])
    2.5
    """
    return sum(map(math.ceil, durations_ms)) / len(durations_ms)


def cost(*, billed: float, memory_mb: int, objects_per_call: int) -> dict[str, Any]:
    """US dollars for `PER` data objects.

    Parameters
    ----------
    billed : float
        Milliseconds of one call.
    memory_mb : int
        The function's memory.
    objects_per_call : int
        Data objects of one call.

    Returns
    -------
    dict
        Number of calls, GB-seconds, dollars for requests, and dollars in all on each processor;
        the same time is taken for both.

    Examples
    --------
    >>> found = cost(billed=20, memory_mb=1024, objects_per_call=50)
    >>> found["calls"], round(found["gb_seconds"], 3), round(1e6 * found["usd_x86_64"], 2)
    (20, 0.4, 10.67)
    """
    calls = math.ceil(PER / objects_per_call)
    gb_seconds = calls * billed / 1000 * memory_mb / MB_PER_GB
    requests = calls * USD_PER_REQUEST
    found: dict[str, Any] = {"calls": calls, "gb_seconds": gb_seconds, "usd_requests": requests}
    for processor, price in USD_PER_GB_SECOND.items():
        found[f"usd_{processor}"] = requests + gb_seconds * price
    return found
