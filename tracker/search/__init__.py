"""Full-text search over issues, their comments, logs and handoffs."""

from tracker.search.documents import Where
from tracker.search.finding import LIMIT, Hit, find
from tracker.search.health import check_index
from tracker.search.keeping import FILE_NAME
from tracker.search.snippets import Snippet

__all__ = ["FILE_NAME", "LIMIT", "Hit", "Snippet", "Where", "check_index", "find"]
