"""What is done, written as a line of the journal and read from it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import journal_file, layout, timestamp
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.volume import Volume

# More than the longest line that is ever written.
LONGEST_LINE = 2**17


@dataclass(frozen=True)
class Event:
    """One thing that was done.

    Args:
        what: a word for it: `release`, `submit`, `restore`, …
        by: who did it; the name of the system's user where `via` is `command`.
        via: `api`, `page` or `command`.
        course, assignment, student: what it was done to, as far as it applies.
        detail: the rest, in words or as a timestamp.
    """

    what: str
    by: str
    via: str
    course: str = ""
    assignment: str = ""
    student: str = ""
    detail: str = ""


class Entry(NamedTuple):
    """An event as it was recorded."""

    time: Timestamp
    event: Event


@dataclass(frozen=True)
class BrokenLine:
    """A line that cannot be understood, or a file that cannot be read.

    Args:
        place: of the file, below the volume's folder, and the number of the line where it is one.
        problem: what is wrong.
    """

    place: str
    problem: str


def listed(names: Sequence[str]) -> str:
    """Names as the journal has them."""
    return f"{len(names)}: {', '.join(names)}" if names else ""


def record(volume: Volume, event: Event, is_read: bool = False) -> None:
    """Write a line, after what it says was done. What cannot be written is logged, and fails nobody's work.

    Args:
        is_read: whether somebody has only read something, and does not wait for the line.
    """
    moment = timestamp.now()
    write = volume.journal.write_later if is_read else volume.journal.write
    write(_place(event.course), moment, journal_file.line_of(moment, vars(event)))


def _place(course: str) -> str:
    return f"{layout.JOURNAL_OF_COURSES}/{folder_of(course)}" if course else layout.JOURNAL_OF_VOLUME


class JournalFile(NamedTuple):
    """One file of the journal: its month, and its place below the volume's folder."""

    month: str
    place: str


def files(volume: Volume, course: str = "") -> list[JournalFile]:
    """The files that there are, by month.

    Args:
        course: of this one alone.

    Raises:
        OSError: a folder cannot be read.
    """
    if course:
        places = [_place(course)]
    else:
        courses = layout.names_in(os.path.join(volume.root, layout.JOURNAL_OF_COURSES))
        places = [layout.JOURNAL_OF_VOLUME, *(f"{layout.JOURNAL_OF_COURSES}/{name}" for name in courses)]
    found = []
    for place in places:
        for name in layout.names_in(os.path.join(volume.root, place)):
            month = journal_file.month_of(name)
            if month is not None:
                found.append(JournalFile(month, f"{place}/{name}"))
    return sorted(found)


def entries_in(volume: Volume, place: str) -> Iterator[Entry | BrokenLine]:
    """What a file says, and what of it cannot be understood, in the order of its lines.

    Args:
        place: its place below the volume's folder.
    """
    try:
        with open(open_plain(os.path.join(volume.root, place)), "rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                yield from entries_of(line, f"{place}:{number}")
    except OSError as error:
        yield BrokenLine(place, f"cannot be read: {error.strerror}")


def entries_of(line: bytes, place: str) -> Iterator[Entry | BrokenLine]:
    """What a line says: nothing where it is empty, and what follows a torn line all the same."""
    for part in journal_file.separated(line):
        understood = journal_file.understand(part)
        if understood is not None:
            blank = dict.fromkeys(("what", "by", "via"), "")
            yield Entry(understood.time, Event(**{**blank, **understood.fields}))
        elif part.strip():
            yield BrokenLine(place, "not a line of the journal")
