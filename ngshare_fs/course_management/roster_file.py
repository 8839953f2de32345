"""Rosters as CSV files: read as a whole, or refused with every row that is wrong."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# What ngshare_exchange calls the column, and what `nbgrader db student import` calls it.
USER_COLUMNS = ("student_id", "id")
NAMES = ("first_name", "last_name", "email")
HEADER = ",".join((USER_COLUMNS[0], *NAMES))
DELIMITERS = ",;\t"
LARGEST = 16 * 2**20


class WrongRoster(Exception):
    """A file that is no roster.

    Args:
        text: what is wrong, or what follows from it.
        mistakes: the rows, all of them, and what is wrong in each.
    """

    def __init__(self, text: str, mistakes: Sequence[str] = ()) -> None:
        self.lines = [text, *(f"  {mistake}" for mistake in mistakes)]
        super().__init__("\n".join(self.lines))


@dataclass(frozen=True)
class Student:
    """A row.

    Args:
        user: the user name.
        names: those of `first_name`, `last_name` and `email` that the file has.
    """

    user: str
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Roster:
    """A file.

    Args:
        students: its rows.
        unknown_columns: those that mean nothing here.
    """

    students: list[Student]
    unknown_columns: list[str]


def read(file: Path) -> Roster:
    """The students in a file: UTF-8, with a first row that names the columns, separated by commas, semicolons or tabs.

    Args:
        file: its column `student_id` (or `id`, as nbgrader has it) is needed, the names are not.

    Raises:
        WrongRoster: it cannot be read, or a row is wrong.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise WrongRoster(f"{file}: {error.strerror}") from None
    if len(content) > LARGEST:
        raise WrongRoster(f"{file} is too large to be a roster")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise WrongRoster(f"{file}, line {row}: this is no UTF-8; save the file as CSV in UTF-8") from None
    return parse(text, str(file))


def parse(text: str, name: str) -> Roster:
    """The same from the text of a file called `name`."""
    rows = list(_rows(text, name))
    if not rows:
        raise WrongRoster(f"{name} is empty; its first row names the columns: {HEADER}")
    (first_number, columns), *others = rows
    user_column = _user_column(columns, f"{name}, row {first_number}")
    mistakes: list[str] = []
    students: dict[str, Student] = {}
    rows_of: dict[str, int] = {}
    for number, values in others:
        found = dict(zip(columns, values, strict=False))
        user = found.get(user_column, "")
        mistake = _mistake(columns, values, user, user_column)
        if mistake is None and user in students:
            mistake = f"{user} is in row {rows_of[user]}, too"
        if mistake is not None:
            mistakes.append(f"row {number}: {mistake}")
        else:
            names = {column: found.get(column, "") for column in NAMES if column in columns}
            students[user], rows_of[user] = Student(user, names), number
    if mistakes:
        raise WrongRoster(f"{name}: nothing was changed, because of", mistakes)
    if not students:
        # A roster that is empty by mistake would have `sync` remove everybody.
        raise WrongRoster(f"{name} has no students below its first row")
    known = (user_column, *NAMES)
    return Roster(list(students.values()), [column for column in columns if column and column not in known])


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Numbers, as a spreadsheet counts, and values of the rows that have any."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    number = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            values = [value.strip() for value in row]
            if any(values):
                yield number, values
    except csv.Error as error:
        raise WrongRoster(f"{name}: nothing was changed, because of", [f"row {number + 1}: {error}"]) from None


def _user_column(columns: Sequence[str], place: str) -> str:
    user_column = next((column for column in USER_COLUMNS if column in columns), None)
    if user_column is None:
        raise WrongRoster(f"{place}: there is no column {' or '.join(USER_COLUMNS)}; it names the columns: {HEADER}")
    for column in (user_column, *NAMES):
        if columns.count(column) > 1:
            raise WrongRoster(f"{place}: there are two columns {column}")
    return user_column


def _mistake(columns: Sequence[str], values: Sequence[str], user: str, user_column: str) -> str | None:
    if any(values[len(columns) :]):
        return f"it has {len(values)} values, but there are {len(columns)} columns"
    if not user:
        return f"the {user_column} is missing"
    if any(not value.isprintable() for value in values):
        return "it has control characters or line breaks"
    return None
