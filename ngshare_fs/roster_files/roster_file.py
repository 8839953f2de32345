"""Rosters as CSV files: read as a whole, or refused with every row that is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ngshare_fs.formats.sentence import sentence
from ngshare_fs.roster_files import csv_text
from ngshare_fs.roster_files.columns import ROSTER, USER, Columns
from ngshare_fs.roster_files.rows import (
    UserNames,
    WrongRoster,
    in_row,
    rows_in,
    text_of,
    wrong_shape,
    wrong_text,
    wrong_user,
)

__all__ = ["Roster", "Student", "WrongRoster", "parse", "read"]

# Canvas exports a row below the headings that is about the columns of grades, and nobody's.
POINTS_POSSIBLE = "Points Possible"


@dataclass(frozen=True)
class Student:
    """A row.

    Args:
        user: the user name.
        names: those of `first_name`, `last_name` and `email` that the row has.
    """

    user: str
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Roster:
    """A file.

    Args:
        students: its rows.
        notes: for people: what was understood, but might not have been meant.
        rows: where each student stands, by user name.
    """

    students: list[Student]
    notes: list[str]
    rows: Mapping[str, int]


def read(file: Path, said: Mapping[str, str] | None = None) -> Roster:
    """The students in a file, with a first row that names the columns, separated by commas, semicolons or tabs.

    Args:
        file: its column `student_id` (or as others call it) is needed, the names are not.
        said: which column is which, as `columns.mapping_in` has it.

    Raises:
        WrongRoster: it cannot be read, or a row is wrong.
    """
    return parse(text_of(file), str(file), said)


def parse(text: str, name: str, said: Mapping[str, str] | None = None) -> Roster:
    """The same from the text of a file called `name`."""
    found, table, rows = rows_in(text, name, ROSTER, said or {})
    return _Reading(found, table.delimiter).read(rows, name)


def parse_list(text: str, name: str) -> Roster:
    """The students in a text that somebody pasted: a file as above, or nothing but user names, one a line.

    Raises:
        WrongRoster: see `read`.
    """
    table = csv_text.table(text)
    try:
        first: list[str] = next((values for _, values in table.rows()), [])
        if len(first) == 1 and ROSTER.meaning(first[0]) is None:
            rows = list(table.rows())
            return _Reading(Columns({USER: 0}, [USER]), table.delimiter).read(rows, name)
    except csv_text.WrongQuotes:
        pass  # which row it is, is said by `parse`
    return parse(text, name)


class _Reading:
    """Turns rows into students, and gathers what is wrong with them.

    Args:
        found: which column is which.
        delimiter: what separates the values.
    """

    def __init__(self, found: Columns, delimiter: str) -> None:
        self._columns = found
        self._delimiter = delimiter
        self._user_heading = found.headings[found.places[USER]]
        self._students: dict[str, Student] = {}
        self._names = UserNames()
        self._short: list[int] = []

    def read(self, rows: Sequence[tuple[int, list[str]]], name: str) -> Roster:
        """The roster that the rows are.

        Raises:
            WrongRoster: some of them are wrong, or there are none.
        """
        mistakes = [in_row(number, mistake) for number, values in rows if (mistake := self._take(number, values))]
        if mistakes:
            raise WrongRoster(f"{name}: nothing was changed, because of", mistakes)
        if not self._students:
            # A roster that is empty by mistake would have `sync` remove everybody.
            problem = sentence("there are no students below the first row")
            raise WrongRoster(f"{name} has no students below its first row", problem=problem)
        return Roster(list(self._students.values()), self._notes(), self._names.rows)

    def _take(self, number: int, values: list[str]) -> str | None:
        """Keep a row, or say what is wrong with it."""
        mistake = wrong_shape(values, self._columns.headings, self._delimiter)
        if mistake is not None:
            return mistake
        row = {column: values[place] for column, place in self._columns.places.items() if place < len(values)}
        user = row.pop(USER, "")
        if not user and values[0] == POINTS_POSSIBLE:
            return None
        mistake = wrong_user(user, self._user_heading, self._delimiter) or self._names.twin(user)
        mistake = mistake or next((wrong for name, value in row.items() if (wrong := wrong_text(name, value))), None)
        if mistake is not None:
            return mistake
        if len(row) < len(self._columns.places) - 1:
            self._short.append(number)
        self._students[user] = Student(user, row)
        self._names.add(user, number)
        return None

    def _notes(self) -> list[str]:
        notes: list[str] = [*self._columns.taken()]
        unknown = self._columns.unknown()
        if unknown:
            notes.append(sentence("These columns mean nothing here: {columns}", columns=", ".join(unknown)))
        if self._short:
            rows = ", ".join(map(str, self._short[:10])) + (" …" if len(self._short) > 10 else "")
            notes.append(
                sentence(
                    "Rows with fewer values than columns, whose missing values stay as they are on the server: {rows}",
                    rows=rows,
                )
            )
        return notes
