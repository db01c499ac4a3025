"""What a sync did, in words.

Always true: why something waits is said wherever it is said that something waits.
"""

from cli.config import Config
from tracker import Mode, SyncReport


def sync_lines(report: SyncReport, config: Config) -> list[str]:
    """The result of a sync in one line."""
    if config.mode is Mode.LOCAL:
        return ["nothing to sync: mode local has no primary"]
    if config.mode is Mode.REMOTE:
        return ["nothing to sync: mode remote reads and writes on the primary itself"]
    details = [f"{count} {name}" for count, name in ((report.merged, "merged"), (report.parked, "parked")) if count]
    pushed = f"{report.pushed} pushed" + (f" ({', '.join(details)})" if details else "")
    head = "SYNCED" if report.error is None else f"NOT SYNCED (stopped at {report.stage.value})"
    return [f"{head}: {pushed}, {report.pulled} pulled, {report.pending} pending"]


def sync_notes(report: SyncReport, conflicts: int) -> list[str]:
    """What a person should know besides."""
    notes = []
    if conflicts:
        waits = "1 conflict waits" if conflicts == 1 else f"{conflicts} conflicts wait"
        notes.append(f"{waits} for a decision: td conflicts")
    if report.lost:
        notes.append(
            f"the primary was restored from an older copy: {report.lost} changes it had are gone there; "
            "td sync pending shows what is still to be sent"
        )
    return notes
