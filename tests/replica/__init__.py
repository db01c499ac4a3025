"""Tests of the package replica, on real files, processes and primaries."""
