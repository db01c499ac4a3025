"""How a batch is answered: from what was said before, or by writing its rows.

Always true: of two requests with one id at once, one is written, and both get its answer.
"""

from typing import Final

from auth.tokens import Role
from sqld.gateway.batch import Batch, answer_of, keep_answer, kept_answer, read_batch
from sqld.gateway.credentials import Caller
from sqld.gateway.parts import Parts
from sqld.gateway.refusals import RefusedError

_REQUESTS_KEPT_S: Final = 7 * 86_400


def write_batch(parts: Parts, caller: Caller, body: bytes) -> str:
    """The answer to a batch, as JSON. Raises RefusedError; then some rows may be written, and it can be sent again."""
    if parts.write_rows is None:
        raise RefusedError("unavailable")
    request_id, rows = read_batch(body)
    with parts.writers.among(caller.tenant), parts.turns.turn(caller.tenant, request_id):
        kept = kept_answer(parts.registry, caller.tenant, request_id, body)
        if kept is not None:
            return kept
        batch = Batch(
            caller.namespace,
            lambda: parts.tokens.token(caller.tenant, Role.RW),
            sender=caller.id,
            request_id=request_id,
            rows=rows,
        )
        outcomes = parts.write_rows(batch)
        for outcome in outcomes:
            parts.numbers.rows.labels(outcome.result.value).inc()
        answer = answer_of(request_id, rows, outcomes)
        now = parts.clock()
        parts.registry.requests.forget(before=int(now) - _REQUESTS_KEPT_S)
        return keep_answer(parts.registry, caller.tenant, request_id, body, answer, now=now)
