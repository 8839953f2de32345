"""Rosters as CSV files: read as a whole, or refused with every row that is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ngshare_fs.management.roster_files import characters, columns, csv_text, spreadsheet
from ngshare_fs.management.roster_files.columns import HEADER, USER, Columns, WrongColumns

LARGEST = 16 * 2**20
# Canvas exports a row below the headings that is about the columns of grades, and nobody's.
POINTS_POSSIBLE = "Points Possible"


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
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise WrongRoster(f"{file}: {error.strerror}") from None
    if len(content) > LARGEST:
        raise WrongRoster(f"{file} is too large to be a roster")
    try:
        text = csv_text.decode(content)
    except csv_text.NoText as problem:
        raise WrongRoster(f"{file}{problem}") from None
    return parse(text, str(file), said)


def parse(text: str, name: str, said: Mapping[str, str] | None = None) -> Roster:
    """The same from the text of a file called `name`."""
    table = csv_text.table(text)
    try:
        rows = list(table.rows())
    except csv_text.WrongQuotes as wrong:
        mistake = f"row {wrong.row}: {wrong.problem}"
        raise WrongRoster(f"{name}: nothing was changed, because of", [mistake]) from None
    if not rows:
        raise WrongRoster(f"{name} is empty; its first row names the columns: {HEADER}")
    (first_number, headings), *others = rows
    try:
        found = columns.find(headings, said or {})
    except WrongColumns as problem:
        raise WrongRoster(f"{name}, row {first_number}: {problem}") from None
    return _Reading(found, table.delimiter).read(others, name)


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
        self._rows: dict[str, int] = {}
        # The user name that has a spelling first.
        self._first: dict[str, str] = {}
        self._short: list[int] = []

    def read(self, rows: Sequence[tuple[int, list[str]]], name: str) -> Roster:
        """The roster that the rows are.

        Raises:
            WrongRoster: some of them are wrong, or there are none.
        """
        mistakes = [f"row {number}: {mistake}" for number, values in rows if (mistake := self._take(number, values))]
        if mistakes:
            raise WrongRoster(f"{name}: nothing was changed, because of", mistakes)
        if not self._students:
            # A roster that is empty by mistake would have `sync` remove everybody.
            raise WrongRoster(f"{name} has no students below its first row")
        return Roster(list(self._students.values()), self._notes(), self._rows)

    def _take(self, number: int, values: list[str]) -> str | None:
        """Keep a row, or say what is wrong with it."""
        mistake = self._wrong_shape(values)
        if mistake is not None:
            return mistake
        row = {column: values[place] for column, place in self._columns.places.items() if place < len(values)}
        user = row.pop(USER, "")
        if not user and values[0] == POINTS_POSSIBLE:
            return None
        mistake = self._wrong_user(user) or _wrong_names(row)
        if mistake is not None:
            return mistake
        if len(row) < len(self._columns.places) - 1:
            self._short.append(number)
        self._students[user], self._rows[user] = Student(user, row), number
        self._first[characters.spelling(user)] = user
        return None

    def _wrong_shape(self, values: list[str]) -> str | None:
        headings = self._columns.headings
        if any(values[len(headings) :]):
            return f"it has {len(values)} values, but there are {len(headings)} columns"
        if len(values) < len(headings):
            for other in csv_text.other_delimiters(self._delimiter):
                # A name may have a comma; a whole row without what separates the columns has been separated otherwise.
                if len(values) == 1 and other in values[0]:
                    return self._otherwise_separated(other)
        return None

    def _wrong_user(self, user: str) -> str | None:
        if not user:
            return f"the {self._user_heading} is missing"
        damage = spreadsheet.damage(user) or spreadsheet.damage_to_user_name(user)
        if damage is not None:
            return damage
        for other in csv_text.other_delimiters(self._delimiter):
            if other in user:
                return self._otherwise_separated(other)
        wrong = characters.wrong_in_user_name(user)
        if wrong is not None:
            return f"the user name {user!a} has the character {wrong} in it, which nobody sees: remove it"
        twin = self._first.get(characters.spelling(user))
        if twin == user:
            return f"{user} is in row {self._rows[user]}, too"
        if twin is not None:
            return f"{user} is {twin} in row {self._rows[twin]}: {characters.how_they_differ(user, twin)}; remove one"
        return None

    def _otherwise_separated(self, other: str) -> str:
        kinds = csv_text.DELIMITERS
        own = kinds.get(self._delimiter, repr(self._delimiter))
        return f"its values are separated by {kinds[other]}, but the columns of the first row by {own}: use the same"

    def _notes(self) -> list[str]:
        notes = self._columns.taken()
        unknown = self._columns.unknown()
        if unknown:
            notes.append(f"These columns mean nothing here: {', '.join(unknown)}")
        if self._short:
            rows = ", ".join(map(str, self._short[:10])) + (" …" if len(self._short) > 10 else "")
            notes.append(
                f"Rows with fewer values than columns, whose missing values stay as they are on the server: {rows}"
            )
        return notes


def _wrong_names(names: Mapping[str, str]) -> str | None:
    for column, value in names.items():
        wrong = characters.wrong_in_name(value)
        if wrong is not None:
            return f"the {column} {value!a} has the character {wrong} in it: remove it"
        damage = spreadsheet.damage(value)
        if damage is not None:
            return f"the {column} {damage}"
    return None
