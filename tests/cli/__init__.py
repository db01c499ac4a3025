"""Tests of the command line, by the installed `td`."""
