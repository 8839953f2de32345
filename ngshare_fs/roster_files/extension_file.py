"""Extensions as CSV files: read as a whole, or refused with every row that is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ngshare_fs.formats.sentence import sentence
from ngshare_fs.roster_files import spreadsheet
from ngshare_fs.roster_files.columns import USER_HEADINGS, Kind
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

EXTENSIONS = Kind(
    {
        "user": USER_HEADINGS,
        "until": (
            "until", "due", "duedate", "newdue", "newduedate", "extendeddue", "extendedduedate", "extendeduntil",
            "extensionduedate", "bis", "verlaengertbis", "abgabebis", "frist", "neuefrist", "jusqua", "hasta",
        ),
        "close": ("close", "closes", "closedate", "cutoff", "cutoffdate", "lockdate", "latedue", "latestsubmission"),
        "reason": ("reason", "why", "note", "comment", "grund", "begruendung", "motif", "raison", "motivo"),
    }
)  # fmt: skip


@dataclass(frozen=True)
class MoreTime:
    """More time for somebody, as it was written.

    Args:
        user: whose it is.
        until: when their work is due; empty where that stays.
        close: until when it is accepted; empty where that follows from the rest.
        reason: why; may be empty.
    """

    user: str
    until: str = ""
    close: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ExtensionFile:
    """A file.

    Args:
        rows: in their order.
        notes: for people: what was understood, but might not have been meant.
    """

    rows: list[MoreTime]
    notes: list[str]


def read(
    file: Path, said: Mapping[str, str], mistake_of: Callable[[MoreTime], str | None] = lambda _: None
) -> ExtensionFile:
    """The extensions in a file, with a first row that names the columns, separated by commas, semicolons or tabs.

    Args:
        file: its column `user` (or as others call it) is needed, and `until`, `close` or both.
        said: which column is which, as `columns.mapping_in` has it.
        mistake_of: what else may be wrong with a row.

    Raises:
        WrongRoster: it cannot be read, or a row is wrong.
    """
    return parse(text_of(file), str(file), said, mistake_of)


def parse(
    text: str, name: str, said: Mapping[str, str], mistake_of: Callable[[MoreTime], str | None] = lambda _: None
) -> ExtensionFile:
    """The same from the text of a file called `name`."""
    found, table, rows = rows_in(text, name, EXTENSIONS, said)
    if not {"until", "close"} & found.places.keys():
        problem = sentence(
            "there is no column until or close, which say how much time somebody has; the first row names the columns: "
            "{columns}",
            columns=EXTENSIONS.header,
        )
        raise WrongRoster(f"{name}: {problem}", problem=problem)
    names = UserNames()
    wanted: list[MoreTime] = []
    mistakes: list[str] = []
    heading = found.headings[found.places["user"]]
    for number, values in rows:
        row = MoreTime(**{column: values[place] for column, place in found.places.items() if place < len(values)})
        mistake = (
            wrong_shape(values, found.headings, table.delimiter)
            or wrong_user(row.user, heading, table.delimiter)
            or names.twin(row.user)
            or wrong_text("reason", row.reason)
            or spreadsheet.damage_to_time(row.until)
            or spreadsheet.damage_to_time(row.close)
            or mistake_of(row)
        )
        if mistake is not None:
            mistakes.append(in_row(number, mistake))
        else:
            names.add(row.user, number)
            wanted.append(row)
    if mistakes:
        raise WrongRoster(f"{name}: nothing was changed, because of", mistakes)
    if not wanted:
        problem = sentence("there are no rows below the first one")
        raise WrongRoster(f"{name} has no rows below its first one", problem=problem)
    unknown = found.unknown()
    notes = [sentence("These columns mean nothing here: {columns}", columns=", ".join(unknown))] if unknown else []
    return ExtensionFile(wanted, [*found.taken(), *notes])
