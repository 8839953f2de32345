"""Finding events in the journal: its files put together, in the order of time."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format.journal_file import READS, bounded
from ngshare_fs.store.journal.events import LONGEST_LINE, BrokenLine, Entry, JournalFile, entries_in, entries_of, files
from ngshare_fs.store.volume import Volume

LOOK_SECONDS = 0.5
# As the place up to which a file was read: more than any is long, so that it is read from the start once it can be.
UNREADABLE = 2**63


@dataclass(frozen=True)
class Wanted:
    """Which events. What is empty does not matter.

    Args:
        course, assignment, student: what they are about.
        by: who did it.
        what: the word for it.
        since: from this timestamp on.
        until: before this timestamp.
        without_reads: no events by which nothing was changed.
    """

    course: str = ""
    assignment: str = ""
    student: str = ""
    by: str = ""
    what: str = ""
    since: str = ""
    until: str = ""
    without_reads: bool = False

    def is_met_by(self, entry: Entry) -> bool:
        """Whether this is one of them."""
        event = entry.event
        return (
            entry.time >= self.since
            and (not self.until or entry.time < self.until)
            and not (self.without_reads and event.what in READS)
            and all(
                not wanted or bounded(wanted) == found
                for wanted, found in (
                    (self.assignment, event.assignment),
                    (self.student, event.student),
                    (self.by, event.by),
                    (self.what, event.what),
                )
            )
        )


def has_journal(volume: Volume, course: str) -> bool:
    """Whether anything was ever recorded of a course, also where it is gone since."""
    return bool(files(volume, course))


def found(volume: Volume, wanted: Wanted) -> Iterator[Entry | BrokenLine]:
    """The events, oldest first; broken lines come before the events of their month.

    Raises:
        OSError: a folder cannot be read.
    """
    for month in _months(volume, wanted):
        yield from _of_month(volume, wanted, month)


def newest(volume: Volume, wanted: Wanted, number: int) -> list[Entry | BrokenLine]:
    """The newest of the events, oldest first, and the broken lines that were met on the way.

    Raises:
        OSError: a folder cannot be read.
    """
    chosen: list[Entry] = []
    broken: list[BrokenLine] = []
    for month in reversed(_months(volume, wanted)):
        if len(chosen) >= number:
            break
        of_month: list[Entry] = []
        for each in _of_month(volume, wanted, month):
            if isinstance(each, BrokenLine):
                broken.append(each)
            else:
                of_month.append(each)
        chosen = [*of_month, *chosen]
    return [*broken, *chosen[max(0, len(chosen) - number) :]]


def _months(volume: Volume, wanted: Wanted) -> list[str]:
    return months_of(files(volume, wanted.course), wanted)


def months_of(listed: list[JournalFile], wanted: Wanted) -> list[str]:
    """The months, oldest first, in which there may be some of the events."""
    months = sorted({file.month for file in listed})
    # A line is in the file of the month of its time.
    return [each for each in months if each >= wanted.since[:7] and (not wanted.until or each <= wanted.until[:7])]


def _of_month(volume: Volume, wanted: Wanted, month: str) -> Iterator[Entry | BrokenLine]:
    entries = []
    for file in files(volume, wanted.course):
        if file.month == month:
            for each in entries_in(volume, file.place):
                if isinstance(each, BrokenLine):
                    yield each
                elif wanted.is_met_by(each):
                    entries.append(each)
    yield from sorted(entries, key=lambda entry: entry.time)


class Following:
    """What is added to the journal; at first that is all that there is.

    Args:
        volume: whose.
        wanted: which events.
    """

    def __init__(self, volume: Volume, wanted: Wanted) -> None:
        self._volume = volume
        self._wanted = wanted
        self._read: dict[str, int] = {}

    def added(self) -> list[Entry | BrokenLine]:
        """What was added since the last look, in the order of time. A line that is not whole yet is left for later.

        Raises:
            OSError: a folder cannot be read.
        """
        found: list[Entry] = []
        broken: list[Entry | BrokenLine] = []
        for file in files(self._volume, self._wanted.course):
            if file.month >= self._wanted.since[:7]:
                for each in self._added_to(file.place):
                    if isinstance(each, BrokenLine):
                        broken.append(each)
                    elif self._wanted.is_met_by(each):
                        found.append(each)
        return [*broken, *sorted(found, key=lambda entry: entry.time)]

    def forever(self) -> Iterator[Entry | BrokenLine]:
        """The same, without an end."""
        while True:
            time.sleep(LOOK_SECONDS)
            yield from self.added()

    def _added_to(self, place: str) -> Iterator[Entry | BrokenLine]:
        try:
            with open(open_plain(os.path.join(self._volume.root, place)), "rb") as file:
                start = self._read.get(place, 0)
                size = os.fstat(file.fileno()).st_size
                if size < start:
                    start = 0  # somebody removed the file, and this is another one
                file.seek(start)
                while (line := file.readline(LONGEST_LINE)) and (line.endswith(b"\n") or len(line) == LONGEST_LINE):
                    start += len(line)
                    yield from entries_of(line, place)
                self._read[place] = start
        except OSError as error:
            if self._read.get(place) != UNREADABLE:
                self._read[place] = UNREADABLE
                yield BrokenLine(place, f"cannot be read: {error.strerror}")
