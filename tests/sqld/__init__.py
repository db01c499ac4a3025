"""Tests of the package sqld against the real binary."""
