"""Tests of `tracker.search`."""
