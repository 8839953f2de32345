"""What somebody pasted about people: user names, or a table; and the people whom it means."""

from collections.abc import Collection, Mapping

from ngshare_fs.formats.sentence import Sentence, sentence
from ngshare_fs.roster_files import csv_text, look_alikes
from ngshare_fs.roster_files.characters import how_they_differ
from ngshare_fs.roster_files.roster_file import Student
from ngshare_fs.roster_files.rows import WrongRoster
from ngshare_fs.web.frame.page import Field, Wrong

# What is said of a text in the place of a file's name.
NAME = "pasted"
LONGEST = 400_000
# Of each kind of change, as many are shown by name.
MOST_SHOWN = 200
# What was pasted, and a file in its place.
PEOPLE, FILE = "people", "file"
FIELDS = (Field(PEOPLE, LONGEST, required=False), Field(FILE, LONGEST, required=False, is_file=True))


def text_in(values: Mapping[str, str]) -> str:
    """What was pasted, or what is in the file that was chosen.

    Raises:
        Wrong: there is neither, or the file is no text.
    """
    content = values.get(FILE, "").encode("latin-1", "replace")
    if content:
        try:
            return csv_text.decode(content)
        except csv_text.NoText as error:
            raise Wrong({FILE: error.problem}) from None
    if not values[PEOPLE].strip():
        raise Wrong({PEOPLE: "wrong.missing"})
    return values[PEOPLE]


def mistakes_of(error: WrongRoster) -> list[str]:
    """What is wrong with it, as a page lists it."""
    return list(error.mistakes) or [error.problem]


def spelled_as_there(user: str, there: Collection[str]) -> str:
    """A user name as the roster has it, where only accents are stored in another way."""
    (found,) = look_alikes.spelled_as_there([Student(user)], there)
    return found.user


def in_other_capitals(user: str, there: Collection[str]) -> Sentence | None:
    """What is wrong with a user name that the roster has in other capitals; None where it has not."""
    return next(iter(all_in_other_capitals([Student(user)], there)), None)


def all_in_other_capitals(students: Collection[Student], there: Collection[str]) -> list[Sentence]:
    """The same of many."""
    return [
        sentence("{user} is on the roster as {other}: {how}", user=user, other=other, how=how_they_differ(user, other))
        for user, other in look_alikes.in_other_capitals(students, there)
    ]
