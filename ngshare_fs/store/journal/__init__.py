"""The journal: who did what, a line of JSON for each thing done. A record for people; nothing is ever decided by it."""

from ngshare_fs.store.journal.events import (
    LONGEST_LINE,
    BrokenLine,
    Entry,
    Event,
    JournalFile,
    entries_in,
    entries_of,
    files,
    listed,
    record,
)

__all__ = [
    "LONGEST_LINE",
    "BrokenLine",
    "Entry",
    "Event",
    "JournalFile",
    "entries_in",
    "entries_of",
    "files",
    "listed",
    "record",
]
