"""The command line of td."""
