"""Tests of who you are and where your secrets live."""
