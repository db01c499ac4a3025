"""The tables and rules of td."""
