"""Moving in and out: what a tracker holds as a file, and what a file holds in a tracker.

from tracker import transfer
transfer.import_file(tracker, Path("issues.jsonl"), dry_run=True)
"""

from tracker.transfer.detect import Source
from tracker.transfer.dump import Dump
from tracker.transfer.errors import SourceError
from tracker.transfer.found import Remark
from tracker.transfer.importing import import_file
from tracker.transfer.intake import Outcome
from tracker.transfer.json_format import write_json
from tracker.transfer.markdown import write_markdown
from tracker.transfer.report import Difference, Summary
from tracker.transfer.sql_format import write_sql

__all__ = [
    "Difference",
    "Dump",
    "Outcome",
    "Remark",
    "Source",
    "SourceError",
    "Summary",
    "import_file",
    "write_json",
    "write_markdown",
    "write_sql",
]
