"""What the text of a setting may be, and the value it stands for.

Each function takes the text and returns the value, or raises `ValueError` with the end of a
sentence that begins with the setting and its text.
"""

from __future__ import annotations

import math
import re

OUTPUT_STYLES = ("object", "builtin")
TIE_BREAKS = ("first", "neighbours")
LARGEST_SIGMA = 3.0
STRENGTHS = (0.001, 100_000.0)


def text(text: str) -> str:
    """Any text."""
    return text


def output_style(text: str) -> str:
    """One of `OUTPUT_STYLES`."""
    if text not in OUTPUT_STYLES:
        raise ValueError(f"is not one of {', '.join(OUTPUT_STYLES)}")
    return text


def algorithm(text: str) -> str:
    """The name of an algorithm; whether a task has it is for the task to say."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", text):
        raise ValueError("is not the name of an algorithm, such as majority")
    return text


def fraction(text: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0.0 <= number <= 1.0:
        raise ValueError("is not a number from 0 to 1")
    return number


def switch(text: str) -> bool:
    """``true`` or ``false``."""
    if text not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return text == "true"


def number(text: str) -> float:
    """A number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value < math.inf:
        raise ValueError("is not a number of 0 or more")
    return value


def strength(text: str) -> float:
    """A number of votes, above 0 and such that sums of votes stay exact enough."""
    value = number(text)
    smallest, largest = STRENGTHS
    if not smallest <= value <= largest:
        raise ValueError(f"is not a number from {smallest:g} to {largest:g}")
    return value


def half_life(text: str) -> float:
    """A number of days, or 0 for none."""
    value = number(text)
    if 0.0 < value < 1.0:
        raise ValueError("is not a number of days, or 0 for none")
    return value


def s3_object(text: str) -> str:
    """The S3 URI of an object."""
    if not re.fullmatch(r"s3://[^/]+/.+", text):
        raise ValueError("is not the S3 URI of an object")
    return text


def sigma(text: str) -> float:
    """A number of pixels that votes are smoothed over."""
    value = number(text)
    if value > LARGEST_SIGMA:
        raise ValueError(f"is not a number from 0 to {LARGEST_SIGMA:g}")
    return value


def tie_break(text: str) -> str:
    """One of `TIE_BREAKS`."""
    if text not in TIE_BREAKS:
        raise ValueError(f"is not one of {', '.join(TIE_BREAKS)}")
    return text


def whole_number(text: str) -> int:
    """A whole number of 0 or more."""
    if not text.isascii() or not text.isdecimal():
        raise ValueError("is not a whole number of 0 or more")
    return int(text)
