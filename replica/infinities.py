"""Infinities in the answers of a primary, whose JSON has no word for them.

An infinite float arrives as null, without its sign (measured). SQLite has no NaN, so one stands for it until the
primary was asked for the sign, in a transaction with the same question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from replica.hrana import Answer, BatchAnswer, Statement, Step, understanding
from replica.mutation import StoredValue


class _Batches(Protocol):
    def batch(self, steps: Sequence[Step]) -> BatchAnswer:
        """Run the steps in one request."""


def read_exactly(hrana: _Batches, statements: Sequence[Statement], answer: BatchAnswer) -> list[Answer]:
    """The answers of statements that read, asked again where a float came without its value."""
    answers = [answer.answer(position) for position in range(len(statements))]
    if not any(_is_untold(value) for one in answers for row in one.rows for value in row):
        return answers
    signs = [_signs(statement, one) for statement, one in zip(statements, answers, strict=True)]
    steps = [Step(Statement("BEGIN")), *map(Step, (*statements, *signs)), Step(Statement("COMMIT"))]
    again = hrana.batch(steps)
    count = len(statements)
    with understanding():
        return [_told(again.answer(1 + position), again.answer(1 + count + position)) for position in range(count)]


def _is_untold(value: StoredValue) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _signs(statement: Statement, answer: Answer) -> Statement:
    names = [f"c{position}" for position in range(len(answer.columns))]
    signs = ", ".join(f"(({name} IS 9e999) - ({name} IS -9e999))" for name in names)
    sql = statement.sql.rstrip().rstrip(";")
    return Statement(f"WITH answer ({', '.join(names)}) AS ({sql}\n) SELECT {signs} FROM answer", statement.args)


def _told(answer: Answer, signs: Answer) -> Answer:
    rows = [
        tuple(
            math.copysign(math.inf, int(str(sign))) if _is_untold(value) else value
            for value, sign in zip(row, signs_of_row, strict=True)
        )
        for row, signs_of_row in zip(answer.rows, signs.rows, strict=True)
    ]
    return Answer(answer.columns, rows)
