"""A simulation of many clients, a failing network and a failing primary, and the checker that judges what came of it.

python -m tests.simulation --seed 1 --clients 10 --steps 500

Always true: the seed decides what is tried; what came of it is judged from the history alone.
"""
