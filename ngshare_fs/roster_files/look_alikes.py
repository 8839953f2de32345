"""User names in a file beside those on the server that are nearly the same."""

from collections.abc import Iterable, Sequence

from ngshare_fs.roster_files.characters import composed, spelling
from ngshare_fs.roster_files.roster_file import Student


def spelled_as_there(students: Iterable[Student], present: Iterable[str]) -> list[Student]:
    """The students with the user names that the server has, where only the accents are stored in another way.

    A file from a Mac may have `é` as two characters; nobody could tell the two accounts from each other.
    """
    there = {composed(user): user for user in present}
    exact = set(there.values())
    return [
        student if student.user in exact else Student(there.get(composed(student.user), student.user), student.names)
        for student in students
    ]


def in_other_capitals(students: Iterable[Student], present: Iterable[str]) -> Sequence[tuple[str, str]]:
    """The user names of students whom the server does not have, but has in other capitals: theirs, and the server's."""
    users = set(present)
    there = {spelling(user): user for user in users}
    return [
        (student.user, there[spelling(student.user)])
        for student in students
        if student.user not in users and spelling(student.user) in there
    ]
