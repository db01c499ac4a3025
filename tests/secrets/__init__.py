"""Tests that plant secrets, and search all that came out for them."""
