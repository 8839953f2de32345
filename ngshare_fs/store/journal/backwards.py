"""The journal from its end: the newest events, reading no more of the files than it takes.

A file is read in blocks from its end, and so are the files of a month side by side, always the one that may have the
latest lines. In a file of ours lines stand in the order of time, but for those that waited a moment to be written. A
file that somebody has put together by hand has no order, and is read whole.
"""

import heapq
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import journal_file
from ngshare_fs.store.journal.events import LONGEST_LINE, BrokenLine, Entry, JournalFile, entries_in, entries_of, files
from ngshare_fs.store.journal.search import Wanted, months_of
from ngshare_fs.store.volume import Volume

# Lines of one file are no more out of order than this: fetches wait a second, and a thread may have been held up.
SLACK = timedelta(seconds=10)
INSTANT = timedelta(microseconds=1)  # no two times are closer
PEEK, FIRST_BLOCK, LARGEST_BLOCK = 2**10, 2**12, 2**17
# Of journals, no more is read for one answer; the next one goes on where this one ended.
MOST_READ = 3 * 2**20
# A file smaller than that is read from its end rather than searched for a time.
SEARCHED = 2**12
MOST_BROKEN = 20

# How far a file has been read back: nothing later is to come. And an event, unless it says that alone.
Step = tuple[str, Entry | None]


@dataclass
class Newest:
    """What a look from the end gave.

    Args:
        entries: the newest first.
        broken: lines that cannot be understood, as far as any were met.
        older_than: where to go on, as `Wanted.until`; empty where nothing older is left.
        is_cut: whether that is so since much had to be read, not since enough was found.
    """

    entries: list[Entry] = field(default_factory=list)
    broken: list[BrokenLine] = field(default_factory=list)
    older_than: str = ""
    is_cut: bool = False


def newest(volume: Volume, wanted: Wanted, number: int, most_read: int = MOST_READ) -> Newest:
    """The newest of the events.

    Args:
        number: so many, or a few more where several have the same time.
        most_read: of the files, about so many bytes.

    Raises:
        OSError: a folder cannot be read.
    """
    found = Newest()
    reader = _Reader(volume, wanted, most_read, found.broken)
    listed = files(volume, wanted.course)
    for month in reversed(months_of(listed, wanted)):
        of_month = [reader.steps(file) for file in listed if file.month == month]
        for time, entry in heapq.merge(*of_month, key=lambda step: step[0], reverse=True):
            if time < wanted.since:
                return found
            last = found.entries[-1].time if found.entries else ""
            if len(found.entries) >= number and time < last:
                found.older_than = last
                return found
            if entry is not None:
                found.entries.append(entry)
            elif reader.left <= 0 and (not wanted.until or _moved(time, INSTANT) < wanted.until):
                # All that is later than this was seen, and that is more than the last time. What is of this very time
                # comes with the next look: of some files it may be among what was not read.
                while found.entries and found.entries[-1].time <= time:
                    found.entries.pop()
                found.older_than, found.is_cut = _moved(time, INSTANT), True
                return found
    return found


