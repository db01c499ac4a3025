"""A clock for tests."""


class Clock:
    """Seconds since 1970, as the test says: 2026-11-21T05:00:00Z until it is moved."""

    def __init__(self) -> None:
        self.now = 1_795_237_200.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        """Move it on."""
        self.now += seconds
