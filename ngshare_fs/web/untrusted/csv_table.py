"""Tables as CSV for spreadsheets, which take some texts for formulas, and run them."""

import csv
import io
from collections.abc import Iterable, Sequence

# What a formula or a command begins with, for one spreadsheet or another; the last ones are full-width, as typed in
# East Asia.
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_table(rows: Iterable[Sequence[str | int | None]], separator: str = ",") -> bytes:
    """A table as the bytes of a CSV file (RFC 4180), in UTF-8 with the mark by which spreadsheets know that.

    A text that a spreadsheet would take for a formula has an apostrophe before it. Numbers are left alone: none of them
    is a formula, a negative one neither.

    Args:
        rows: with the one of headings; None is an empty cell.
        separator: between cells. A German spreadsheet expects a semicolon.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: str | int | None) -> str | int:
    if value is None:
        return ""
    if isinstance(value, int):
        return value
    # Some look behind spaces and what cannot be seen.
    text = value.replace("\0", "")
    return f"'{text}" if text.lstrip(" \xa0\ufeff\u200b").startswith(_BEGINS_FORMULA) else text
