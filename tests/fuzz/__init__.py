"""Fuzzing: everything that is read from outside the process, with whatever may stand there.

    python -m tests.fuzz --minutes 5

Each property is a strategy for inputs and a check of the promises: no traceback (typed errors only), no hang, nothing
written in part. `test_fuzz.py` tries a few inputs for each, always the same ones; the command tries as many as it has
time for, and counts them.
"""
