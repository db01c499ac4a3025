"""The gateway: who may come in, to which tenant, how often; beside an nginx that asks it.

Always true: no client's word decides which tenant's data it reaches, except for the credential that it holds.
"""

from sqld.gateway.app import make_app
from sqld.gateway.batch import Batch, Op, Outcome, Result, RowToWrite, WriteRows
from sqld.gateway.credentials import Caller, Kind, SignIn
from sqld.gateway.first_use import FirstUse, Migrate
from sqld.gateway.limits import Limits
from sqld.gateway.organisations import Organisations
from sqld.gateway.parts import PER_MINUTE, Administration, Parts
from sqld.gateway.primary_tokens import PrimaryTokens
from sqld.gateway.refusals import RefusedError, TenantNotReadyError
from sqld.gateway.request_log import Numbers
from sqld.gateway.serving import answering, log_to_stderr, serve

__all__ = [
    "PER_MINUTE",
    "Administration",
    "Batch",
    "Caller",
    "FirstUse",
    "Kind",
    "Limits",
    "Migrate",
    "Numbers",
    "Op",
    "Organisations",
    "Outcome",
    "Parts",
    "PrimaryTokens",
    "RefusedError",
    "Result",
    "RowToWrite",
    "SignIn",
    "TenantNotReadyError",
    "WriteRows",
    "answering",
    "log_to_stderr",
    "make_app",
    "serve",
]
