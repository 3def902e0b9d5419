"""A clock for tests."""


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.time = 1_000_000.0

    def __call__(self):
        return self.time
