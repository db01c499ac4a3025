"""Tests of the tables and rules of td."""
