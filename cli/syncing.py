"""What a sync did, in words.

Always true: why something waits is said wherever it is said that something waits.
"""

from cli.config import Config
from tracker import Mode, ReplicaStatus, Stage, SyncReport


def sync_lines(report: SyncReport, config: Config) -> list[str]:
    """The result of a sync in one line."""
    if config.mode is Mode.LOCAL:
        return ["nothing to sync: mode local has no primary"]
    if config.mode is Mode.REMOTE:
        return ["nothing to sync: mode remote reads and writes on the primary itself"]
    details = [f"{count} {name}" for count, name in ((report.merged, "merged"), (report.parked, "parked")) if count]
    pushed = f"{report.pushed} pushed" + (f" ({', '.join(details)})" if details else "")
    head = "SYNCED" if report.error is None else f"NOT SYNCED (stopped at {report.stage.value})"
    if report.error is not None and report.stage is Stage.DONE:
        # All was fetched, and what the error is about stays here.
        head = "SYNCED IN PART"
    return [f"{head}: {pushed}, {report.pulled} pulled, {report.pending} pending"]


def sync_notes(report: SyncReport, status: ReplicaStatus, *, is_adopted: bool = False) -> list[str]:
    """What a person should know besides. is_adopted: the primary may be another than the one before."""
    notes = []
    if status.conflicts:
        waits = "1 conflict waits" if status.conflicts == 1 else f"{status.conflicts} conflicts wait"
        notes.append(f"{waits} for a decision: td conflicts")
    if report.lost and is_adopted:
        notes.append(
            f"this primary does not have {changes_told(report.lost)} that the one before had; {_ways(report.lost)}"
        )
    elif report.lost:
        had = f"{changes_told(report.lost)} it had"
        notes.append(f"the primary was restored from an older copy and lost {had}; {_ways(report.lost)}")
    elif status.lost:
        notes.append(f"the primary lost {changes_told(status.lost)} it had; {_ways(status.lost)}")
    return notes


def _ways(lost: int) -> str:
    kept, them = ("it is", "it") if lost == 1 else ("they are", "them")
    return f"{kept} kept here: td sync lost shows {them}, td sync --resend-lost sends {them} again"


def changes_told(count: int) -> str:
    """So many changes, in words."""
    return "1 change" if count == 1 else f"{count} changes"
