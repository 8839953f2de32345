"""Checks the journal: its names, and that each line is what a program can read."""

import json
import os
from collections.abc import Iterator

from ngshare_fs.store.checking.findings import JOURNAL_LINE_BROKEN, NAME_NOT_CANONICAL, UNREADABLE, Finding
from ngshare_fs.store.checking.open_folder import OpenFolder, look_into, unexpected_entries
from ngshare_fs.store.format import journal_file, layout
from ngshare_fs.store.format.names import is_cut, name_of

# A line says who did what. What is longer is none, and must not fill the memory.
LONGEST_LINE = 2**20

_COURSES = os.path.basename(layout.JOURNAL_OF_COURSES)
_VOLUME = os.path.basename(layout.JOURNAL_OF_VOLUME)


def check_journal(journal: OpenFolder, course_folder: str | None = None) -> Iterator[Finding]:
    """Check the journal.

    Args:
        course_folder: the folder of the only course that is looked at.
    """
    present = yield from unexpected_entries(journal, folders=(_COURSES, _VOLUME))
    if _COURSES in present:
        yield from look_into(journal, _COURSES, lambda courses: _check_courses(courses, course_folder))
    if _VOLUME in present and course_folder is None:
        yield from look_into(journal, _VOLUME, _check_months)


def _check_courses(courses: OpenFolder, only: str | None) -> Iterator[Finding]:
    for name in (yield from unexpected_entries(courses)):
        if only not in (None, name):
            continue
        if not is_cut(name) and name_of(name) is None:
            yield NAME_NOT_CANONICAL.at(courses.path(name))
        yield from look_into(courses, name, _check_months)


def _check_months(folder: OpenFolder) -> Iterator[Finding]:
    try:
        names = folder.names()
    except OSError as error:
        yield UNREADABLE.at(folder.path(), error.strerror)
        return
    months = [name for name in names if journal_file.month_of(name) is not None]
    for name in (yield from unexpected_entries(folder, months, ())):
        try:
            yield from _check_lines(folder, name)
        except FileNotFoundError:
            continue  # removed since it was listed
        except OSError as error:
            yield UNREADABLE.at(folder.path(name), error.strerror)


def _check_lines(folder: OpenFolder, name: str) -> Iterator[Finding]:
    with os.fdopen(folder.open_file(name), "rb") as file:
        folder.tally.file()
        number = 1
        while line := file.readline(LONGEST_LINE):
            folder.tally.piece(len(line))
            is_whole = line.endswith(b"\n")
            if not is_whole and len(line) < LONGEST_LINE:
                return  # the last line, torn by a crash, or just being written
            if not _is_understood(line):
                yield JOURNAL_LINE_BROKEN.at(folder.path(name), f"line {number}")
            while not is_whole and (line := file.readline(LONGEST_LINE)):
                folder.tally.piece(len(line))
                is_whole = line.endswith(b"\n")
            number += 1


def _is_understood(line: bytes) -> bool:
    """Whether it is an object, or nothing, or what a crash leaves: a torn line that the next writer has ended."""
    *torn, last = journal_file.separated(line.strip(b"\0 \r\n"))
    if all(journal_file.is_begun(part) for part in torn) and (not last or journal_file.is_begun(last)):
        return True
    try:
        return isinstance(json.loads(last), dict)
    except (ValueError, RecursionError):
        return False