class _Reader:
    """Reads files back, and keeps count of what it reads."""

    def __init__(self, volume: Volume, wanted: Wanted, most_read: int, broken: list[BrokenLine]) -> None:
        self._volume = volume
        self._wanted = wanted
        self.left = most_read
        self._broken = broken
        # A line is ASCII, and a text in it stands as JSON has it: most lines need not be parsed.
        texts = (wanted.assignment, wanted.student, wanted.by, wanted.what)
        self._needles = [json.dumps(journal_file.bounded(text))[1:-1].encode() for text in texts if text]

    def steps(self, file: JournalFile) -> Iterator[Step]:
        """What a file has, the latest first."""
        if "." not in os.path.basename(file.place).removesuffix(journal_file.ENDING):
            yield from self._whole(file)
            return
        pending: list[tuple[str, bytes]] = []
        path = os.path.join(self._volume.root, file.place)
        try:
            end = self._end(path)
            # Of a thousand files, those whose last line is early need not be read further.
            tail = _read(path, PEEK, max(0, end - PEEK)).split(b"\n")
            last = next(filter(None, map(_time_of, reversed(tail))), None)
            if last is not None and (low := _later(last)):
                yield low, None
            for lines, is_first in self._blocks(path, end):
                pending += self._promising(lines, file.place)
                low = "" if is_first else _later(next(filter(None, map(_time_of, lines)), ""))
                if low or is_first:
                    pending.sort(key=lambda each: each[0])
                    while pending and pending[-1][0] > low:
                        yield from self._steps_of(pending.pop()[1], file.place)
                    if low:
                        yield low, None
        except OSError as error:
            self._note(BrokenLine(file.place, f"cannot be read: {error.strerror}"))

    def _whole(self, file: JournalFile) -> Iterator[Step]:
        entries = []
        for each in entries_in(self._volume, file.place):
            if isinstance(each, BrokenLine):
                self._note(each)
            elif self._wanted.is_met_by(each):
                entries.append(each)
        for entry in sorted(entries, key=lambda each: each.time, reverse=True):
            yield entry.time, entry

    def _promising(self, lines: list[bytes], place: str) -> Iterator[tuple[str, bytes]]:
        """The lines in which what is wanted may be, with their times; they are parsed when it is their turn."""
        for line in lines:
            if line and all(needle in line for needle in self._needles):
                times = [_time_of(part) for part in journal_file.separated(line)]
                if times[-1] is not None:
                    yield times[-1], line
                else:
                    # Written by somebody else in another way, or nothing that can be understood.
                    yield from ((step[0], line) for step in self._steps_of(line, place))

    def _steps_of(self, line: bytes, place: str) -> Iterator[Step]:
        for each in entries_of(line, place):
            if isinstance(each, BrokenLine):
                self._note(each)
            elif self._wanted.is_met_by(each):
                yield each.time, each

    def _blocks(self, path: str, end: int) -> Iterator[tuple[list[bytes], bool]]:
        """The lines of a file, block by block from its end, and whether they are the first ones of it."""
        position, size, rest = end, 0, b""
        while position > 0:
            size = min(max(FIRST_BLOCK, 2 * size), LARGEST_BLOCK)
            take = min(size, position)
            position -= take
            content = _read(path, take, position) + rest
            self.left -= take
            if position == 0:
                yield content.split(b"\n"), True
                return
            start = content.find(b"\n")
            rest = content if start < 0 else content[:start]
            if len(rest) > LONGEST_LINE:
                self._note(BrokenLine(os.path.relpath(path, self._volume.root), "not a line of the journal"))
                rest = b""
            if start >= 0:
                yield content[start + 1 :].split(b"\n"), False

    def _end(self, path: str) -> int:
        """Up to where a file has to be read: what is behind that is later than wanted."""
        with open(open_plain(path), "rb") as file:
            low, high = 0, os.fstat(file.fileno()).st_size
        until = _later(self._wanted.until)
        while until and high - low > SEARCHED:
            middle = (low + high) // 2
            if (_time_after(path, PEEK, middle) or _time_after(path, LONGEST_LINE, middle) or "") < until:
                low = middle
            else:
                high = middle
        # The line that begins there is to be whole.
        return high if high == low or not until else self._line_end(path, high)

    def _line_end(self, path: str, position: int) -> int:
        found = _read(path, LONGEST_LINE, position).find(b"\n")
        return position if found < 0 else position + found + 1

    def _note(self, broken: BrokenLine) -> None:
        if len(self._broken) < MOST_BROKEN:
            self._broken.append(broken)


def _time_after(path: str, size: int, position: int) -> str | None:
    """The time of the first whole line behind a place."""
    return next(filter(None, map(_time_of, _read(path, size, position).split(b"\n")[1:])), None)


def _read(path: str, size: int, position: int) -> bytes:
    # Opened each time: of a thousand files side by side, none is kept open.
    descriptor = open_plain(path)
    try:
        return os.pread(descriptor, size, position)
    finally:
        os.close(descriptor)


def _later(time: str) -> str:
    """A little later, as far as lines may be out of order; empty where it is no time."""
    return _moved(time, SLACK)


def _moved(time: str, by: timedelta) -> str:
    """Later by so much; empty where it is no time."""
    try:
        moment = datetime.fromisoformat(time.removesuffix(" UTC")) + by
    except (ValueError, OverflowError):
        return ""
    return f"{moment.isoformat(' ', 'microseconds')} UTC"


def _time_of(line: bytes) -> str | None:
    """When a line is from, without parsing all of it; None where it does not begin as ours do."""
    start = len(journal_file.START)
    if not line.startswith(journal_file.START):
        return None
    time = line[start : start + len(journal_file.EXAMPLE)].decode("ascii", "replace")
    return time if journal_file.is_time(time) else None
