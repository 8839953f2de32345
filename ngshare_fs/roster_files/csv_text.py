"""The text and the rows of a CSV file, however a spreadsheet has written it."""

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ngshare_fs.formats.sentence import sentence

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# Excel's own way to say what separates the values; it does not show this line, and counts rows after it.
_SEPARATOR_LINE = re.compile(r'\A(?:[ \t]*\r?\n)*"?sep=([^"\r\n])"?[,; \t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_WORKBOOK = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_EXPORT = sentence("save it as CSV in UTF-8 (in Excel: Save As, CSV UTF-8)")


class NoText(Exception):
    """The bytes are no text that could be a CSV file.

    Args:
        problem: what they are, and what to do.
        place: where; empty where that is all of it.
    """

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(f"{place}: {problem}")
        self.problem = problem


def decode(content: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 that says so by its first bytes, as Excel's "Unicode Text" does.

    Raises:
        NoText: it is neither.
    """
    if content.startswith((_WORKBOOK, _OLD_WORKBOOK)):
        raise NoText(sentence("this is a workbook; open it and {export}", export=_EXPORT))
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        if utf_16:
            raise NoText(sentence("it begins as UTF-16, but is not; {export}", export=_EXPORT)) from None
        line = content[: error.start].count(b"\n") + 1
        raise NoText(sentence("this is no UTF-8; {export}", export=_EXPORT), f", line {line}") from None
    if "\x00" in text:
        raise NoText(sentence("this is no UTF-8, maybe UTF-16 without a mark; {export}", export=_EXPORT))
    return text


class WrongQuotes(Exception):
    """A row cannot be told from the next.

    Args:
        row: its number.
        problem: what is wrong with it.
    """

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(problem)
        self.row = row
        self.problem = problem


@dataclass(frozen=True)
class Table:
    """A CSV file.

    Args:
        text: without the line `sep=`.
        delimiter: what separates the values.
    """

    text: str
    delimiter: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Numbers, as a spreadsheet counts, and values of the rows that have any.

        Raises:
            WrongQuotes: a quote is not closed, or stands in the midst of a value.
        """
        lines = io.StringIO(self.text, newline="")
        number = 0
        try:
            for number, row in enumerate(csv.reader(lines, delimiter=self.delimiter, strict=True), 1):
                values = [value.strip() for value in row]
                if any(values):
                    yield number, values
        except csv.Error as error:
            raise WrongQuotes(
                number + 1, sentence("its quotes cannot be understood ({problem})", problem=error)
            ) from None


def table(text: str) -> Table:
    """How a text is to be read: as its line `sep=` says, or as separates most columns of the first row."""
    said = _SEPARATOR_LINE.match(text)
    if said:
        return Table(text[said.end() :], said[1])
    return Table(text, max(DELIMITERS, key=lambda delimiter: _columns(text, delimiter)))


def other_delimiters(delimiter: str) -> list[str]:
    """Those that the values of a file are not separated by."""
    return [other for other in DELIMITERS if other != delimiter]


def _columns(text: str, delimiter: str) -> int:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        first: list[str] = next(itertools.filterfalse(_is_empty, rows), [])
    except csv.Error:
        return 0
    return len(first)


def _is_empty(row: list[str]) -> bool:
    return not any(value.strip() for value in row)
