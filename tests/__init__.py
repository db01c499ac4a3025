"""Tests of all packages, against a real sqld, real files and real processes."""
