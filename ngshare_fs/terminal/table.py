"""Tables for people at a terminal."""

from collections.abc import Sequence

from ngshare_fs.formats.byte_size import size_in_words
from ngshare_fs.formats.one_line import in_one_line

__all__ = ["size_in_words", "table"]


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> str:
    """A table as text, a line for each row below the names of its columns.

    Args:
        columns: their names.
        rows: as many values each; names that a line cannot show are escaped.
        right: the columns whose values end at the right, as numbers do.
    """
    # Imported where a table is made: all commands import this module, and most make none.
    from tabulate import tabulate

    shown = [[in_one_line(str(value)) for value in row] for row in rows]
    sides = ["right" if column in right else "left" for column in columns]
    return tabulate(shown, columns, tablefmt="plain", disable_numparse=True, colalign=sides if shown else None)
