"""`ngshare-fs inspect`: what is on a volume, and what it takes."""

import argparse
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ngshare_fs.command.operator.data_folder import (
    DONE,
    SOMETHING_LEFT,
    add_data,
    add_json,
    opened_for_reading,
    server_option,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.settings import SettingsError
from ngshare_fs.settings.values import parse_integer, understand
from ngshare_fs.terminal.saying import say

if TYPE_CHECKING:
    from ngshare_fs.command.operator.usage_shown import Inspection
    from ngshare_fs.store import Volume

HELP = "what is on a volume, and what it takes"
DESCRIPTION = (
    "What is on a volume, and what it takes: courses, the assignments of one, the students of one of these, or a "
    "student's submissions. Exit code 0: shown; 1: some of it could not be read, the rest is shown; 2: wrong use."
)
MOST_PROBLEMS = 5
MOST_LARGEST = 10_000


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    parser.add_argument("course", metavar="COURSE", nargs="?", help="its assignments")
    parser.add_argument("assignment", metavar="ASSIGNMENT", nargs="?", help="who handed in to this one")
    parser.add_argument("student", metavar="STUDENT", nargs="?", help="what they handed in to it")
    parser.add_argument("--tree", action="store_true", help="as a tree, two levels deep")
    parser.add_argument("--largest", metavar="N", help="also the N largest courses, assignments, students and files")
    add_data(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Look, and show what there is.

    Returns:
        The exit code.

    Raises:
        SettingsError: the folder is wrong, or a name leads nowhere.
    """
    largest = 0 if given.largest is None else understand(parse_integer(1, MOST_LARGEST), given.largest, "--largest")
    from ngshare_fs.command.operator import usage_shown

    try:
        with opened_for_reading(given) as volume:
            found = _look(volume, given, largest)
    except OSError as error:
        raise SettingsError(f"{error.filename or given.data}: {error.strerror}") from None
    if given.json:
        print_document(usage_shown.as_json(found))
    else:
        for line in usage_shown.as_tree(found) if given.tree else usage_shown.as_tables(found):
            print(line)
    for course in found.courses:
        for problem in course.problems[:MOST_PROBLEMS]:
            say(f"{course.name}: unreadable: {problem}", sys.stderr)
        if course.problems[MOST_PROBLEMS:]:
            say(f"{course.name}: … and {len(course.problems) - MOST_PROBLEMS} more: see `verify`", sys.stderr)
    return SOMETHING_LEFT if any(course.problems for course in found.courses) else DONE


def _look(volume: "Volume", given: argparse.Namespace, largest: int) -> "Inspection":
    from ngshare_fs.command.operator.usage_shown import Inspection
    from ngshare_fs.store.errors import CourseNotFound
    from ngshare_fs.store.quota import Limits
    from ngshare_fs.store.upkeep.largest import largest_files
    from ngshare_fs.store.upkeep.trash_entries import entries_in, size_of_entry
    from ngshare_fs.store.upkeep.usage import count_assignments, names_of_courses, submissions_of, usage_of_course
    from ngshare_fs.terminal.progress import progress

    names = names_of_courses(volume)
    if given.course is not None:
        _check_name("course", given.course, names)
        names = [given.course]
    limits = Limits(*(server_option(name) for name in ("quota-volume", "quota-course", "quota-student")))
    found = Inspection(given.course, given.assignment, given.student, largest, limits)
    rounds = 2 if largest else 1
    with progress("looking", rounds * count_assignments(volume, names), "assignments") as step:
        for name in names:
            try:
                found.courses.append(usage_of_course(volume, name, lambda: step(1)))
            except CourseNotFound:
                continue  # deleted meanwhile
        _check_below(found)
        if largest:
            found.files = largest_files(volume, names, largest, found.is_shown, lambda: step(1))
    for entry in entries_in(volume, given.course):
        course = given.course or (entry.deletion.course if entry.deletion is not None else "")
        found.trash[course] = found.trash.get(course, 0) + size_of_entry(volume, entry).bytes
    if given.student is not None:
        found.submissions = submissions_of(volume, given.course, given.assignment, given.student, lambda _: None)
    return found


def _check_below(found: "Inspection") -> None:
    if found.assignment is None or not found.courses:
        return
    assignments = {each.name: each for each in found.courses[0].assignments}
    _check_name("assignment", found.assignment, list(assignments))
    if found.student is not None:
        _check_name("student", found.student, list(assignments[found.assignment].students))


def _check_name(what: str, name: str, names: list[str]) -> None:
    """Look whether a name leads somewhere.

    Raises:
        SettingsError: it does not.
    """
    if name in names:
        return
    by_small_letters = {each.lower(): each for each in names}
    near = get_close_matches(name.lower(), by_small_letters, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(repr(by_small_letters[each]) for each in near)}?" if near else ""
    nobody = "nobody of that name handed in there" if what == "student" else f"there is no {what} of that name"
    raise SettingsError(f"{name!r}: {nobody}{hint}")
