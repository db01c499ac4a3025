"""The primary: find sqld, run it, stop it."""
