"""Rosters as CSV files: read as a whole, or refused with the row that is wrong."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

USER = "student_id"
NAMES = ("first_name", "last_name", "email")
LARGEST = 16 * 2**20


class WrongRoster(Exception):
    """A file that is no roster. The text names the rows, all of them, and what is wrong in each."""


@dataclass(frozen=True)
class Student:
    """A row.

    Args:
        user: the user name.
        names: those of `first_name`, `last_name` and `email` that the file has.
    """

    user: str
    names: dict[str, str] = field(default_factory=dict)


def read(file: Path) -> list[Student]:
    """The students in a file: UTF-8, with a first row that names the columns, separated by commas or semicolons.

    Args:
        file: its column `student_id` is needed, the names are not; other columns are ignored.

    Raises:
        WrongRoster: it cannot be read, or a row is wrong.
    """
    try:
        if file.stat().st_size > LARGEST:
            raise WrongRoster(f"{file} is too large to be a roster")
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise WrongRoster(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        raise WrongRoster(f"{file}, line {row}: this is no UTF-8; save the file as CSV in UTF-8") from None
    return parse(text, str(file))


def parse(text: str, name: str) -> list[Student]:
    """The same from the text of a file called `name`."""
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise WrongRoster(f"{name}: {error}") from None
    if not rows:
        raise WrongRoster(f"{name} is empty; its first row names the columns: {USER},{','.join(NAMES)}")
    columns = [column.strip() for column in rows[0]]
    if USER not in columns:
        raise WrongRoster(f"{name}, row 1: there is no column {USER}; the first row names the columns")
    for column in (USER, *NAMES):
        if columns.count(column) > 1:
            raise WrongRoster(f"{name}, row 1: there are two columns {column}")
    mistakes: list[str] = []
    students: dict[str, Student] = {}
    rows_of: dict[str, int] = {}
    for number, row in enumerate(rows[1:], 2):
        values = [value.strip() for value in row]
        if not any(values):
            continue
        mistake = _mistake(columns, values)
        if mistake is None:
            found = dict(zip(columns, values, strict=False))
            user = found[USER]
            if user in students:
                mistake = f"{user} is in row {rows_of[user]}, too"
            else:
                names = {column: found.get(column, "") for column in NAMES if column in columns}
                students[user], rows_of[user] = Student(user, names), number
        if mistake is not None:
            mistakes.append(f"row {number}: {mistake}")
    if mistakes:
        raise WrongRoster(f"{name}: nothing was changed, because of\n  " + "\n  ".join(mistakes))
    return list(students.values())


def _mistake(columns: list[str], values: list[str]) -> str | None:
    if len(values) > len(columns) and any(values[len(columns) :]):
        return f"it has {len(values)} values, but there are {len(columns)} columns"
    position = columns.index(USER)
    if len(values) <= position or not values[position]:
        return f"the {USER} is missing"
    if any(not value.isprintable() for value in values):
        return "it has control characters or line breaks"
    return None
