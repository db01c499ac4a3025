"""TDQ, the language in which people say which issues they mean.

    wanted = parse("status = open AND priority <= P1 sort:-updated")
    found = compile_filter(wanted, Context(now=now, me=session))

Pure: text becomes a tree, and a tree becomes SQL with parameters. `tracker.listing` reads the issues.
"""

from tracker.tdq.comparisons import Context, Fragment
from tracker.tdq.compiler import SORTS, Compiled, compile_filter
from tracker.tdq.fields import FIELDS, RELATIONS
from tracker.tdq.functions import FUNCTIONS
from tracker.tdq.parser import parse, parse_comparison
from tracker.tdq.syntax import All, Any, Call, Comparison, Condition, Filter, Not, Operator, Sort, Value, Words, both

__all__ = [
    "FIELDS",
    "FUNCTIONS",
    "RELATIONS",
    "SORTS",
    "All",
    "Any",
    "Call",
    "Comparison",
    "Compiled",
    "Condition",
    "Context",
    "Filter",
    "Fragment",
    "Not",
    "Operator",
    "Sort",
    "Value",
    "Words",
    "both",
    "compile_filter",
    "parse",
    "parse_comparison",
]
