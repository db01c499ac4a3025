"""A network that fails on demand: a proxy for tests, between a client and a real sqld."""

from tests.faults.proxy import Counts, FaultProxy

__all__ = ["Counts", "FaultProxy"]
