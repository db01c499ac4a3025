"""A network that fails on demand, for tests."""
