"""The rows of a CSV file about people, whatever else it says of them: found, and what is wrong with them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ngshare_fs.formats.sentence import sentence
from ngshare_fs.roster_files import characters, columns, csv_text, spreadsheet
from ngshare_fs.roster_files.columns import Columns, Kind, WrongColumns
from ngshare_fs.roster_files.csv_text import Table

LARGEST = 16 * 2**20


class WrongRoster(Exception):
    """A file that is no roster.

    Args:
        text: what is wrong, or what follows from it.
        mistakes: the rows, all of them, and what is wrong in each.
        problem: what is wrong, without the file's name, and without what a command has to be told.
    """

    def __init__(self, text: str, mistakes: Sequence[str] = (), problem: str = "") -> None:
        self.mistakes = mistakes
        self.problem = problem or text
        self.lines = [text, *(f"  {mistake}" for mistake in mistakes)]
        super().__init__("\n".join(self.lines))


def text_of(file: Path) -> str:
    """What is in a file.

    Raises:
        WrongRoster: it cannot be read, or is no text.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise WrongRoster(f"{file}: {error.strerror}") from None
    if len(content) > LARGEST:
        raise WrongRoster(f"{file} is too large to be a roster")
    try:
        return csv_text.decode(content)
    except csv_text.NoText as problem:
        raise WrongRoster(f"{file}{problem}", problem=problem.problem) from None


def rows_in(
    text: str, name: str, kind: Kind, said: Mapping[str, str]
) -> tuple[Columns, Table, Sequence[tuple[int, list[str]]]]:
    """The rows below the first one, with their numbers, and which column is which.

    Args:
        text: of the file.
        name: of the file.
        kind: which columns there may be.
        said: which column is which, as `columns.mapping_in` has it.

    Raises:
        WrongRoster: it is empty, its quotes are wrong, or there is no column of user names.
    """
    table = csv_text.table(text)
    try:
        rows = list(table.rows())
    except csv_text.WrongQuotes as wrong:
        mistake = in_row(wrong.row, wrong.problem)
        raise WrongRoster(f"{name}: nothing was changed, because of", [mistake]) from None
    if not rows:
        problem = sentence("it is empty; its first row names the columns: {columns}", columns=kind.header)
        raise WrongRoster(f"{name} is empty; its first row names the columns: {kind.header}", problem=problem)
    (first_number, headings), *others = rows
    try:
        return columns.find(headings, said, kind), table, others
    except WrongColumns as problem:
        raise WrongRoster(f"{name}, row {first_number}: {problem}", problem=problem.problem) from None


def in_row(row: int, mistake: str) -> str:
    """What is wrong, and in which row."""
    return sentence("row {row}: {mistake}", row=row, mistake=mistake)


def wrong_shape(values: Sequence[str], headings: Sequence[str], delimiter: str) -> str | None:
    """What is wrong with a row before anybody looks at its values."""
    if any(values[len(headings) :]):
        return sentence(
            "it has {values} values, but there are {columns} columns", values=len(values), columns=len(headings)
        )
    if len(values) < len(headings):
        for other in csv_text.other_delimiters(delimiter):
            # A name may have a comma; a whole row without what separates the columns has been separated otherwise.
            if len(values) == 1 and other in values[0]:
                return _otherwise_separated(delimiter, other)
    return None


def wrong_user(user: str, heading: str, delimiter: str) -> str | None:
    """What is wrong with a user name by itself.

    Args:
        heading: of its column.
        delimiter: what separates the values.
    """
    if not user:
        return sentence("the {column} is missing", column=heading)
    damage = spreadsheet.damage(user) or spreadsheet.damage_to_user_name(user)
    if damage is not None:
        return damage
    for other in csv_text.other_delimiters(delimiter):
        if other in user:
            return _otherwise_separated(delimiter, other)
    wrong = characters.wrong_in_user_name(user)
    if wrong is not None:
        return with_hidden_character(user, wrong)
    return None


def with_hidden_character(user: str, character: str) -> str:
    """What is wrong with a user name that has a character in it which nobody sees."""
    return sentence(
        "the user name {user!a} has the character {wrong} in it, which nobody sees: remove it",
        user=user,
        wrong=character,
    )


def wrong_text(column: str, value: str) -> str | None:
    """What is wrong with a name of a person, or with another value that may be any text."""
    wrong = characters.wrong_in_name(value)
    if wrong is not None:
        return sentence(
            "the {column} {value!a} has the character {wrong} in it: remove it", column=column, value=value, wrong=wrong
        )
    damage = spreadsheet.damage(value)
    return None if damage is None else sentence("the {column} {damage}", column=column, damage=damage)


def _otherwise_separated(own: str, other: str) -> str:
    kinds = csv_text.DELIMITERS
    return sentence(
        "its values are separated by {these}, but the columns of the first row by {those}: use the same",
        these=sentence(kinds[other]),
        those=sentence(kinds[own]) if own in kinds else repr(own),
    )


class UserNames:
    """The user names of a file, each of which may be there once, in whatever capitals."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        # The user name that has a spelling first.
        self._first: dict[str, str] = {}

    def twin(self, user: str) -> str | None:
        """What is wrong with one more user name, if it is there already."""
        twin = self._first.get(characters.spelling(user))
        if twin == user:
            return sentence("{user} is in row {row}, too", user=user, row=self.rows[user])
        if twin is not None:
            return sentence(
                "{user} is {twin} in row {row}: {how}; remove one",
                user=user,
                twin=twin,
                row=self.rows[twin],
                how=characters.how_they_differ(user, twin),
            )
        return None

    def add(self, user: str, row: int) -> None:
        """Remember one."""
        self.rows[user] = row
        self._first[characters.spelling(user)] = user
